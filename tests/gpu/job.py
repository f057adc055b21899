"""A training job of its own process, as the workflow starts it: it takes its GPU, trains, writes its results.

    python job.py IMAGES FOLDER DEVICE SPECIFICATION

SPECIFICATION is JSON: `definition`, `changes` of the recipe, and `hold`, the step after which the job makes
the file `held` and stands still until it is killed (0: never).
"""

import json
import signal
import sys
from itertools import count
from pathlib import Path

import torch
from made_up import finished, make_run

from retention.training import device as devices


def main(images: Path, folder: Path, kind: str, specification: str) -> None:
    """Train the run."""
    asked = json.loads(specification)
    if kind == "cpu":  # a dry run: the locks are real, the GPU is not
        devices.choose_device = lambda name: torch.device("cpu")
    with devices.taken_device("cuda") as device:
        given = asked["definition"], asked["changes"]
        run = make_run(images, folder / "state", device, *given)
        if asked["hold"]:
            hold(run.learner.stepper.optimizer, asked["hold"], folder / "held")
        finished(run, folder)
        if device.type == "cuda":
            print("share", torch.cuda.get_per_process_memory_fraction(), flush=True)


def hold(optimizer: torch.optim.Optimizer, step: int, sign: Path) -> None:
    """Stand still after a step, with a sign that says so."""
    steps = count(1)

    def after_step(*_) -> None:
        if next(steps) == step:
            sign.touch()
            signal.pause()

    optimizer.register_step_post_hook(after_step)


if __name__ == "__main__":
    images, folder, kind, specification = sys.argv[1:]
    main(Path(images), Path(folder), kind, specification)
