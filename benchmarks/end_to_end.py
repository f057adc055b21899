"""Fine-tuning with a record of every sample: this workflow against the script most people would write.

Same JPEGs of CUB's size in 8 classes, same epochs, same clean evaluation after each of them, 224
pixels, random weights (no download; they take the same time). The two sides are separate processes that train an
epoch in turn, so that a machine that is slower for a while is slower for both; the first epoch is not
counted. Ours is run as configured by default: what `auto` chose is printed. Then the head warm-up
on cached features against forward passes, and the seconds from the start of Python to the first step.

    python benchmarks/end_to_end.py --write                 # 9 minutes on 2 cores with bf16
    python benchmarks/end_to_end.py --models test_resnet --size 64 --images 48 --held-out 16
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from multiprocessing import get_context, set_start_method
from pathlib import Path

import pandas as pd
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from image_path import SIZES, write_jpegs
from plain_script import fine_tune
from record import record

from retention.common.parquet_tables import read_parquet, write_parquet
from retention.data.caching import write_cache
from retention.data.catalogue import index_images
from retention.data.image_cache import ImageCache
from retention.sampling.orders import RandomSampler
from retention.training import features as features_module
from retention.training.features import read_features, warm_up_head
from retention.training.finetuning import FineTuning
from retention.training.models import head_parameters
from retention.training.recipe import complete_recipe
from retention.training.run import RunNames, RunSettings
from retention.training.state import RunState
from retention.training.tracking import Samples

RECIPE = {
    "batch_size": 32,
    "evaluation_batch_size": 128,
    "learning_rate": 1e-4,
    "head_learning_rate": 1e-3,
    "weight_decay": 0.05,
    "threads": 2,
    "augmentation": {"crop_scale": [0.5, 1.0], "flip": True},
    "head_warmup": {"epochs": 1, "learning_rate": 1e-3},
}
WARM_UP_EPOCHS = 5
CLASSES = 8
FIRST_STEP = """
import os, sys, time
from pathlib import Path
sys.path[:0] = {paths!r}
from torch.optim.optimizer import register_optimizer_step_pre_hook
def stop(*_):
    os.write(1, str(time.time() - {start!r}).encode())
    os._exit(0)
register_optimizer_step_pre_hook(stop)
{call}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["resnet18", "deit_small_patch16_224"])
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--images", type=int, default=288, help="trained on")
    parser.add_argument("--held-out", type=int, default=96)
    parser.add_argument("--epochs", type=int, default=2, help="counted, after a first one")
    parser.add_argument("--starts", type=int, default=3, help="of Python, to the first step")
    parser.add_argument("--threads", type=int, default=RECIPE["threads"], help="of each side")
    parser.add_argument("--write", action="store_true", help="write the table that the docs show")
    arguments = parser.parse_args()
    ratios, chosen = {}, {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, arguments.images, arguments.held_out)
        recipe = {**RECIPE, "threads": arguments.threads}
        for model in arguments.models:
            settings = {
                "folder": folder,
                "architecture": {"timm": model, "image_size": arguments.size},
                "recipe": {**recipe, "epochs": arguments.epochs + 1},
            }
            found, chosen[model] = side_by_side(settings)
            found |= warm_up_ratio(settings)
            print(model, {key: round(value, 3) for key, value in found.items()}, flush=True)
            ratios |= {f"{model}_{key}": value for key, value in found.items()}
        for side in ("plain", "ours"):
            starts = [first_step(side, folder, recipe) for _ in range(arguments.starts)]
            seconds = statistics.median(starts)
            print(f"{side}: {seconds:.1f} s from the start of Python to the first step")
            ratios[f"first_step_seconds_{side}"] = seconds
    kept = ("size", "images", "held_out", "epochs", "threads")
    settings = {key: getattr(arguments, key) for key in kept} | {"chosen": chosen}
    record("end_to_end", settings, ratios, write=arguments.write)


