"""What a file of weights holds, read without running code: maps of tensors, however they are wrapped.

Which of several maps is taken follows timm's loader: averaged weights (EMA) first, then `state_dict`, then
`model`. What frameworks wrap around a model or its names is no part of it.
"""

import argparse
import pathlib
import pickle
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from timm.models import clean_state_dict
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from retention.common.errors import UserError
from retention.common.lists import listed
from retention.training.weight_advice import file_in

Tensors = dict[str, torch.Tensor]

# timm's order; what these do not name follows in the file's own order.
PREFERRED = ("state_dict_ema", "model_ema", "state_dict", "model")
AVERAGED = {"ema", "swa", "teacher"}  # words in the names of weights that are a mean of others
# Keys of what has tensors by the model's names and is none: moments, gradients.
NO_MODEL = re.compile(
    r"(optimi[sz]ers?|optim|opt)(_.*)?|exp_avg.*|(.*_)?grads?|fisher|momentum_buffer", re.I
)
# Around modules anywhere in the model: torch.compile, FSDP, activation checkpoints.
WRAPPERS = ("_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.")
# Usual beside the tensors, and harmless to build: options, paths, numbers.
HARMLESS = [
    argparse.Namespace,
    pathlib.PosixPath,
    pathlib.PurePosixPath,
    np.dtype,
    np._core.multiarray.scalar,  # type: ignore[attr-defined]  # pickles name it, numpy's stubs do not
    *(type(np.dtype(kind)) for kind in ("f2", "f4", "f8", "i4", "i8", "?")),
]
COUNTER = "n_averaged"  # beside the model in torch's AveragedModel
DEPTH = 4  # of maps in maps


@dataclass(frozen=True)
class Candidate:
    """Tensors of a file that may be a model's.

    place: the keys that lead to them. prefix: what their names began with there.
    """

    place: tuple[str, ...]
    prefix: str
    tensors: Tensors

    @property
    def key(self) -> str:
        """Return the key of the map that they are in, "" for the whole file."""
        return ".".join(self.place)

    @property
    def name(self) -> str:
        """Return what a configuration calls them and no others: the map's key, then the prefix."""
        return ".".join(filter(None, (self.key, self.prefix.removesuffix("."))))

    def distance(self, key: str) -> int | None:
        """Return how far a configuration's key is from naming them: 0 by map, 1 by name, 2 by its start; else None."""
        if key == self.key:
            return 0
        names = self.name, self.prefix.removesuffix(".")
        if key in names:
            return 1
        return 2 if key and any(name.startswith(f"{key}.") for name in names) else None

    @property
    def words(self) -> str:
        """Return where in the file they are, "" for all of it."""
        place = f"'{self.key}'" if self.place else ""
        under = f"names that begin with '{self.prefix}'" if self.prefix else ""
        return ", ".join(filter(None, (place, under)))

    @property
    def rank(self) -> tuple[bool, int]:
        """Return their place in the order of preference: averaged ones first, then as timm has it."""
        parts = [*self.place, *self.prefix.split(".")]
        averaged = any(AVERAGED & {*part.lower().split("_")} for part in parts)
        known = [PREFERRED.index(part) for part in parts if part in PREFERRED]
        return not averaged, min(known, default=len(PREFERRED))


