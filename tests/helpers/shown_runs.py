"""Described runs that are written as tables, and a cache of plain images: what pages show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from retention.common.parquet_tables import with_metadata
from retention.dynamics.events import dynamics

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "\"'></script><script>alert(2)</script>",
    "{{ 7 * 7 }}{% raw %}",
    "שלום \u202egnp.exe",
    "بطة مستنقع",
    "long name " * 20,
    "x" * 200,
    "$5 & 100 % \\frac",
    "",
]


@dataclass
class Study:
    """Samples [N] and, by architecture and seed, whether they were right, bool [N, E].

    samples: split, sample_index, sample_id, label, class_name; predicted: int [N, E] by run; confidence: float [N] by run.
    """

    samples: pd.DataFrame
    correct: Mapping[tuple[str, int], np.ndarray]
    predicted: Mapping[tuple[str, int], np.ndarray] = field(default_factory=dict)
    confidence: Mapping[tuple[str, int], np.ndarray] = field(default_factory=dict)
    dataset: str = "birds"


def drawn_study(
    classes: Sequence[str] = ("crow", "duck", "owl"),
    each: int = 20,
    epochs: int = 6,
    runs: Sequence[tuple[str, int]] = tuple(
        (name, s) for name in ("resnet", "vit") for s in (0, 1, 2)
    ),
    held_out: int = 4,
    seed: int = 0,
) -> Study:
    """Return a study by lot: samples that are never, sometimes and always right; many hazards are tied."""
    draws, number = np.random.default_rng(seed), len(classes) * each
    label = np.arange(number) % len(classes)
    samples = pd.DataFrame(
        {
            "split": np.where(np.arange(number) < held_out * len(classes), "test", "train"),
            "sample_index": draws.permutation(number),
            "label": label,
            "class_name": np.array(list(classes), dtype=object)[label],
        }
    )
    samples["sample_id"] = [
        f"{label}-{i}" for label, i in zip(label, samples["sample_index"], strict=True)
    ]
    easy = draws.choice([0.0, 0.5, 0.8, 1.0], size=number, p=[0.1, 0.3, 0.3, 0.3])
    correct = {run: draws.random((number, epochs)) < easy[:, None] for run in runs}
    wrong = {run: draws.integers(1, max(len(classes), 2), (number, epochs)) for run in runs}
    return Study(
        samples,
        correct,
        {
            r: np.where(correct[r], label[:, None], (label[:, None] + wrong[r]) % len(classes))
            for r in runs
        },
        {run: draws.choice([0.2, 0.4, 0.6], size=number) for run in runs},
    )


def write_study(study: Study, folder: Path) -> dict[str, list[Path]]:
    """Write the runs and an index; return their paths by the command's option."""
    folder.mkdir(parents=True, exist_ok=True)
    paths: dict[str, list[Path]] = {
        "samples": [],
        "traces": [],
        "index": [folder / "index.parquet"],
    }
    named = study.samples[["split", "sample_index", "sample_id", "label", "class_name"]]
    _write(
        folder / "index.parquet",
        named.assign(path="images/" + named["sample_id"] + ".png", group=""),
    )
    for (architecture, seed), correct in study.correct.items():
        run = architecture, seed
        identity = {"dataset": study.dataset, "architecture": architecture, "seed": seed}
        averages = {"confidence": study.confidence[run]} if run in study.confidence else {}
        described = pd.concat([named, dynamics(correct, averages)], axis=1)
        traces = pd.concat(
            named[["split", "sample_index"]].assign(
                epoch=epoch,
                correct=correct[:, epoch],
                **({"predicted": study.predicted[run][:, epoch]} if run in study.predicted else {}),
            )
            for epoch in range(correct.shape[1])
        )
        place = len(paths["samples"])
        paths["samples"].append(folder / f"samples_{place}.parquet")
        paths["traces"].append(folder / f"traces_{place}.parquet")
        _write(paths["samples"][-1], described, identity)
        _write(paths["traces"][-1], traces, identity)
    return paths


def write_cache(study: Study, folder: Path, side: int = 24) -> list[Path]:
    """Write a cache of images, one grey level per sample; return its pixels and layout."""
    index = np.sort(study.samples["sample_index"].to_numpy())
    pixels = np.repeat((index * 7 % 256).astype(np.uint8), side * side * 3)
    np.save(folder / "pixels.npy", pixels)
    layout = {"sample_index": index, "offset": np.arange(len(index)) * side * side * 3}
    _write(folder / "layout.parquet", pd.DataFrame(layout).assign(height=side, width=side))
    return [folder / "pixels.npy", folder / "layout.parquet"]


def _write(path: Path, table: pd.DataFrame, identity: Mapping[str, object] | None = None) -> None:
    """Write a table as `write_parquet` does, but wait for no disk: tests write many."""
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    pq.write_table(
        with_metadata(arrow, {name: str(v) for name, v in (identity or {}).items()}), path
    )


def options(paths: Mapping[str, Sequence[Path]]) -> list[str]:
    """Return the paths as words of a command line."""
    return [
        word for name, files in paths.items() if files for word in (f"--{name}", *map(str, files))
    ]
