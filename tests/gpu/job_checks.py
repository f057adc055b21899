"""What must be true of training jobs that share a GPU, and of one that is killed. As `checks`."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from made_up import (
    definition_of,
    differing,
    finished,
    make_run,
    require,
    scale_for,
    write_images,
)
from small_run import results_of

from retention.training.gpu_locks import FOLDER
from retention.workflow.gpus import VISIBLE, gpus_for

JOB = Path(__file__).with_name("job.py")
PATIENCE = 180.0  # seconds; a job needs some for its imports
IMAGES, STEPS = 128, 4  # of an epoch


@dataclass
class Job:
    """A job that was started, and where it writes."""

    process: subprocess.Popen
    folder: Path

    def said(self) -> str:
        """Return what it has said so far."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def awaited(self, condition: Callable[[], bool], what: str) -> None:
        """Return once a condition holds; fail where the job ends or the time is over before."""
        until = time.monotonic() + PATIENCE
        while not condition():
            ended = self.process.poll() is not None and not condition()
            if ended or time.monotonic() > until:
                how = f"ended with {self.process.returncode}" if ended else f"{PATIENCE:g} s"
                raise AssertionError(f"{self.folder.name}: no {what} ({how}): {self.said()[-600:]}")
            time.sleep(0.02)

    def held(self) -> None:
        """Return once it stands still."""
        self.awaited((self.folder / "held").exists, "step at which it stands still")

    def ended(self) -> None:
        """Return once it has ended well."""
        self.awaited(lambda: self.process.poll() == 0, "good end")

    def killed(self) -> None:
        """Kill it as the system would."""
        self.process.kill()
        self.process.wait()


@contextmanager
def jobs(images: Path, device: torch.device, definition: dict) -> Iterator[Callable[..., Job]]:
    """Give a function that starts a job in a folder; those that still run at the end are killed."""
    started = []

    def start(folder: Path, hold: int = 0, **environment: str) -> Job:
        folder.mkdir(parents=True, exist_ok=True)
        asked = json.dumps({"definition": definition, "changes": {}, "hold": hold})
        with open(folder / "log", "w", encoding="utf-8") as log:
            process = subprocess.Popen(
                [sys.executable, JOB, images, folder, device.type, asked],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        started.append(Job(process, folder))
        return started[-1]

    try:
        yield start
    finally:
        for job in started:
            job.killed()


def resume(folder: Path, device: torch.device, facts: dict) -> None:
    """A run that is killed in the middle of an epoch and started again gives the bytes of one that was not."""
    scale, side = scale_for(device), scale_for(device).sides[0]
    images = write_images(folder / "images", side, IMAGES)
    for model in scale.models:
        definition = definition_of(model, side)
        with jobs(images, device, definition) as start:
            job = start(folder / model, hold=STEPS + 2)
            whole = make_run(images, folder / f"{model}_whole" / "state", device, definition, {})
            _, expected = finished(whole, folder / f"{model}_whole")
            job.held()
            saved = folder / model / "state" / "epoch_000001.json"
            job.awaited(saved.exists, "state of epoch 1")
            job.killed()
            job = start(folder / model)
            job.ended()
            said = job.said()
        require("resuming after epoch 1" in said, f"{model}: it did not resume: {said[-300:]}")
        wrong = differing(expected, results_of(folder / model))
        facts[model] = {"differing": wrong}
        require(not wrong, f"{model}: other bytes after SIGKILL in {', '.join(wrong)}")


def sharing(folder: Path, device: torch.device, facts: dict) -> None:
    """Two jobs train on one GPU at once, a third waits, and gets the place of one that is killed."""
    side, model = scale_for(device).sides[0], scale_for(device).models[0]
    images, definition = (
        write_images(folder / "images", side, IMAGES),
        definition_of(model, side),
    )
    gpu = uuid_of(device, facts)
    environment = {"WORKFLOW_GPUS": gpu, "WORKFLOW_RUNS_PER_GPU": "2"}
    waiting = "taken by other jobs; waiting for one"
    try:
        with jobs(images, device, definition) as start:
            both = [start(folder / name, hold=2, **environment) for name in ("first", "second")]
            for job in both:
                job.held()
            third = start(folder / "third", **environment)
            third.awaited(lambda: waiting in third.said(), "word that it waits")
            both[0].killed()
            third.ended()
        said = third.said()
    finally:
        if device.type == "cpu":
            for lock in FOLDER.glob(f"{gpu}.*"):
                lock.unlink()
    if device.type == "cuda":
        require("share 0.5" in said, f"a job may not take half of the memory: {said[-300:]}")
    alone = make_run(images, folder / "state", device, definition, {})
    _, expected = finished(alone, folder / "alone")
    facts["differing_from_a_run_alone"] = differing(expected, results_of(folder / "third"))


def uuid_of(device: torch.device, facts: dict) -> str:
    """Return the GPU's UUID as torch says it, which the workflow must have found in the driver's listing, too."""
    if device.type == "cpu":
        return f"GPU-made-up-{os.getpid()}"
    gpu = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
    os.environ.pop(VISIBLE, None)  # one GPU that is chosen by it is locked by nobody
    facts.update(gpu=gpu, listed=list(gpus_for("cuda", 2).taken))
    require(gpu in facts["listed"], f"nvidia-smi -L lists {facts['listed']}, and torch sees {gpu}")
    return gpu
