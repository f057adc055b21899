"""Any timm model by name, its head replaced, its backbone loaded without running code."""

import difflib
import json
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from timm.layers import resample_abs_pos_embed
from torch import nn

from retention.common.errors import UserError
from retention.common.files import atomic_path
from retention.training.machine import is_out_of_memory
from retention.training.progress import say


@dataclass(frozen=True)
class Normalisation:
    """The channel means and deviations, on the scale 0 to 1, that a backbone was trained with."""

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def choose_device(name: str) -> torch.device:
    """Return the device called `name`; `auto` is the GPU where there is one, else the CPU.

    Raises `UserError` for a name torch does not know and for a GPU that is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f"device '{name}' is unknown; use auto, cpu or cuda") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UserError(f"device '{name}' was asked for, but torch sees no GPU; use auto or cpu")
    return device


def build_model(definition: Mapping, classes: int, pretrained: bool = False) -> nn.Module:
    """Create the timm model of an architecture definition with a new head for `classes` classes.

    Its initial values come from torch's global generator: seed it first. `classes=0` keeps the
    model's own head. Raises `UserError` for an unknown name (with the nearest ones) and for
    `model_kwargs` that the model does not take.
    """
    name, keywords = definition["timm"], dict(definition.get("model_kwargs") or {})
    _check_name(name)
    if keywords.get("in_chans", 3) != 3:
        raise UserError(f"architecture {name}: model_kwargs.in_chans must be 3, images are RGB")
    if classes:
        keywords["num_classes"] = classes
    if pretrained:  # what fails now is the hub, and the caller's to explain
        return timm.create_model(name, pretrained=True, **keywords)
    try:
        return timm.create_model(name, **keywords)
    except (TypeError, ValueError, AssertionError, RuntimeError) as error:
        text = " ".join(str(error).split())
        raise UserError(
            f"architecture {name}: cannot be built with model_kwargs {keywords}: {text}"
        ) from error


@contextmanager
def image_size_explained(definition: Mapping) -> Iterator[None]:
    """Turn a model's refusal of the size of its first images into one line."""
    try:
        yield
    except (AssertionError, RuntimeError) as error:
        if is_out_of_memory(error) or isinstance(error, torch.AcceleratorError):
            raise
        text = " ".join(str(error).split())
        raise UserError(
            f"architecture {definition['timm']}: does not take images of {definition['image_size']} "
            f"pixels ({text}); correct image_size, or build the model for it: model_kwargs: "
            f"{{img_size: {definition['image_size']}}}, where it has this argument"
        ) from error


def tags_of(name: str) -> list[str]:
    """Return the names, each with its tag, of the pretrained weights that timm lists for a model."""
    return timm.list_pretrained(f"{name.split('.')[0]}.*")


def _check_name(name: str) -> None:
    here = f"timm {timm.__version__}"
    if not timm.is_model(name):
        nearest = difflib.get_close_matches(name.split(".")[0], timm.list_models(), n=3, cutoff=0.4)
        hint = f"; did you mean {', '.join(nearest)}?" if nearest else ""
        raise UserError(f"architecture: {here} has no model '{name}'{hint}")
    if "." in name and name not in tags_of(name):
        tags = ", ".join(tags_of(name)) or "none"
        raise UserError(f"architecture: {here} has no '{name}'; weights of this model: {tags}")


def normalisation_of(model: nn.Module, definition: Mapping) -> Normalisation:
    """Return the definition's `normalisation`, else that of the model's pretrained configuration."""
    found = definition.get("normalisation") or timm.data.resolve_model_data_config(model)
    return Normalisation(tuple(found["mean"]), tuple(found["std"]))


def head_names(model: nn.Module) -> tuple[str, ...]:
    """Return the dotted names of the model's classifier modules, as timm registers them."""
    classifier = model.get_classifier()
    heads = classifier if isinstance(classifier, (tuple, list, nn.ModuleList)) else [classifier]
    names = {id(module): name for name, module in model.named_modules()}
    return tuple(names[id(head)] for head in heads if id(head) in names)


def is_head_key(key: str, heads: tuple[str, ...]) -> bool:
    """Tell whether a parameter's dotted name lies in one of the head modules."""
    return any(key.startswith(f"{head}.") for head in heads)


