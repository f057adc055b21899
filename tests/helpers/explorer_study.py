"""Described runs for the explorer whose names would break a page, and whose numbers are known from their traces."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from retention.commands import describe_samples
from retention.common.parquet_tables import read_metadata, write_parquet

EPOCHS, SIDE = 6, 40
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    '</script><script>alert("2")</script>',
    "שלום \u202e עולם",
    "quotes \" ' ` and \\ and {{ 7 * 7 }} and $$x$$",
    "x" * 200,
    '=HYPERLINK("http://example.com")',
    "+1, with a comma",
    "line\nbreak\ttab",
    "@sum",
    "",
]
RUNS = (("b<i>ig</i>", 1), ("b<i>ig</i>", 0), ("$$net$$", 4))  # two seeds and one


@dataclass(frozen=True)
class Study:
    """Files of a study: `samples` and `traces` in the order of `RUNS`, the index, pixels and layout of a cache."""

    samples: list[Path]
    traces: list[Path]
    index: Path
    cache: list[Path]

    def words(self, *, traces: bool = True, cache: bool = True) -> list[str]:
        """Return the options of build_explorer."""
        words: list[object] = ["--samples", *self.samples, "--index", self.index]
        words += ["--traces", *self.traces] if traces else []
        words += ["--cache", *self.cache] if cache else []
        return [str(word) for word in words]


def write_explorer_study(
    folder: Path,
    count: int = 40,
    classes: Sequence[str] = HOSTILE,
    runs: Sequence[tuple[str, int]] = RUNS,
    held_out: bool = True,
) -> Study:
    """Write runs of `count` samples whose ids and paths are hostile, a quarter of them held out."""
    draws, number = np.random.default_rng(5), np.arange(count)
    label = number % len(classes)
    ids = [f"{HOSTILE[i % len(HOSTILE)]}{i if i >= len(HOSTILE) else ''}" for i in number]
    index = pd.DataFrame({"sample_index": number, "sample_id": ids, "label": label})
    index["class_name"], index["group"] = np.array(classes, dtype=object)[label], number.astype(str)
    index["path"] = [f"images/{name}.png" for name in ids]
    index["split"] = np.where((number % 4 == 3) & held_out, "test", "train")
    write_parquet(folder / "index.parquet", index)
    described, traces = [], []
    for architecture, seed in runs:
        paths = [folder / f"{kind}_{len(traces)}.parquet" for kind in ("traces", "samples")]
        _write_traces(paths[0], index, len(classes), draws)
        words = ["--traces", paths[0], "--index", folder / "index.parquet", "--output", paths[1]]
        words += ["--dynamics", '{"shuffles": 5}', "--dataset", "odd = <b>set</b>"]
        words += ["--architecture", architecture, "--seed", seed]
        describe_samples.main([str(word) for word in words])
        _plant(paths[1])
        traces.append(paths[0])
        described.append(paths[1])
    return Study(described, traces, folder / "index.parquet", _write_cache(folder, number, draws))


def _write_traces(
    path: Path, index: pd.DataFrame, classes: int, draws: np.random.Generator
) -> None:
    count = len(index)
    right = draws.random((EPOCHS, count)) < draws.choice([0.05, 0.6, 1.0], count)
    right[:, 0] = False  # of every study one sample is never learned
    other = (
        index["label"].to_numpy() + draws.integers(1, max(classes, 2), (EPOCHS, count))
    ) % classes
    table = pd.DataFrame(
        {
            "split": np.tile(index["split"], EPOCHS),
            "sample_index": np.tile(index["sample_index"], EPOCHS),
            "epoch": np.repeat(np.arange(EPOCHS), count),
            "correct": right.ravel(),
            "predicted": np.where(right, index["label"].to_numpy(), other).ravel(),
            "loss": draws.exponential(size=right.size),
            "margin": draws.normal(size=right.size),
            "confidence": draws.random(right.size),
            "error_norm": draws.random(right.size),
        }
    )
    write_parquet(path, table.sort_values(["split", "epoch", "sample_index"]))


def _plant(path: Path) -> None:
    """Give the first samples of a run values that no axis has a place for."""
    table = pd.read_parquet(path).sort_values("sample_index", ignore_index=True)
    loss = table["loss_0"].to_numpy(copy=True)
    loss[1:4] = [np.inf, 0.0, np.nan][: len(loss[1:4])]
    table["loss_0"] = loss
    write_parquet(path, table, read_metadata(path))


def _write_cache(folder: Path, number: np.ndarray, draws: np.random.Generator) -> list[Path]:
    """Write a cache whose images are of one colour each, of different shapes."""
    heights = np.where(number % 2, SIDE, SIDE // 2)
    images = [
        np.full((height, SIDE, 3), draws.integers(256, size=3), np.uint8) for height in heights
    ]
    sizes = np.array([image.size for image in images])
    layout = pd.DataFrame({"sample_index": number, "offset": np.cumsum(sizes) - sizes})
    layout["height"], layout["width"] = heights, SIDE
    np.save(folder / "pixels.npy", np.concatenate([image.ravel() for image in images]))
    write_parquet(folder / "layout.parquet", layout)
    return [folder / "pixels.npy", folder / "layout.parquet"]