def prepare(folder: Path, train: int, test: int, threads: int = 2) -> None:
    """Write JPEGs in folders for the plain script, and their index and cache for ours."""
    for split, count in (("train", train), ("test", test)):
        write_jpegs(folder / split, SIZES["cub"], count, CLASSES)
    files = sorted(folder.glob("*/*/*.jpg"))
    table = pd.DataFrame({"path": [file.relative_to(folder).as_posix() for file in files]})
    table["label"] = [file.parent.name for file in files]
    table["split"] = [file.parents[1].name for file in files]
    table.to_csv(folder / "images.csv", index=False)
    definition = {"adapter": "csv", "table": str(folder / "images.csv")}
    index, _ = index_images("images", definition, folder, threads)
    index["split"] = index["official_split"]
    write_cache(definition, index, 256, threads, folder / "pixels.npy", folder / "layout.parquet")
    write_parquet(folder / "index.parquet", index)


def plain(settings: dict):
    """Return the plain script's epochs."""
    return fine_tune(settings["folder"], settings["architecture"], settings["recipe"], 0)


def ours(settings: dict):
    """Yield our epochs, with the seconds of the forward passes in the evaluation."""
    run = make_run(settings)
    forward = []  # seconds of each forward pass of the clean evaluation

    def before(model, _) -> None:
        if not model.training:
            forward.append(-time.perf_counter())

    def after(model, *_) -> None:
        if not model.training:
            forward[-1] += time.perf_counter()

    run.model.register_forward_pre_hook(before)
    run.model.register_forward_hook(after)
    for summary in run.epochs():
        chosen = {k: run.recipe[k] for k in ("precision", "evaluation_precision", "channels_last")}
        yield summary | {"forward_seconds": sum(forward), "chosen": chosen}
        forward.clear()


def make_run(settings: dict) -> FineTuning:
    """Return our run on the images of the folder."""
    folder, cpu = settings["folder"], torch.device("cpu")
    return FineTuning(
        RunNames("benchmark", "images", settings["architecture"]["timm"], "random", 0),
        RunSettings(
            settings["architecture"], complete_recipe(settings["recipe"], cpu), {}, {}, None, ""
        ),
        Samples.from_index(read_parquet(folder / "index.parquet")),
        ImageCache(folder / "pixels.npy", folder / "layout.parquet"),
        cpu,
        RunState(folder / settings["architecture"]["timm"], {}),
    )


def in_turns(connection, side: str, settings: dict) -> None:
    """Train an epoch each time the connection asks for one; answer with its summary."""
    set_start_method(
        "fork", force=True
    )  # of loaders' workers, as a script of its own has it on Linux
    epochs = {"plain": plain, "ours": ours}[side](settings)
    while connection.recv():
        start = time.perf_counter()
        summary = next(epochs)
        connection.send(summary | {"wall": time.perf_counter() - start})


