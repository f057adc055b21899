"""What to do about a file of weights that does not fit a model, by what it is that does not fit."""

import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from retention.common.lists import listed

SUFFIXES = {".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".tar", ".npz"}

CHECK = "check the architecture's `timm` name and `model_kwargs` against the file's"
MORE = (
    "nothing is missing, the file has more than the model; give the `timm` name of the model that has it, or save the "
    "file without it"
)
AVERAGES = (
    "it has the parameters alone, as some averages of weights do, without the running means and variances; name "
    "another map of the file, or save the whole state_dict"
)
MERGE = "LoRA layers stand in it; merge them (merge_and_unload) and save the model again"
PART = re.compile(r"-(\d+)-of-(\d+)$")


def advice(
    path: Path,
    given: Iterable[str],
    missing: Sequence[str],
    others: bool,
    misshapen: bool,
    buffers: Collection[str],
) -> str:
    """Return what to do about a file that does not fit.

    given: the names in it; missing: those of the model's that it lacks; others, misshapen: whether it has tensors that the
    model has no place for, or of another shape; buffers: the model's names that no optimiser moves.
    """
    if part := PART.search(path.stem):
        return f"it is part {int(part[1])} of {int(part[2])} of the weights; save them as one file"
    if any("lora_" in name for name in given):
        return MERGE
    if missing and not misshapen and all(name in buffers for name in missing):
        return AVERAGES
    if others and not missing and not misshapen:
        return MORE
    return CHECK


def file_in(folder: Path) -> str:
    """Return what to name where a folder stands in the place of a file of weights."""
    found = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    return f"name a file in it: {listed(found)}" if found else "name a file of weights"
