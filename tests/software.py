"""What the tests of conda and of containers share: one small study, packages on disk, a verdict.

The study is the embedded one cut to a minute: both networks, two seeds, eight epochs.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from conftest import ROOT, Workflow

KEPT = ROOT / ".software"  # ignored by git; `make clean-software` deletes it
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


def reason_to_skip() -> str:
    """Return why these tests cannot run here, "" where they can."""
    if os.geteuid() != 0:
        return "needs root: it installs Debian packages and builds images"
    if not Path("/etc/debian_version").exists() or not shutil.which("apt-get"):
        return "needs Debian: what it builds on comes from Debian's packages"
    return ""


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


def apt_install(*packages: str) -> None:
    """Install Debian packages that are not there yet, one process at a time."""
    KEPT.mkdir(exist_ok=True)
    # No init system may start a daemon: the tests do.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    apt = ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
    with open(KEPT / "apt.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = [name for name in packages if not _installed(name)]
        if missing:
            subprocess.run([*apt, "update"], check=True)
            install = [*apt, "install", "--yes", "--no-install-recommends", *missing]
            subprocess.run(install, check=True, env=environment, stdout=subprocess.DEVNULL)


def _installed(package: str) -> bool:
    query = ("dpkg-query", "--show", "--showformat=${db:Status-Status}", package)
    return subprocess.run(query, text=True, capture_output=True).stdout == "installed"


def _same(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    if left.dtype.kind == "f":  # the bits: -0.0 is not 0.0, a NaN is itself
        bits = f"u{left.dtype.itemsize}"
        return left.view(bits) == right.view(bits)
    return left == right
