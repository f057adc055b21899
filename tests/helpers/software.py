"""What the tests of conda and of containers share: one small study, packages on disk, a verdict.

The study is the embedded one cut to a minute: both networks, two seeds, eight epochs.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from debian import KEPT
from sources import ROOT, Workflow

STUDY = ("--configfile", "examples/digits/config.yaml", "cut.yaml")
CUT = """
study: cut
seeds: [0, 1]
control_architectures: []
treatments: [random]
findings: [architecture_overlap, early_loss]
recipes:
  default: {epochs: 8, head_warmup: {epochs: 2}}
  pretraining: {default: {epochs: 3}}
dynamics:
  fits: [{retention: aligned, curve: exponential}]
  shuffles: 5
statistics: {resamples: 99, tie_breaks: 5}
"""
COMPARED = [f"results/cut/digits/runs/{name}/random/seed0" for name in ("resnet", "vit")]


def cut_study(folder: Path) -> Workflow:
    """Return a clone of the sources with the cut study in it."""
    workflow = Workflow(folder)
    (folder / "cut.yaml").write_text(CUT)
    return workflow


def assert_same_values(one: Path, other: Path) -> None:
    """Hold traces and centroids of two clones against each other, byte for byte in their values."""
    for run in COMPARED:
        traces = [pd.read_parquet(folder / run / "traces.parquet") for folder in (one, other)]
        assert len(traces[0]) > 1000
        for column in traces[0]:
            left, right = (trace[column].to_numpy() for trace in traces)
            assert left.dtype == right.dtype and len(left) == len(right), column
            different = np.flatnonzero(~_same(left, right))
            assert not len(different), f"{run}: {len(different)} rows differ in {column}"
        centroids = [(folder / run / "class_centroids.npy").read_bytes() for folder in (one, other)]
        assert centroids[0] == centroids[1], run


def plain_runs(folder: Path) -> Path:
    """Train the compared runs in the plain environment, the one these tests run in."""
    workflow = cut_study(folder)
    code, output = workflow.snakemake(*(f"{run}/traces.parquet" for run in COMPARED), *STUDY)
    assert code == 0, output
    return folder


def wheelhouse() -> Path:
    """Return a folder with every wheel of requirements.txt, filled once as pip is set up here."""
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes()).hexdigest()[:12]
    folder = KEPT / f"wheels-{digest}"
    if not (folder / "complete").exists():
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(folder)]
        subprocess.run([*pip, "--requirement", str(ROOT / "requirements.txt")], check=True)
        (folder / "complete").touch()
    return folder


def _same(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    if left.dtype.kind == "f":  # the bits: -0.0 is not 0.0, a NaN is itself
        bits = f"u{left.dtype.itemsize}"
        return left.view(bits) == right.view(bits)
    return left == right
