"""The memory and processor time that a study of ImageNet's size takes once its runs are trained.

Made-up traces of 1.28 million samples in 1,000 classes, two architectures with two seeds. The very commands of the
workflow describe a run and measure findings, one after the other, and the largest resident memory of each is read. Then
a state with class probabilities is saved and given back, as fine-tuning does with `probabilities: all`.

    python benchmarks/large_study.py --write              # on 1 core, with 15 GB of disk
    python benchmarks/large_study.py --samples 3000 --classes 50 --resamples 99
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from record import record

SCRIPTS = Path(__file__).parents[1] / "scripts"
sys.path.insert(0, str(SCRIPTS))

FINDINGS = (
    "architecture_overlap",
    "fit_quality",
    "seed_stability",
    "class_forgetting",
    "early_loss",
)
RUNS = [(architecture, seed) for architecture in ("a", "b") for seed in (0, 1)]
LOST, RELEARNED = (
    0.02,
    0.5,
)  # probability per epoch of losing a known sample, and of learning a lost one
SAVED_EPOCHS = 3
PARTS = ("make", "probabilities")  # that this script does itself, each as a process of its own


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1_281_167)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=31)
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--write", action="store_true", help="write the result")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help="where the files are made, on a disk with room")
    arguments = parser.parse_args()
    if arguments.part:
        {"make": make, "probabilities": save_probabilities}[arguments.part](arguments)
        return
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        ratios = dict(measured(arguments, Path(name)))
    settings = {key: vars(arguments)[key] for key in ("samples", "classes", "epochs", "resamples")}
    record("large_study", settings, ratios, arguments.write)


def measured(arguments: argparse.Namespace, folder: Path) -> Iterator[tuple[str, float]]:
    """Yield the name and the value of each number."""
    own = [sys.executable, __file__, "--folder", str(folder)]
    for option in ("samples", "classes", "epochs"):
        own += [f"--{option}", str(vars(arguments)[option])]
    watched([*own, "--part", "make"])
    command = [sys.executable, str(SCRIPTS / "describe_samples.py"), "--dataset", "made-up"]
    command += ["--architecture", "a", "--seed", "0", "--index", str(folder / "index.parquet")]
    files = ["--traces", folder / "traces.parquet", "--output", folder / "first.parquet"]
    yield from named("describe", watched([*command, *map(str, files)]))
    samples = [str(path) for path in other_runs(folder)]
    statistics = json.dumps({"resamples": arguments.resamples})
    for finding in FINDINGS:
        command = [sys.executable, str(SCRIPTS / "measure_finding.py"), finding]
        command += ["--samples", *samples, "--statistics", statistics]
        yield from named(finding, watched([*command, "--output", str(folder / f"{finding}.csv")]))
    yield from named("probabilities", watched([*own, "--part", "probabilities"]))


def named(part: str, found: tuple[float, float]) -> Iterator[tuple[str, float]]:
    yield from zip((f"{part}_gb", f"{part}_minutes"), found, strict=True)


def watched(command: Sequence[str]) -> tuple[float, float]:
    """Run a command; return its largest resident memory in GB and its minutes of processor time."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    status, peak = Path(f"/proc/{process.pid}/status"), 0.0
    while not os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        lines = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        peak = max([peak, *(int(line.split()[1]) * 1024 / 1e9 for line in lines)])
        time.sleep(0.05)
    _, code, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(code)
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: ended with {process.returncode}")
    minutes = (usage.ru_utime + usage.ru_stime) / 60
    print(f"{command[1:4]}: {peak:.2f} GB, {minutes:.1f} min", file=sys.stderr, flush=True)
    return peak, minutes


def make(arguments: argparse.Namespace) -> None:
    """Write the traces of one run, and the index."""
    from retention.training.tracking import Samples, write_traces

    draws, count = np.random.default_rng(0), arguments.samples
    label = np.arange(count) % arguments.classes
    index = pd.DataFrame({"sample_index": np.arange(count), "label": label, "split": "train"})
    index["sample_id"] = [f"{number:07d}" for number in range(count)]
    index["group"], index["class_name"] = index["sample_id"], [f"class {one}" for one in label]
    index.to_parquet(arguments.folder / "index.parquet")
    samples = Samples(
        np.arange(count, dtype=np.int32), np.full(count, "train"), label, arguments.classes
    )
    records = made_up(draws, label, arguments.epochs)
    write_traces(arguments.folder / "traces.parquet", records, samples, {})


def made_up(draws: np.random.Generator, label: np.ndarray, epochs: int) -> Iterator[dict]:
    """Yield records of epochs in which samples are lost, some more often than others, and learned again."""
    hard = draws.exponential(size=len(label))
    correct = draws.random(len(label)) < 0.5
    for _ in range(epochs):
        lost, learned = (draws.random(len(label)) for _ in range(2))
        correct = np.where(correct, lost > LOST * hard, learned < RELEARNED)
        value = (hard + draws.random(len(label))).astype(np.float32)
        yield {
            "correct": correct,
            "presentations": np.ones(len(label), np.int32),
            "predicted": label.astype(np.int16),
            **dict.fromkeys(("loss", "margin", "confidence", "error_norm"), value),
        }


def other_runs(folder: Path) -> list[Path]:
    """Write samples.parquet of all runs: that of the first, each column's values moved among the samples."""
    from retention.common.parquet_tables import read_metadata, write_parquet

    table = pd.read_parquet(folder / "first.parquet")
    known = ["split", "sample_index", "sample_id", "label", "class_name", "group"]
    kept, moved = table[known], table.drop(columns=known)
    metadata, paths = read_metadata(folder / "first.parquet"), []
    for number, (architecture, seed) in enumerate(RUNS):
        order = np.random.default_rng(number).permutation(len(table))
        shuffled = pd.concat([kept, moved.iloc[order].reset_index(drop=True)], axis=1)
        paths.append(folder / f"{architecture}{seed}.parquet")
        own = {"dataset": "made-up", "architecture": architecture, "seed": str(seed)}
        write_parquet(paths[-1], shuffled, {**metadata, **own})
    return paths


def save_probabilities(arguments: argparse.Namespace) -> None:
    """Save epochs with the class probabilities of all samples, and give them to the result."""
    import torch

    from retention.training.state import RunState

    state = RunState(arguments.folder / "state", {})
    shape = arguments.samples, arguments.classes
    for epoch in range(SAVED_EPOCHS):
        record = {"probabilities": np.full(shape, epoch, np.float16)}
        state.save(epoch, {"weight": torch.zeros(1)}, record, [])
        del record
    state.give_probabilities(arguments.folder / "probabilities.npy", *shape)


if __name__ == "__main__":
    main()
