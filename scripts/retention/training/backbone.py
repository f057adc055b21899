"""A backbone's weights brought from a file into a model, as timm brings them."""

import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from timm.layers import resample_abs_pos_embed
from torch import nn

from retention.common.errors import UserError
from retention.common.lists import SHOWN, listed
from retention.training.models import head_names, head_parameters, is_head_key, plain_copy
from retention.training.progress import say
from retention.training.weight_advice import advice
from retention.training.weight_files import (
    Candidate,
    Tensors,
    candidates,
    keys_in,
    read_weights,
    require_content,
)

# Of masked pretraining, beside the encoder: no classifier has them.
PRETRAINING = re.compile(r"mask_token$|decoder[._]")
COUNTS = "num_batches_tracked"  # old files lack them, and no momentum that is a number uses them
NUMPY = (".npz", ".npy")  # as the JAX models are published


def load_backbone(model: nn.Module, path: str | Path, key: str | None = None) -> str:
    """Load everything but the head from a file of weights into the model, in place.

    Of several maps of tensors the one that timm would take is taken, or the one called `key`, which may also
    name what the tensors' names begin with. Position embeddings of another image size are resampled, as timm does
    it; tensors that do not fit then are brought to the model as timm brings those of the hub. Returns which of several
    maps was taken, in words, "" where the file holds one. Raises `UserError` that lists what is missing, unexpected, of
    another shape or no number.
    """
    if Path(path).suffix.lower() in NUMPY:
        _load_numpy(model, path)
        return ""
    content = read_weights(path)
    wanted = _without_heads(model.state_dict(), model)
    found = candidates(content, wanted)
    if not found:
        raise UserError(f"weights: {path} holds no tensors by name; it holds {keys_in(content)}")
    tried: list[Candidate] = []
    broken: list[str] = []
    for candidate in _called(key, found, wanted, path):
        brought, how = _brought(candidate, model, wanted)
        fits = not _faults(brought, wanted)
        diverged = _not_finite(brought) if fits else []
        if fits and not diverged:
            model.load_state_dict(brought, strict=False)
            others = [c for c in found if c is not candidate and _fits(c, model, wanted)]
            before = [c for c in tried if _alike(c, candidate)]
            return _told(path, candidate, how, others, before)
        tried.append(candidate)
        broken += diverged
    if broken:
        raise UserError(
            f"weights: {path} holds values that are infinite or no numbers ({listed(broken)}): its training went wrong; "
            "take the weights of an earlier epoch"
        )
    raise UserError(_refusal(path, tried, model, wanted))


def _called(
    key: str | None, found: list[Candidate], wanted: Mapping, path: str | Path
) -> list[Candidate]:
    """Return the candidates of a key, all for none; raise `UserError` where none is called so."""
    if key is None:
        return found
    near = [(far, c) for c in found if (far := c.distance(key)) is not None]
    if near:
        return [candidate for _, candidate in sorted(near, key=lambda entry: entry[0])]
    like = [c for c in found if not c.prefix or wanted.keys() & c.tensors.keys()]
    there = listed(dict.fromkeys(candidate.name for candidate in like if candidate.name))
    remedy = f"it has them under {there}" if there else "they have no key, leave it out"
    raise UserError(f"weights: {path} has no tensors under the key '{key}'; {remedy}")


def _brought(candidate: Candidate, model: nn.Module, wanted: Mapping) -> tuple[Tensors, list[str]]:
    """Return a candidate's tensors as they would enter the model, and what was done to them, in words."""
    given = _without_heads(candidate.tensors, model)
    beside = [name for name in given if PRETRAINING.match(name) and name not in wanted]
    told = [f"has a pretraining's {listed(beside)}; passed over"] if beside else []
    given = {name: given[name] for name in given if name not in beside}
    _resample_positions(model, given, wanted)
    faults = _faults(given, wanted)
    if not faults:
        return given, told
    adapted = _without_heads(_as_from_the_hub(candidate.tensors, model), model)
    given = {name: adapted[name] for name in adapted if name not in beside}
    return given, [*told, f"did not fit as they are ({'; '.join(faults)}); adapted by timm"]


def _fits(candidate: Candidate, model: nn.Module, wanted: Mapping) -> bool:
    # most maps of a file have no name in common with the model: nothing is tried with these
    known = wanted.keys() & candidate.tensors.keys()
    return bool(known) and not _faults(_brought(candidate, model, wanted)[0], wanted)


def _alike(one: Candidate, other: Candidate) -> bool:
    return 2 * len(one.tensors.keys() & other.tensors.keys()) > len(other.tensors)


def _not_finite(tensors: Tensors) -> list[str]:
    """Return the names of tensors with values that are infinite or no numbers."""
    # of floats of 8 bits torch does not tell
    return [name for name, values in tensors.items() if not values.float().isfinite().all()]


