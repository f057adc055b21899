"""The device that a job trains on, chosen before CUDA starts."""

import argparse
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from retention.common.errors import UserError
from retention.training.gpu_locks import taken
from retention.training.models import choose_device

VISIBLE = "CUDA_VISIBLE_DEVICES"
# Said by the workflow, and no options: how a machine is shared is no part of a job.
GPUS, RUNS_PER_GPU = "WORKFLOW_GPUS", "WORKFLOW_RUNS_PER_GPU"
ON_OTHER_DEVICE = "WORKFLOW_ON_OTHER_DEVICE"
KNOWN = re.compile(r"auto|cpu|cuda(:\d+)?")


@contextmanager
def taken_device(name: str) -> Iterator[torch.device]:
    """Yield the device called `name` and hold it: one of WORKFLOW_GPUS (UUIDs, blanks between them), and CUDA sees no other.

    `cuda:1` is the second GPU of those that CUDA may see. Where WORKFLOW_GPUS names none, as for a command by
    hand and a cluster's job, nothing is locked. Raises `UserError` for a name that is unknown, for a GPU
    that is not there, and as `gpu_locks.taken` does.
    """
    if not KNOWN.fullmatch(name):
        raise UserError(f"device '{name}' is unknown; use auto, cpu, cuda or cuda:N")
    gpus = os.environ.get(GPUS, "").split()
    if name in ("auto", "cuda") and gpus:
        with taken(gpus, _runs_per_gpu()) as gpu:
            os.environ[VISIBLE] = gpu
            yield _within_share(choose_device(name))
    else:
        yield _within_share(_numbered(name) if ":" in name else choose_device(name))


def add_on_other_device(parser: argparse.ArgumentParser) -> None:
    """Let a command take what a half-trained training does on another device; the workflow says it by a variable."""
    parser.add_argument(
        "--on-other-device",
        choices=("go_on", "stop"),
        default=os.environ.get(ON_OTHER_DEVICE, "go_on"),
        help="what a half-trained run does on another model of GPU or CPU than it was begun on",
    )


def memory_share() -> float:
    """Return the share of a GPU's memory that a job may take."""
    return 1 / _runs_per_gpu()


def _numbered(name: str) -> torch.device:
    """Return one GPU, all others hidden from CUDA, which has not started: so each part of torch uses that one."""
    number, visible = int(name.partition(":")[2]), os.environ.get(VISIBLE)
    entries = [str(number)] if visible is None else visible.split(",")[number : number + 1]
    # As nvidia-smi and the workflow count; CUDA alone would put the fastest first.
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    os.environ[VISIBLE] = "".join(entries)
    if not torch.cuda.is_available():
        where = "" if visible is None else f" within {VISIBLE}={visible}"
        raise UserError(
            f"device '{name}' was asked for, but torch sees no such GPU{where}; use a lower number, auto or cpu"
        )
    return torch.device("cuda")


def _within_share(device: torch.device) -> torch.device:
    if device.type == "cuda" and _runs_per_gpu() > 1:
        torch.cuda.set_per_process_memory_fraction(memory_share())
    return device


def _runs_per_gpu() -> int:
    return int(os.environ.get(RUNS_PER_GPU, "1"))
