"""What must be true on a GPU, and only a GPU can show. Each check raises with one line where it is not.

A check is given a folder of its own, the device, and a map of facts that it fills in as they are found. With the
CPU as device it is a dry run: the code of the check is tried out, and nothing of a GPU is shown.
"""

import gc
import re
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import torch
from made_up import (
    FP32,
    RECIPE,
    definition_of,
    differing,
    finished,
    make_run,
    require,
    scale_for,
    write_images,
)

from retention.common.errors import UserError
from retention.data.image_cache import ImageCache
from retention.training.batches import BatchMaker
from retention.training.models import Normalisation
from retention.training.stepper_state import pack_stepper
from retention.training.tracking import Evaluation, evaluate

PATIENCE = 20.0  # seconds
STEPS = 4  # of an epoch
# 255 times this deviation is 1 in fp32, so that a normalised byte is the byte itself.
AS_IT_IS = Normalisation((0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255))
USUAL = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
EVERYTHING = {
    "ema_decay": 0.9,
    "gradient_clipping": 1.0,
    "augmentation": {
        **RECIPE["augmentation"],
        "color": 0.2,
        "vertical_flip": True,
        "rotation": 90,
        "erasing": 0.5,
        "mixup": 0.2,
        "cutmix": 1.0,
    },
}
FLIP_RATE = 0.0003  # of correctness: what docs/precision.md leaves room for