def _told(
    path: str | Path,
    taken: Candidate,
    how: Iterable[str],
    others: Sequence[Candidate],
    before: Sequence[Candidate],
) -> str:
    """Say what was taken, where it is not the file as it is; return it where there are others that fit.

    before: like it and preferred, had they not lacked something.
    """
    for words in how:
        say(f"weights: {path} {words}")
    if taken.words:
        names = listed(other.words or "those without a key" for other in others)
        keys = " or ".join(other.name or "''" for other in others[:SHOWN])
        also = (
            f"; {names} would fit too (weights: {{file: …, key: {keys}}} chooses)" if others else ""
        )
        lacking = f"; {listed(other.words for other in before)} would come first, and does not fit"
        say(f"weights: taken from {path}: {taken.words}{also}{lacking if before else ''}")
    return taken.words if others else ""


def _refusal(
    path: str | Path, tried: Iterable[Candidate], model: nn.Module, wanted: Mapping
) -> str:
    """Return the line about a file none of whose maps fits, by the one that comes nearest."""
    given = [replace(c, tensors=_without_heads(c.tensors, model)) for c in tried]
    nearest = min(given, key=lambda c: len(_missing(c.tensors, wanted)))
    where = f", {nearest.words}," if nearest.words else ""
    names, missing = nearest.tensors.keys(), _missing(nearest.tensors, wanted)
    way_out = advice(
        Path(path),
        names,
        missing,
        bool(names - wanted.keys()),
        bool(_misshapen(nearest.tensors, wanted)),
        dict(model.named_buffers()).keys(),
    )
    faults = "; ".join(_faults(nearest.tensors, wanted))
    return f"weights: {path}{where} do not fit the model ({faults}); {way_out}"


def _without_heads(tensors: Mapping, model: nn.Module) -> Tensors:
    heads = head_names(model)
    return {key: value for key, value in tensors.items() if not is_head_key(key, heads)}


def _missing(given: Mapping, wanted: Mapping) -> list[str]:
    return [key for key in wanted if key not in given and not key.endswith(COUNTS)]


def _faults(given: Mapping, wanted: Mapping) -> list[str]:
    """Return what is missing, unexpected and of another shape, a line of each that there is."""
    kinds = {
        "missing": _missing(given, wanted),
        "unexpected": [key for key in given if key not in wanted],
        "other shape": _misshapen(given, wanted),
    }
    return [f"{len(names)} {kind}: {listed(names)}" for kind, names in kinds.items() if names]


def _misshapen(given: Mapping, wanted: Mapping) -> list[str]:
    return [
        f"{key} {list(given[key].shape)} instead of {list(wanted[key].shape)}"
        for key in wanted
        if key in given and given[key].shape != wanted[key].shape
    ]


def _as_from_the_hub(given: Mapping, model: nn.Module) -> Mapping:
    """Return tensors as timm brings files of the hub to a model: renamed, resampled, or as they are.

    timm has such a function, of this name, for each family whose files need one.
    """
    bring = getattr(sys.modules[type(model).__module__], "checkpoint_filter_fn", None)
    if bring is None:
        return given
    try:
        return bring(dict(given), model)
    except Exception:  # it was written for files of this family, and this is another's
        return given


def _resample_positions(model: nn.Module, given: Tensors, wanted: Mapping) -> None:
    """Bring `pos_embed` to the model's grid of patches, in place, where it has another one."""
    key = "pos_embed"
    if key not in given or key not in wanted or given[key].shape == wanted[key].shape:
        return
    grid = getattr(getattr(model, "patch_embed", None), "grid_size", None)
    if grid is None or given[key].shape[-1] != wanted[key].shape[-1]:
        return  # load_backbone explains the shapes
    prefix = wanted[key].shape[1] - grid[0] * grid[1]
    side = math.isqrt(given[key].shape[1] - prefix)
    if side * side != given[key].shape[1] - prefix:
        return
    given[key] = resample_abs_pos_embed(given[key], new_size=list(grid), num_prefix_tokens=prefix)


def _load_numpy(model: nn.Module, path: str | Path) -> None:
    """Load an archive of numpy arrays by the model's own function, and leave the head as it was."""
    require_content(Path(path))
    head = head_parameters(model)
    kept = [plain_copy(parameter) for parameter in head]
    try:
        model.load_pretrained(str(path))
    except Exception as error:  # whatever the family's function meets in another's file
        text = " ".join(str(error).split()) or type(error).__name__
        raise UserError(
            f"weights: {path} cannot be loaded into this model ({text}); timm reads .npz files of the "
            "JAX models for their own families alone"
        ) from error
    for parameter, values in zip(head, kept, strict=True):
        parameter.data.copy_(values)