def side_by_side(settings: dict) -> tuple[dict[str, float], dict]:
    """Return the ratios of one architecture, medians over the counted epochs, and our choices."""
    context = get_context("spawn")
    connections, processes = {}, []
    for side in ("plain", "ours"):
        connections[side], other = context.Pipe()
        processes.append(context.Process(target=in_turns, args=(other, side, settings)))
        processes[-1].start()
    epochs = {side: [] for side in connections}
    for _ in range(settings["recipe"]["epochs"] + 1):
        for side, connection in connections.items():
            connection.send(True)
            epochs[side].append(connection.recv())
    for connection in connections.values():
        connection.send(False)
    for process in processes:
        process.join()
    theirs, own = epochs["plain"][2:], epochs["ours"][2:]
    index = read_parquet(settings["folder"] / "index.parquet")
    every, trained = len(index), int((index["split"] == "train").sum())
    training = [e["seconds"] - e["evaluation_seconds"] for e in own]
    print(
        "plain:", *(f"{e['train_seconds']:.1f} + {e['evaluation_seconds']:.1f} s" for e in theirs)
    )
    print(
        "ours: ", *(f"{t:.1f} + {e['wall'] - t:.1f} s" for t, e in zip(training, own, strict=True))
    )

    def median(values) -> float:
        return statistics.median(values)

    pairs = list(zip(theirs, own, training, strict=True))
    recording = [e["evaluation_seconds"] - e["forward_seconds"] for e in own]
    return {
        "speedup": median(a["wall"] / b["wall"] for a, b, _ in pairs),
        "training_speedup": median(a["train_seconds"] / t for a, _, t in pairs),
        "evaluation_speedup": median(
            a["evaluation_seconds"] / b["evaluation_seconds"] for a, b, _ in pairs
        ),
        "plain_evaluation_share": median(
            e["evaluation_seconds"] / every / (e["train_seconds"] / trained) for e in theirs
        ),
        "evaluation_share": median(
            e["evaluation_seconds"] / every / (t / trained)
            for e, t in zip(own, training, strict=True)
        ),
        "recording_share": median(
            r / every / (t / trained) for r, t in zip(recording, training, strict=True)
        ),
        "state_share": median(
            (e["wall"] - e["seconds"]) / t for e, t in zip(own, training, strict=True)
        ),
    }, own[0]["chosen"]


def warm_up_ratio(settings: dict) -> dict[str, float]:
    """Return how much faster the head warms up on features, and how far its weights then differ."""
    warm_up = {"epochs": WARM_UP_EPOCHS, "learning_rate": 1e-3}
    settings = settings | {"recipe": settings["recipe"] | {"head_warmup": warm_up}}
    seconds, heads = {}, {}
    usual = features_module._head_is_last_layer
    for way, last_layer in (("features", usual), ("forward", lambda *_: False)):
        features_module._head_is_last_layer = last_layer
        run = make_run(settings)
        torch.manual_seed(0)
        sampler = RandomSampler(len(run.train.index), ("warm-up",))
        start = time.perf_counter()
        # Forward passes need no features; those of the class centroids are not counted here.
        features = (
            read_features(
                run.model, run.maker, run.train, run.recipe["evaluation_batch_size"], keep=True
            ).kept
            if way == "features"
            else None
        )
        warm_up_head(run.learner, run.train, features, sampler)
        seconds[way] = time.perf_counter() - start
        heads[way] = torch.cat([p.detach().flatten() for p in head_parameters(run.model)])
    features_module._head_is_last_layer = usual
    difference = (heads["features"] - heads["forward"]).abs().max() / heads["forward"].abs().max()
    return {
        "warm_up_speedup": seconds["forward"] / seconds["features"],
        "warm_up_difference": float(difference),
    }


def first_step(side: str, folder: Path, recipe: dict) -> float:
    """Return the seconds from the start of Python to the first optimiser step of a small run."""
    architecture = {"timm": "test_resnet", "image_size": 32}
    recipe = recipe | {"epochs": 1}
    if side == "plain":
        call = "from plain_script import fine_tune\n"
        call += f"list(fine_tune(Path({str(folder)!r}), {architecture!r}, {recipe!r}, 0))"
    else:
        names = {"study": "s", "dataset": "d", "architecture": "a", "treatment": "t", "seed": 0}
        maps = {"definition": architecture, "recipe": recipe, "treatment-definition": {}}
        files = {"index": "index.parquet", "pixels": "pixels.npy", "layout": "layout.parquet"}
        results = {key: "unused" for key in ("traces", "epochs", "run", "centroids")}
        options = names | {key: json.dumps(value) for key, value in maps.items()} | {"store": "{}"}
        options |= {key: folder / name for key, name in files.items()} | results
        options |= {"state": folder / "start", "device": "cpu"}
        words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
        call = f"import finetune\nfinetune.main({words!r})"
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "scripts")]
    code = FIRST_STEP.format(paths=paths, start=time.time(), call=call)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    shutil.rmtree(folder / "start", ignore_errors=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return float(done.stdout)


if __name__ == "__main__":
    main()
