"""How fast a GPU fine-tunes with this workflow, and with a plain timm script at its best ordinary settings.

The same made-up JPEGs of CUB's size, 224 pixels, bf16, channels_last, fused AdamW, one batch size. The plain
script decodes JPEGs in 8 persistent workers with pinned memory and lets cuDNN choose its kernels by
trying. Ours reads the cache of decoded images that the workflow makes once, and takes deterministic kernels. Each
side is a process of its own.
"""

import json
import re
import statistics
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import timm
import torch
from end_to_end import RECIPE as PLAIN
from end_to_end import prepare
from made_up import Scale, definition_of, make_run, require, scale_for, write_images
from plain_script import make_loaders
from record import commit, machine
from timm.layers import set_fused_attn
from torch import nn
from torch.profiler import ProfilerActivity, profile
from torch.utils.data import ConcatDataset, DataLoader
from torch.utils.flop_counter import FlopCounterMode

from retention.common.parquet_tables import read_parquet, write_parquet
from retention.data.image_cache import ImageCache
from retention.sampling.orders import batches_of
from retention.training.batches import BatchMaker
from retention.training.finetuning import FineTuning
from retention.training.machine import cores_given, device_in_words, has_fast_bf16, versions
from retention.training.models import Normalisation
from retention.training.optimisation import train_epoch
from retention.training.tracking import Evaluation, evaluate

# Dense bf16 products with fp32 sums, TFLOP/s, by the makers' datasheets; the first that fits counts.
PEAKS = {
    r"MIG ": None,
    r"H200 NVL": 835,
    r"H200|H100 80GB HBM3|H100 SXM": 989,
    r"H100 NVL": 835,
    r"H100 PCIe": 756,
    r"A100\b": 312,
    r"A30\b": 165,
    r"A10\b": 125,
    r"L40S": 362,
    r"L4\b": 121,
    r"RTX 4090": 165,
}
EPOCHS = 3  # the first is not counted
STEPS = 30
STORE = {"probabilities": "none"}