def read_weights(path: str | Path) -> Any:
    """Read a safetensors file, or one of torch's without running code, whatever it holds and is called.

    Raises `UserError` when the file is missing, damaged, or could only be read by running its code.
    """
    path = Path(path)
    require_content(path)
    if _is_safetensors(path):
        return _read_safetensors(path)
    try:
        with (
            safe_globals(HARMLESS),
            open(path, "rb") as stream,
        ):  # of a name torch takes the suffix, too
            return torch.load(stream, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load raises half a dozen kinds, pickle's among them
        if not _needs_code(path, error):
            raise UserError(
                f"weights: {path} is no whole torch file (cut short, or of another kind?); fetch it again"
            ) from error
        raise UserError(
            f"weights: {path} cannot be read without running code{_what_needs_it(path)}; where you trust "
            "the file, load it with torch.load(…, weights_only=False) and save its state_dict alone"
        ) from error


def require_content(path: Path) -> None:
    """Raise `UserError` where a file is missing or empty, or stands where a download should: a pointer, a page."""
    if path.is_dir():
        raise UserError(f"weights: {path} is a folder; {file_in(path)}")
    if not path.is_file():
        raise UserError(f"weights: {path} is not there; fetch it or correct its path")
    with open(path, "rb") as stream:
        start = stream.read(1024).lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if not start:
        raise UserError(f"weights: {path} is empty; fetch it again")
    if start.startswith(b"version https://git-lfs"):
        raise UserError(
            f"weights: {path} is a Git-LFS pointer, not the file that it points to; fetch that with git lfs pull"
        )
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise UserError(
            f"weights: {path} is a page of a web site, no weights; download the file itself"
        )


def candidates(content: Any, wanted: Iterable[str]) -> list[Candidate]:
    """Return what in a file's content may be the tensors called `wanted`, the preferred first."""
    wanted = set(wanted)
    found = [
        Candidate(place, prefix, _under(prefix, tensors))
        for place, tensors in _maps(content)
        for prefix in _prefixes(tensors, wanted)
    ]
    return sorted(found, key=lambda candidate: candidate.rank)


def keys_in(content: Any) -> str:
    """Return the keys of a file's content in words, ten at most."""
    if not isinstance(content, Mapping):
        return type(content).__name__
    return listed(map(str, content)) or "nothing"


def _maps(content: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Tensors]]:
    """Yield every map of names to tensors in a content, with the keys that lead to it."""
    if not isinstance(content, Mapping) or not all(isinstance(key, str) for key in content):
        return
    tensors = {key: value for key, value in content.items() if torch.is_tensor(value)}
    if tensors:
        named = clean_state_dict({_unwrapped(key): value for key, value in tensors.items()})
        yield place, {name: value for name, value in named.items() if name != COUNTER}
    for key, value in content.items() if len(place) < DEPTH else ():
        if not NO_MODEL.fullmatch(key):
            yield from _maps(value, (*place, key))


def _unwrapped(name: str) -> str:
    for wrapper in WRAPPERS:
        name = name.replace(wrapper, "")
    return name


def _prefixes(names: Iterable[str], wanted: set[str]) -> list[str]:
    """Return what may stand before a model's names: nothing, and what half of them or more have.

    Either they become wanted ones without it, or most of the file begins with it.
    """
    names = list(names)
    of_wanted, of_file = Counter[str](), Counter[str]()
    for name in names:
        ends = [0, *(place + 1 for place, letter in enumerate(name) if letter == ".")]
        of_wanted.update(name[:end] for end in ends if name[end:] in wanted)
        of_file.update(name[:end] for end in ends[:3])
    found = [prefix for prefix, count in of_wanted.items() if 2 * count >= len(wanted)]
    found += [prefix for prefix, count in of_file.most_common() if 2 * count >= len(names)]
    return [*dict.fromkeys(["", *found])]


def _under(prefix: str, tensors: Tensors) -> Tensors:
    return {
        name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)
    }


def _is_safetensors(path: Path) -> bool:
    """Return whether a file begins as safetensors do: the length of a header in JSON, then this."""
    with open(path, "rb") as stream:
        start = stream.read(9)
    torchs = start.startswith(b"PK") or start[:1] == pickle.PROTO
    return start[8:] == b"{" or (path.suffix.lower() == ".safetensors" and not torchs)


def _read_safetensors(path: Path) -> Tensors:
    try:
        return load_file(path)
    except (SafetensorError, ValueError, OSError, RuntimeError) as error:
        text = " ".join(str(error).split())
        raise UserError(
            f"weights: {path} is not a whole safetensors file ({text}); fetch it again"
        ) from error


def _needs_code(path: Path, error: Exception) -> bool:
    """Return whether torch refused a whole file of its own for what it would run, by its error."""
    if zipfile.is_zipfile(path):
        return _holds_a_whole_pickle(path)
    with open(path, "rb") as stream:  # torch before 1.6 wrote pickles
        return stream.read(1) == pickle.PROTO and "global" in str(error).lower()


def _holds_a_whole_pickle(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            pickles = [name for name in archive.namelist() if name.endswith("data.pkl")]
            return bool([archive.read(name) for name in pickles])  # held against their checksums
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError):
        return False


def _what_needs_it(path: Path) -> str:
    """Say which classes a file would make, where torch can tell."""
    try:
        classes = get_unsafe_globals_in_checkpoint(path)
    except Exception:  # no zip file of torch's
        return ""
    return f" (it holds {listed(sorted(classes))})" if classes else ""
