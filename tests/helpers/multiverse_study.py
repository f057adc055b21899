"""A small study with confidences and losses, written as files: what the multiverse is tested on."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from described_study import command

from retention.commands import describe_samples

ARCHITECTURES, SEEDS, CLASSES = ("a", "b"), (0, 1, 2), 4


def write_runs(
    folder: Path,
    samples: int = 60,
    epochs: int = 9,
    architectures: Sequence[str] = ARCHITECTURES,
    seeds: Sequence[int] = SEEDS,
    with_confidence: bool = True,
) -> tuple[list[Path], list[Path]]:
    """Write traces.parquet and samples.parquet of every run; return both lists, runs in one order.

    A sixth of the samples is held out, groups have two samples of one class, a few are never learned, some flat.
    """
    draws = np.random.default_rng(12)
    number = np.arange(samples)
    index = pd.DataFrame({"sample_index": number, "sample_id": [f"{n:04d}" for n in number]})
    index["label"] = (number // 2) % CLASSES
    index["class_name"] = index["label"].map("class {}".format)
    index["group"] = [f"g{n // 2}" for n in number]
    index["split"] = np.where(number % 6 == 5, "test", "train")
    folder.mkdir(parents=True, exist_ok=True)
    index.to_parquet(folder / "index.parquet")
    difficulty = draws.normal(size=samples) + 0.4 * index["label"].to_numpy()
    traces, described = [], []
    for architecture in architectures:
        own = draws.normal(size=samples)
        for seed in seeds:
            run = folder / architecture / f"seed{seed}"
            run.mkdir(parents=True)
            logit = _logits(difficulty + 0.5 * own, epochs, draws)
            table = _table(logit, number, draws)
            if (
                architecture == architectures[-1]
            ):  # as this workflow writes them; the others have no split
                table["split"] = index["split"].to_numpy()[table["sample_index"]]
            if not with_confidence:
                table = table.drop(columns="confidence")
            table.to_parquet(run / "traces.parquet")
            traces.append(run / "traces.parquet")
            described.append(run / "samples.parquet")
            describe(folder, traces[-1], described[-1], architecture, seed)
    return traces, described


def describe(
    folder: Path, traces: Path, output: Path, architecture: str, seed: int, *more: object
) -> None:
    """Describe a run by the command."""
    words = ["--traces", traces, "--index", folder / "index.parquet", "--output", output]
    words += ["--dataset", "made_up", "--architecture", architecture, "--seed", seed]
    command(describe_samples, *words, "--dynamics", '{"shuffles": 2}', *more)


def _logits(difficulty: np.ndarray, epochs: int, draws: np.random.Generator) -> np.ndarray:
    """Return log odds of being right, [E, N]: rising, noisy; hard samples never get there."""
    time = np.arange(epochs)[:, None]
    noise = draws.normal(size=(epochs, len(difficulty)))
    return 1.2 - 1.3 * difficulty + 0.25 * time + noise


def _table(logit: np.ndarray, number: np.ndarray, draws: np.random.Generator) -> pd.DataFrame:
    epochs, samples = logit.shape
    confidence = 1 / (1 + np.exp(-logit))
    columns = {
        "sample_index": np.tile(number, epochs),
        "epoch": np.repeat(np.arange(epochs), samples),
        "correct": (logit > 0).ravel(),
        "confidence": confidence.ravel().astype(np.float32),
        "loss": -np.log(confidence).ravel(),
    }
    return pd.DataFrame(columns)
