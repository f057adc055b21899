"""The device that a job trains on, chosen before CUDA starts."""

import argparse
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from retention.common.errors import UserError
from retention.training.gpu_locks import taken
from retention.training.machine import runs_per_gpu
from retention.training.models import choose_device
from retention.training.progress import say

VISIBLE = "CUDA_VISIBLE_DEVICES"
# Said by the workflow, and no options: how a machine is shared is no part of a job.
GPUS, CHOSEN = "WORKFLOW_GPUS", "WORKFLOW_GPU"
AUTO = "WORKFLOW_AUTO"
ON_OTHER_DEVICE = "WORKFLOW_ON_OTHER_DEVICE"
KNOWN = re.compile(r"auto|cpu|cuda(:\d+)?")
CONTEXT_BYTES = 600 * 10**6  # that CUDA takes of a GPU for a process, beside its tensors


@contextmanager
def taken_device(name: str) -> Iterator[torch.device]:
    """Yield the device called `name` and hold it: one of WORKFLOW_GPUS (UUIDs, blanks between them), and CUDA sees no other.

    `cuda:1` is the second GPU of those that CUDA may see; its UUID is WORKFLOW_GPU, where the workflow knows it.
    Where WORKFLOW_GPUS names none, as for a command by hand and a cluster's job, nothing is locked. Raises
    `UserError` for a name that is unknown, for a GPU that is not there, and as `gpu_locks.taken` does.
    """
    if not KNOWN.fullmatch(name):
        raise UserError(f"device '{name}' is unknown; use auto, cpu, cuda or cuda:N")
    # As nvidia-smi and the workflow count; CUDA alone would put the fastest first.
    os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    gpus = os.environ.get(GPUS, "").split()
    if name in ("auto", "cuda") and gpus:
        with taken(gpus, runs_per_gpu()) as gpu:
            os.environ[VISIBLE] = gpu
            yield _within_share(_named(name))
    else:
        yield _within_share(_numbered(name) if ":" in name else _named(name))


def add_on_other_device(parser: argparse.ArgumentParser) -> None:
    """Let a command take what a half-trained training does on another device; the workflow says it by a variable."""
    parser.add_argument(
        "--on-other-device",
        choices=("go_on", "stop"),
        default=os.environ.get(ON_OTHER_DEVICE, "go_on"),
        help="what a half-trained run does on another model of GPU or CPU than it was begun on",
    )


def memory_share(total: int) -> float:
    """Return the share of a GPU of `total` bytes that a job's tensors may take: all jobs' shares and contexts fit together."""
    jobs = runs_per_gpu()
    return max(1 - jobs * CONTEXT_BYTES / total, 0.5) / jobs


def _named(name: str) -> torch.device:
    """Return the device of `auto`, `cpu` or `cuda`.

    WORKFLOW_AUTO says what the workflow counted on when it shared out the machine: `cpu` trains beside other
    jobs that take no GPU in turn, so `auto` keeps off any; `cuda` may turn out not to be there.
    """
    expected = os.environ.get(AUTO, "") if name == "auto" else ""
    if expected == "cpu":
        if torch.cuda.is_available():
            say(
                "warning: device auto is the CPU here, as nvidia-smi lists no GPU; torch sees "
                f"{torch.cuda.get_device_name(0)}: device cuda trains on it, one run at a time"
            )
        return torch.device("cpu")
    device = choose_device(name)
    if expected == "cuda" and device.type == "cpu":
        say(
            f"warning: a GPU was expected, and torch {torch.__version__} sees none; training on the CPU. Its "
            "driver may be too old for this torch"
        )
    return device


def _numbered(name: str) -> torch.device:
    """Return one GPU, all others hidden from CUDA, which has not started: so each part of torch uses that one."""
    number, visible = int(name.partition(":")[2]), os.environ.get(VISIBLE)
    entries = [str(number)] if visible is None else visible.split(",")[number : number + 1]
    os.environ[VISIBLE] = os.environ.get(CHOSEN) or "".join(entries)
    if not torch.cuda.is_available():
        where = "" if visible is None else f" within {VISIBLE}={visible}"
        raise UserError(
            f"device '{name}' was asked for, but torch sees no such GPU{where}; use a lower number, auto or cpu"
        )
    return choose_device("cuda")


def _within_share(device: torch.device) -> torch.device:
    if device.type == "cuda" and runs_per_gpu() > 1:
        total = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(memory_share(total))
    return device