def head_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters of the head, in the model's order."""
    heads = head_names(model)
    return [value for name, value in model.named_parameters() if is_head_key(name, heads)]


def freeze_backbone(model: nn.Module) -> None:
    """Let only the head learn: no gradients elsewhere, and no running statistics that move."""
    heads = head_names(model)
    model.eval()
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(is_head_key(name, heads))


def unfreeze(model: nn.Module) -> None:
    """Let every parameter learn again."""
    for parameter in model.parameters():
        parameter.requires_grad_(True)


def read_weights(path: str | Path) -> dict[str, torch.Tensor]:
    """Read tensors by name from a .safetensors file, or a .pth/.pt/.bin one without running code.

    Raises `UserError` when the file is missing, damaged or holds anything but tensors.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"weights: {path} is not there; fetch it or correct its path")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise UserError(f"weights: {path} is not a whole safetensors file ({error})") from error
    except Exception as error:  # torch.load raises half a dozen kinds, pickle's among them
        raise UserError(
            f"weights: {path} cannot be read without running code; save it as .safetensors"
        ) from error
    for key in ("model", "state_dict", "state_dict_ema"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not all(map(torch.is_tensor, content.values())):
        raise UserError(f"weights: {path} does not hold a map of names to tensors")
    return {key.removeprefix("module."): value for key, value in content.items()}


def load_backbone(model: nn.Module, path: str | Path) -> None:
    """Load everything but the head from a file of weights into the model, in place.

    Position embeddings of another image size are resampled, as timm does it; a file that does not
    fit then is brought to the model as timm brings one of the hub. Raises `UserError` that lists
    what is missing, unexpected or of another shape.
    """
    heads = head_names(model)
    wanted = _without_heads(model.state_dict(), heads)
    whole = read_weights(path)
    given = _without_heads(whole, heads)
    _resample_positions(model, given, wanted)
    if faults := _faults(given, wanted):
        given = _without_heads(_as_from_the_hub(whole, model), heads)
        if _faults(given, wanted):
            raise UserError(
                f"weights: {path} do not fit the model ({'; '.join(faults)}); "
                "check the architecture's `timm` name and `model_kwargs` against the file's"
            )
        say(f"weights: {path} did not fit as they are ({'; '.join(faults)}); adapted by timm")
    model.load_state_dict(given, strict=False)


def _without_heads(tensors: Mapping, heads: tuple[str, ...]) -> dict:
    return {key: value for key, value in tensors.items() if not is_head_key(key, heads)}


def _faults(given: Mapping, wanted: Mapping) -> list[str]:
    """Return what is missing, unexpected and of another shape, a line of each that there is."""
    lines = (
        _listed("missing", [key for key in wanted if key not in given]),
        _listed("unexpected", [key for key in given if key not in wanted]),
        _listed("other shape", _misshapen(given, wanted)),
    )
    return [line for line in lines if line]


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


def _resample_positions(model: nn.Module, given: dict, wanted: Mapping) -> None:
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


def save_weights(path: str | Path, model: nn.Module, metadata: Mapping[str, str]) -> None:
    """Write the whole model as safetensors; equal content, equal bytes.

    The metadata go under one key, as JSON: safetensors writes several in an order that varies.
    """
    tensors = {key: plain_copy(value) for key, value in model.state_dict().items()}
    with tensor_path(path) as temporary:
        save_file(tensors, temporary, metadata={"run": json.dumps(dict(metadata), sort_keys=True)})


@contextmanager
def tensor_path(path: str | Path) -> Iterator[Path]:
    """Yield what `atomic_path` does, for safetensors: its errors of a full disk are no `OSError`."""
    try:
        with atomic_path(path) as temporary:
            yield temporary
    except SafetensorError as error:
        raise UserError(f"{path}: cannot be written ({error})") from error


def plain_copy(tensor: torch.Tensor) -> torch.Tensor:
    """Return a contiguous copy on the CPU that shares no memory (tied weights would)."""
    return tensor.detach().to("cpu", copy=True).contiguous()


def _misshapen(given: Mapping, wanted: Mapping) -> list[str]:
    return [
        f"{key} {list(given[key].shape)} instead of {list(wanted[key].shape)}"
        for key in wanted
        if key in given and given[key].shape != wanted[key].shape
    ]


def _listed(kind: str, names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{len(names)} {kind}: {', '.join(names[:3])}{more}"
