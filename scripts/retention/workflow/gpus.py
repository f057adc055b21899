"""The GPUs of a workstation, as NVIDIA's driver lists them before any job starts; torch is not imported."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from retention.common.errors import UserError
from retention.common.schemas import read_schema

VISIBLE = "CUDA_VISIBLE_DEVICES"
ANSWER_SECONDS = 60  # a driver that keeps no state between its users takes seconds for each GPU
# There where a GPU is that nvidia-smi does not list: AMD's, which torch calls cuda as well, or NVIDIA's in a container without it.
UNLISTED = (Path("/dev/kfd"), Path("/dev/nvidiactl"))
# GPU 0: NVIDIA A100 (UUID: GPU-5c89…), and below it   MIG 1g.5gb     Device  0: (UUID: MIG-83a1…)
LISTED = re.compile(r"^\s*(GPU|MIG) .*\(UUID: ([^)]+)\)", re.MULTILINE)


@dataclass(frozen=True)
class Gpus:
    """What training jobs share.

    slots: how many jobs train at once, 0 where the cores alone decide. taken: UUIDs of the GPUs of which
    each job takes one; chosen: that of the one that is for all of them, as far as it is known. runs_per_gpu: how many jobs
    share one. auto: the kind of device that this counts on where `auto` is asked for, "" where nothing is known.
    """

    slots: int = 0
    taken: tuple[str, ...] = ()
    runs_per_gpu: int = 1
    chosen: str = ""
    auto: str = ""

    def variables(self) -> dict[str, str]:
        """Return what the environment of a job says of them; see `retention.training.device`."""
        return {
            "WORKFLOW_GPUS": " ".join(self.taken),
            "WORKFLOW_GPU": self.chosen,
            "WORKFLOW_AUTO": self.auto,
            "WORKFLOW_RUNS_PER_GPU": str(self.runs_per_gpu),
        }


def taken_out(config: MutableMapping, name: str) -> Any:
    """Take an option such as `runs_per_gpu` out of a study's configuration, which then is no parameter of any job.

    Returns its value, or its default.
    """
    return config.pop(name, read_schema("config")["properties"][name]["default"])


def gpus_for(device: str, runs_per_gpu: int) -> Gpus:
    """Return what the training jobs of a workstation share when they train on `device`.

    Raises `UserError` where the driver lists no GPU that `device` means.
    """
    if device == "cpu":
        return Gpus()
    wanted = os.environ.get(VISIBLE)
    hidden = wanted is not None and wanted.split(",")[0].strip() in ("", "-1")
    cards = () if hidden else _cards()
    if cards is None:
        return Gpus(slots=1)
    visible = within(cards, wanted)
    if device == "auto" and not visible:
        if not hidden and not cards:
            _tell_of_unlisted()
        return Gpus(auto="cpu")
    if cards or hidden:
        _require(device, visible, wanted)
    number = int(device.partition(":")[2] or 0)
    # Who names one GPU has chosen it: for all jobs of this Snakemake, beside those of others.
    if ":" in device or (wanted is not None and len(visible) == 1):
        chosen = visible[number] if visible else ""
        return Gpus(runs_per_gpu, (), runs_per_gpu, chosen, "cuda")
    # Without a listing (GPUs of another make, say) `cuda` is torch's first one, which jobs take in turn.
    return Gpus(max(len(visible), 1) * runs_per_gpu, visible, runs_per_gpu, auto="cuda")


def within(cards: Sequence[tuple[str, ...]], wanted: str | None) -> tuple[str, ...]:
    """Return the UUIDs that CUDA lets a process see where CUDA_VISIBLE_DEVICES is `wanted`, None where unset.

    cards: of each GPU its UUID, then those of its MIG instances. Entries are indices, UUIDs or their
    beginnings. CUDA stops at the first that names none, or is of another kind than the first; one that
    is named twice hides all. A GPU that is divided by MIG stands for its first instance.
    """
    if wanted is None:
        return tuple(uuid for card in cards for uuid in card[1:] or card)
    entries = [entry.strip() for entry in wanted.split(",")]
    found: list[str] = []
    for entry in entries:
        uuid = _named(cards, entry) if _kind(entry) == _kind(entries[0]) else None
        if uuid is None:
            break
        if uuid in found:
            return ()
        found.append(uuid)
    return tuple(found)


def _kind(entry: str) -> str:
    return "index" if entry.isdecimal() else entry[:3]


def _named(cards: Sequence[tuple[str, ...]], entry: str) -> str | None:
    if entry.isdecimal():
        named = [cards[int(entry)]] if int(entry) < len(cards) else []
    elif entry.startswith("MIG-"):
        named = [(uuid,) for card in cards for uuid in card[1:] if uuid.startswith(entry)]
    else:
        named = [card for card in cards if entry[:4] == "GPU-" and card[0].startswith(entry)]
    if len(named) != 1:
        return None
    uuid, *instances = named[0]
    return instances[0] if instances else uuid


def _require(device: str, visible: Sequence[str], wanted: str | None) -> None:
    """Raise `UserError` where `cuda` or `cuda:N` is none of the visible GPUs."""
    number = int(device.partition(":")[2] or 0)
    if device == "auto" or number < len(visible):
        return
    where = "" if wanted is None else f" within {VISIBLE}={wanted}"
    seen = {0: "no GPU", 1: "1 GPU, cuda:0"}
    raise UserError(
        f"device: is {device}, but this machine has "
        f"{seen.get(len(visible), f'{len(visible)} GPUs, cuda:0 to cuda:{len(visible) - 1}')}{where}; "
        "name one of them, or write auto"
    )


@cache  # the Snakefile may be read more than once
def _cards() -> tuple[tuple[str, ...], ...] | None:
    """Return of each GPU its UUID, then those of its MIG instances; None where the driver does not say.

    There are none where there is no driver, and where it fails, since CUDA then fails, too.
    """
    listing = _listing()
    if listing is None:
        return None
    cards: list[tuple[str, ...]] = []
    for kind, uuid in LISTED.findall(listing):
        if kind == "GPU":
            cards.append((uuid,))
        elif cards:
            cards[-1] += (uuid,)
    return tuple(cards)


def _listing() -> str | None:
    command = shutil.which("nvidia-smi")
    if command is None:
        return ""
    pipe = subprocess.PIPE
    try:
        driver = subprocess.Popen(
            [command, "-L"], stdout=pipe, stderr=pipe, text=True, errors="replace"
        )
    except OSError as error:
        _warn(f"cannot be run ({error.strerror}); no GPU is counted")
        return ""
    try:
        listed, complaint = driver.communicate(timeout=ANSWER_SECONDS)
    except subprocess.TimeoutExpired:
        driver.kill()  # and not waited for: one that hangs in the driver does not end
        _warn(f"gave no answer in {ANSWER_SECONDS} s; one run trains at a time")
        return None
    if driver.returncode:
        reason = " ".join((listed + complaint).split()) or f"exit code {driver.returncode}"
        counted = "the GPUs that it lists are" if LISTED.search(listed) else "no GPU is"
        _warn(f"fails ({reason}); {counted} counted")
    return listed


def _tell_of_unlisted() -> None:
    if any(path.exists() for path in UNLISTED):
        print(
            "warning: device auto trains on the CPU, as nvidia-smi lists no GPU; where torch sees one all the same, "
            "device: cuda trains on it, one run at a time",
            file=sys.stderr,
        )


def _warn(what: str) -> None:
    print(f"warning: nvidia-smi -L {what}", file=sys.stderr)