def same_bytes(folder: Path, device: torch.device, facts: dict) -> None:
    """A run that is trained twice gives the same bytes, and run.yaml says that it does, or why not."""
    scale, faults = scale_for(device), []
    for side in scale.sides:
        images = write_images(folder / f"images{side}", side * 8 // 7, 64)
        for model, precision in product(scale.models, ("bf16", "fp32")):
            everything = EVERYTHING if (side, precision) == (scale.sides[0], "bf16") else {}
            changes = {**(FP32 if precision == "fp32" else {}), **everything}
            name = f"{model}, {side} pixels, {precision}{', all that is random' * bool(everything)}"
            results = []
            for number in range(2):
                place = folder / f"{model}{side}{precision}{number}"
                run = make_run(images, place / "state", device, definition_of(model, side), changes)
                results.append(finished(run, place))
            (told, first), (_, second) = results
            facts[name] = {
                "differing": differing(first, second),
                "deterministic": told["deterministic"],
                "why_not": told.get("why_not_deterministic", []),
            }
            if facts[name]["differing"] or not told["deterministic"]:
                faults.append(f"{name}: {facts[name]}")
    require(not faults, "; ".join(faults))


def batches(folder: Path, device: torch.device, facts: dict) -> None:
    """Batches on the GPU are those of the CPU to the byte, while it computes, whatever their sizes."""
    cpu = torch.device("cpu")
    own = write_images(folder / "images", 73, 256)
    images = ImageCache(own / "pixels.npy", own / "layout.parquet")
    one = torch.tensor(AS_IT_IS.std[0], dtype=torch.float32) * 255
    require(one == 1, "bytes that are to be compared as they are would be scaled")
    seen, normalised = 0, True
    for side, last in product(dict.fromkeys((32, *scale_for(device).sides)), (False, True)):
        chosen = list(sizes(len(images)))
        makers = [BatchMaker(images, side, AS_IT_IS, where, last) for where in (device, cpu)]
        here, there = makers
        found = [digest(batch) for batch in under_load(here.clean(chosen), device)]
        expected = [digest(batch) for batch in there.clean(chosen)]
        wrong = [n for n, (a, b) in enumerate(zip(found, expected, strict=True)) if a != b.item()]
        require(
            not wrong, f"{side} pixels, channels_last {last}: batches {wrong} differ from the CPU's"
        )
        seen += len(found)
        kept = [
            list(BatchMaker(images, side, USUAL, where, last).clean(chosen[:6]))
            for where in (device, cpu)
        ]
        normalised &= all(torch.equal(a.cpu(), b) for a, b in zip(*kept, strict=True))
        if device.type == "cuda":
            require(is_pinned(here), "batches do not cross through pinned memory")
    facts.update(batches=seen, normalised_to_the_byte=normalised)


def sizes(count: int) -> Iterator[np.ndarray]:
    """Yield the samples of many batches, of 1 to 128 images, small ones after large ones."""
    draws = np.random.default_rng(1)
    for size in (1, 128, 3, 127, 64, 2, *draws.integers(1, 129, 24)):
        yield draws.integers(0, count, size)


def digest(batch: torch.Tensor) -> torch.Tensor:
    """Return a sum that each byte of a batch takes part in by its place, int64: exact in any order."""
    values = batch.contiguous().flatten().to(torch.int64)
    return (values * (torch.arange(len(values), device=batch.device) % 8191 + 1)).sum()


def under_load(given: Iterator[torch.Tensor], device: torch.device) -> Iterator[torch.Tensor]:
    """Yield batches that are looked at late: the GPU is busy, the thread is far ahead of it, and keeps none."""
    other = torch.rand((2048, 2048) if device.type == "cuda" else (16, 16), device=device)
    for batch in given:
        for _ in range(8):
            other = (other @ other).clamp_(0, 1)
        yield batch


def is_pinned(maker: BatchMaker) -> bool:
    """Tell whether the memory that batches went through is pinned."""
    rooms = [maker.carrier.free.get() for _ in range(maker.carrier.free.qsize())]
    return any(len(room.memory) for room in rooms) and all(
        room.memory.is_pinned() for room in rooms if len(room.memory)
    )


def close_calls(folder: Path, device: torch.device, facts: dict) -> None:
    """checked_bf16 finds the samples right that fp32 finds right; bf16 alone need not."""
    scale, side = scale_for(device), scale_for(device).sides[0]
    images = write_images(folder / "images", side, scale.images)
    for model in scale.models:
        run = make_run(images, folder / model, device, definition_of(model, side), {})
        list(run.epochs())
        found = {}
        for precision in ("fp32", "bf16", "checked_bf16"):
            how = Evaluation(run.recipe["evaluation_batch_size"], precision)
            found[precision] = evaluate(run.learner.evaluated, run.maker, run.samples, how)
        exact = found["fp32"].record
        facts[model] = {
            "samples": len(run.samples.index),
            "accuracy": float(exact["correct"].mean()),
            "evaluated_again": found["checked_bf16"].close_calls,
            **{
                f"{name}_{way}": int((found[way].record[name] != exact[name]).sum())
                for way in ("bf16", "checked_bf16")
                for name in ("correct", "predicted")
            },
        }
        allowed, flips = (
            int(FLIP_RATE * len(run.samples.index)),
            facts[model]["correct_checked_bf16"],
        )
        require(flips <= allowed, f"{model}: checked_bf16 flips {flips} samples, allowed {allowed}")


def out_of_memory(folder: Path, device: torch.device, facts: dict) -> None:
    """Where memory is exhausted the run names gradient_accumulation, and following the advice it trains."""
    scale = scale_for(device)
    model, side, size = scale.models[1], scale.sides[-1], 2 * scale.batch
    images = write_images(folder / "images", side, size)
    definition = definition_of(model, side)
    few = {"epochs": 1, "evaluation_batch_size": 32, "evaluation_precision": "bf16"}
    fits = size // 8
    if device.type == "cuda":
        needed = peak_of(images, folder / "fits", device, definition, {**few, "batch_size": fits})
        total = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(min(2 * needed / total, 1.0))
        facts.update(needed_mb=needed // 10**6, of_mb=total // 10**6)
    parts, said = 1, []
    while parts <= 64:
        changes = {**few, "batch_size": size, "gradient_accumulation": parts}
        run = make_run(images, folder / f"state{parts}", device, definition, changes)
        if device.type == "cpu":
            run.model.register_forward_pre_hook(refusing(fits))
        line = trained_or_advised(run)
        del run
        released(device)
        if not line:
            break
        said.append(line)
        advised = re.search(r"gradient_accumulation (\d+), with which a step is still", line)
        require(advised, f"the advice names no gradient_accumulation: {line}")
        parts = int(advised[1])
    facts.update(advice=said[:1], gradient_accumulation=parts)
    require(said, f"{size} images at once exhausted no memory, which is limited to {facts}")
    require(not line, f"the advice was followed to gradient_accumulation {parts}, and nothing fits")


def peak_of(
    images: Path, state: Path, device: torch.device, definition: dict, changes: dict
) -> int:
    """Return the most bytes of the GPU that a run held."""
    list(make_run(images, state, device, definition, changes).epochs())
    peak = torch.cuda.max_memory_reserved(device)
    released(device)
    return peak


def trained_or_advised(run) -> str:
    """Train a run; return "", or the line that it ended with."""
    try:
        list(run.epochs())
    except UserError as error:
        return str(error)
    return ""


def refusing(images: int):
    """Return a stand-in for a GPU whose memory holds so many images at a time in training."""

    def before(module, given) -> None:
        if module.training and len(given[0]) > images:
            raise torch.OutOfMemoryError("CUDA out of memory: a stand-in")

    return before


def released(device: torch.device) -> None:
    """Give memory back that nobody uses any more."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def fp16(folder: Path, device: torch.device, facts: dict) -> None:
    """fp16 trains: the scaled loss falls, no weight becomes infinite, the scale is in the state."""
    scale, side = scale_for(device), scale_for(device).sides[0]
    images = write_images(folder / "images", side, scale.images // 4)
    model, changes = scale.models[1], {"precision": "fp16", "epochs": 4, "batch_size": 16}
    run = make_run(images, folder / "state", device, definition_of(model, side), changes)
    losses = [summary["train_loss"] for summary in run.epochs()]
    tensors = pack_stepper(run.learner.stepper)
    facts.update(losses=losses, scale=float(tensors["scaler.scale"]))
    require(losses[-1] < losses[0], f"the loss does not fall: {losses}")
    finite = all(bool(tensor.isfinite().all()) for tensor in tensors.values())
    require(finite, "a weight or a moment is not finite")


def saver(folder: Path, device: torch.device, facts: dict) -> None:
    """An epoch is saved while the next one is trained: here it can only be saved so."""
    scale, side = scale_for(device), scale_for(device).sides[-1]
    images = write_images(folder / "images", side, STEPS * RECIPE["batch_size"])
    definition = definition_of(scale.models[1], side)
    run = make_run(images, folder / "state", device, definition, {"epochs": 2})
    taken, save, late = [], run.state.save, []

    def save_after_a_step(epoch: int, *given) -> None:
        needed = epoch * STEPS + (epoch < run.recipe["epochs"])
        until = time.monotonic() + PATIENCE
        while len(taken) < needed and time.monotonic() < until:
            time.sleep(0.005)
        late.extend([epoch] * (len(taken) < needed))
        save(epoch, *given)

    run.state.save = save_after_a_step
    run.learner.stepper.optimizer.register_step_post_hook(lambda *_: taken.append(1))
    finished(run, folder / "run")
    facts["epochs_that_waited"] = late
    require(not late, f"epochs {late} were not saved beside the training of the next one")
