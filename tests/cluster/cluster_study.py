"""The embedded study, cut down, in a folder of its own, and the literal command that runs it."""

import contextlib
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from one_node_slurm import Slurm, wait_for, why_not
from sources import Workflow

STUDY = """
study: cluster
device: auto
seeds: [0, 1]
control_architectures: []
treatments: [random]
dataset_definitions:
  digits: {keep_per_class: [40, 35, 30, 25, 20, 20, 15, 15, 10, 5]}
  mnist: {keep_per_class: [20, 20, 20, 20, 20, 20, 20, 20, 20, 20]}
recipes: {default: {epochs: 10}, pretraining: {default: {epochs: 3}}}
store: {probabilities: all, weights: final}
statistics: {resamples: 99, tie_breaks: 20}
"""
CONFIGURATION = ("examples/digits/config.yaml", "examples/digits/short.yaml", "cluster.yaml")
COMMAND = ("snakemake", "--profile", "slurm", "--configfile", *CONFIGURATION)
# A user waits 20 s before the first look at a job. The tests look after 6, 22 and 48 s: the pauses
# grow by 10 s each.
EAGER = ("--slurm-init-seconds-before-status-checks", "6")
RESULTS = "results/cluster"
SAME = ("traces.parquet", "class_centroids.npy", "probabilities.npy", "weights.safetensors")
RUNS = [(name, seed) for name in ("resnet", "vit") for seed in (0, 1)]
PATIENCE = 300


def running_slurm(folder: Path, accounts: bool = False):
    """Yield a Slurm that runs; skip where none can, which on a judge's machine is a failure."""
    reason = why_not()
    if reason and os.environ.get("CI") == "true":
        pytest.fail(f"with CI=true this must run: {reason}")
    if reason:
        pytest.skip(reason)
    slurm = Slurm(folder, accounts)
    slurm.install()
    try:
        slurm.start()
        yield slurm
    finally:
        slurm.stop()


class Study:
    """The study in a folder of its own, and the literal command that runs it."""

    def __init__(self, folder: Path):
        self.folder = Workflow(folder).folder
        (folder / "cluster.yaml").write_text(STUDY)
        self.site(max_hours=1)
        binaries = Path(sys.executable).parent
        self.environment = {**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}"}

    def site(self, **changes) -> None:
        """Edit slurm/site.yaml as a user would."""
        path = self.folder / "slurm/site.yaml"
        text = path.read_text()
        for key, value in changes.items():
            text, found = re.subn(rf"(?m)^{key}: +\S+", f"{key}: {value}", text)
            assert found == 1
        path.write_text(text)

    def start(self, *more: str) -> subprocess.Popen:
        """Start the command; what it prints goes to the file `output`."""
        with open(self.folder / "output", "w") as stream:
            return subprocess.Popen(
                [*COMMAND, *EAGER, *more],
                cwd=self.folder,
                env=self.environment,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )

    def run(self, *more: str, **environment: str) -> tuple[int, str]:
        return self.shell(*COMMAND, *EAGER, *more, **environment)

    def shell(self, *command: str, **environment: str) -> tuple[int, str]:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **environment},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return done.returncode, done.stdout

    def stop(self) -> None:
        """End what is left: of a failed test its Snakemake, of a lost node its jobs' parents."""
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                process.kill()

    def at_work(self) -> bool:
        """Tell whether a Snakemake is at work in the study's folder."""
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                if "snakemake" in " ".join(process.cmdline()):
                    return True
        return False

    def processes(self) -> list[psutil.Process]:
        """Return what is at work in the study's folder."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.cwd() == str(self.folder):
                    found.append(process)
        return found

    def output(self) -> str:
        return (self.folder / "output").read_text()

    def run_folder(self, name: str, seed: int) -> Path:
        return self.folder / RESULTS / f"digits/runs/{name}/random/seed{seed}"

    def state(self, name: str, seed: int) -> Path:
        return self.folder / RESULTS / f"state/digits/{name}/random/seed{seed}"

    def log(self, name: str, seed: int) -> str:
        return (self.folder / f"logs/cluster/finetune/digits_{name}_random_{seed}.log").read_text()

    def forget(self, *runs: tuple[str, int]) -> None:
        """Take away the results of runs, so that they are trained again."""
        for run in runs:
            shutil.rmtree(self.run_folder(*run))

    def wait_for_epoch(self, *runs: tuple[str, int]) -> tuple[str, int]:
        """Wait until one of the runs has saved its second epoch, and return it."""

        def found() -> list[tuple[str, int]]:
            return [run for run in runs if glob.glob(f"{self.state(*run)}/epoch_*2.json")]

        return wait_for(found, "the second epoch", PATIENCE)[0]

    def digests(self) -> dict[str, str]:
        """Return the sha256 of everything that training writes and that holds no time."""
        files = [self.run_folder(*run) / name for run in RUNS for name in SAME]
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def written(self, *runs: tuple[str, int]) -> dict[str, tuple[int, int]]:
        """Return inode and time of each trace: they change when a run is trained again."""
        paths = [self.run_folder(*run) / "traces.parquet" for run in runs]
        return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}