def describe(folder: Path, device: torch.device, facts: dict) -> None:
    """Say what the parts run on; compile the kernel that all of them need."""
    facts.update(name=device_in_words(device), machine=machine(), commit=commit())
    facts.update(versions=versions() | {"cuda": torch.version.cuda}, cores=cores_given())
    facts["bf16"] = has_fast_bf16(device)
    own = write_images(folder / "images", 32, 2)
    cache = ImageCache(own / "pixels.npy", own / "layout.parquet")
    normalisation = Normalisation((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    list(BatchMaker(cache, 32, normalisation, device).clean([np.arange(2)]))


def images(folder: Path, device: torch.device, facts: dict) -> None:
    """Write the JPEGs, and our cache of them, in which each image stands as often as an epoch presents it."""
    scale = scale_for(device)
    prepare(folder, scale.files, scale.files // 16, threads=scale.workers)
    index = read_parquet(folder / "index.parquet")
    trained = set(index["sample_index"][index["split"] == "train"])
    for name in ("index", "layout"):
        path = folder / f"{name}.parquet"
        once = read_parquet(path)
        again = once[once["sample_index"].isin(trained)]
        more = [
            again.assign(sample_index=again["sample_index"] + n * len(index))
            for n in range(1, scale.repeats)
        ]
        write_parquet(path, pd.concat([once, *more], ignore_index=True))
    facts.update(jpegs=scale.files, images_of_an_epoch=scale.files * scale.repeats)


def written(folder: Path) -> Path:
    """Return the folder that `images` wrote to, beside a part's own."""
    images = folder.parent / "images"
    require(
        (images / "layout.parquet").exists(), "the images could not be made: see the part images"
    )
    return images


def ours(network: int, folder: Path, device: torch.device, facts: dict) -> None:
    """Measure our epochs, their parts, and what saving beside the training gains; network: a place in `Scale.models`."""
    scale, images = scale_for(device), written(folder)
    model = facts["model"] = scale.models[network]
    side, changes = scale.sides[-1], {"epochs": EPOCHS, "batch_size": scale.batch}
    changes |= {"evaluation_batch_size": scale.batch}
    definition = definition_of(model, side)
    waiting = make_run(images, folder / "waiting", device, definition, changes, STORE)
    facts["seconds_of_an_epoch_that_waits_for_its_saving"] = seconds_each(waiting.epochs())
    beside = make_run(images, folder / "beside", device, definition, changes, STORE)
    facts["seconds_of_an_epoch"] = seconds_each(beside._epochs())
    counted = beside.summaries[2:]
    samples = len(beside.samples.index)
    facts["images_per_second"] = statistics.median(s["images_per_second"] for s in counted)
    facts["images_evaluated_per_second"] = statistics.median(
        samples / s["evaluation_seconds"] for s in counted
    )
    facts["close_calls"] = counted[-1]["close_calls"]
    facts["deterministic_but_for"] = beside.lacking
    facts["images_per_second_of_steps_alone"] = steps_alone(
        beside.learner.stepper.take, side, scale, device
    )
    facts |= with_mfu(facts, model, side, device)
    facts["computing_share"] = computing_shares(beside, folder, device)


def plain(network: int, folder: Path, device: torch.device, facts: dict) -> None:
    """Measure the plain script's training, as `ours`."""
    scale, side, images = scale_for(device), scale_for(device).sides[-1], written(folder)
    model = facts["model"] = scale.models[network]
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    varied, _ = make_loaders(images, model, side, PLAIN)
    loader = DataLoader(
        ConcatDataset([varied.dataset] * scale.repeats),
        scale.batch,
        shuffle=True,
        num_workers=scale.workers,
        persistent_workers=True,
        pin_memory=device.type == "cuda",
        prefetch_factor=4,
    )
    step = plain_step(model, side, len(varied.dataset.classes), device)
    rates = []
    for _ in range(EPOCHS):
        start = time.perf_counter()
        for batch, target in loader:
            batch = batch.to(device, non_blocking=True, memory_format=torch.channels_last)
            step(batch, target.to(device, non_blocking=True))
        wait(device)
        rates.append(len(loader.dataset) / (time.perf_counter() - start))
        facts["images_per_second"] = statistics.median(rates[1:] or rates)
    facts["images_per_second_of_steps_alone"] = steps_alone(step, side, scale, device)
    facts |= with_mfu(facts, model, side, device)


def plain_step(model: str, side: int, classes: int, device: torch.device):
    """Return a function that takes one step on a batch and its labels."""
    keywords = definition_of(model, side)["model_kwargs"]
    network = timm.create_model(model, num_classes=classes, **keywords).to(device)
    network = network.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, weight_decay=0.05, fused=True)
    criterion = nn.CrossEntropyLoss()

    def step(batch: torch.Tensor, target: torch.Tensor) -> None:
        with torch.autocast(device.type, torch.bfloat16):
            loss = criterion(network(batch), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def seconds_each(epochs: Iterable[dict]) -> float:
    """Return the median seconds of an epoch; the head warm-up and the first one are not counted."""
    times = []
    for _ in epochs:
        times.append(time.perf_counter())
    return statistics.median(np.diff(times)[1:])


def steps_alone(step, side: int, scale: Scale, device: torch.device) -> float:
    """Return the images per second of steps on one batch that lies on the device: what no reading can slow."""
    count = STEPS if device.type == "cuda" else 2
    batch = torch.randn(scale.batch, 3, side, side, device=device)
    batch = batch.to(memory_format=torch.channels_last)
    target = torch.zeros(scale.batch, dtype=torch.int64, device=device)
    for number in range(2 * count):
        if number == count:
            wait(device)
            start = time.perf_counter()
        step(batch, target)
    wait(device)
    return count * scale.batch / (time.perf_counter() - start)


def computing_shares(run: FineTuning, folder: Path, device: torch.device) -> dict[str, float | str]:
    """Return the share of the time in which a kernel runs: of an epoch's training, and of its evaluation."""
    order = np.random.default_rng(0).permutation(len(run.train.index))
    batches = [
        (run.train.index[rows], run.train.label[rows])
        for rows in batches_of(order, run.recipe["batch_size"])
    ]
    how = Evaluation(run.recipe["evaluation_batch_size"], run.recipe["evaluation_precision"])
    parts = {
        "training": lambda: train_epoch(run.learner, batches, EPOCHS),
        "evaluation": lambda: evaluate(run.learner.evaluated, run.maker, run.samples, how),
    }
    on_gpu = device.type == "cuda"
    kind = "kernel" if on_gpu else "cpu_op"
    activity = ProfilerActivity.CUDA if on_gpu else ProfilerActivity.CPU
    found: dict[str, float | str] = {}
    with profile(activities=[activity]):  # its own start takes seconds
        wait(device)
    for name, work in parts.items():
        trace = folder / f"{name}.json"
        with profile(activities=[activity]) as profiler:
            start = time.perf_counter()
            work()
            wait(device)
            seconds = time.perf_counter() - start
        profiler.export_chrome_trace(str(trace))
        events = json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]
        spans = [(e["ts"], e["ts"] + e["dur"]) for e in events if e.get("cat") == kind]
        found[name] = covered(spans) / 1e6 / seconds if spans else "torch's profiler saw no kernel"
    return found


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """Return how much of a line is covered by spans that may overlap."""
    total, end = 0.0, float("-inf")
    for begin, after in sorted(spans):
        total += max(after - max(begin, end), 0.0)
        end = max(end, after)
    return total


def with_mfu(facts: dict, model: str, side: int, device: torch.device) -> Iterator[tuple]:
    """Yield operations per image, and per rate of images the share of the GPU's peak that they are."""
    per_image = operations(model, side)
    peak = peak_of(torch.cuda.get_device_name(device)) if device.type == "cuda" else None
    yield "gflop_per_image", per_image / 1e9
    yield "peak_tflops", peak or "unknown"
    for name in ("images_per_second", "images_per_second_of_steps_alone"):
        share = facts[name] * per_image / (peak * 1e12) if peak else "unknown"
        yield name.replace("images_per_second", "mfu"), share


def operations(model: str, side: int) -> int:
    """Return the floating-point operations of a training step per image, forward and backward.

    Of matrix products and convolutions, by torch's counter; attention is written out, so that it is counted, too.
    """
    keywords = definition_of(model, side)["model_kwargs"]
    set_fused_attn(False)
    with torch.device("meta"):  # shapes alone: nothing is computed
        network = timm.create_model(model, **keywords)
        batch = torch.randn(2, 3, side, side)
    set_fused_attn(True)
    with FlopCounterMode(display=False) as counter:
        network(batch).sum().backward()
    return counter.get_total_flops() // 2


def peak_of(name: str) -> float | None:
    """Return a GPU's peak in TFLOP/s by the name that torch gives it; `None` where it is unknown."""
    return next((peak for sign, peak in PEAKS.items() if re.search(sign, name)), None)


def wait(device: torch.device) -> None:
    """Return once the device has done what it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
