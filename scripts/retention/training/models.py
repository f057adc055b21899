"""Any timm model by name, its head replaced, its tensors written."""

import difflib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import nn

from retention.common.errors import UserError
from retention.common.files import atomic_path
from retention.common.lists import listed


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
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f"device '{name}' is unknown; use auto, cpu or cuda") from error
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise UserError(
                f"device '{name}' was asked for, but torch sees no GPU; use auto or cpu"
            )
        _require_known(device)
    return device


def _require_known(device: torch.device) -> None:
    """Raise `UserError` for a GPU that is older than what this torch is compiled for: every kernel would fail."""
    compiled = [int(arch[3:]) for arch in torch.cuda.get_arch_list() if arch[3:].isdecimal()]
    major, minor = torch.cuda.get_device_capability(device)
    if compiled and 10 * major + minor < min(compiled):
        oldest = divmod(min(compiled), 10)
        raise UserError(
            f"device: {torch.cuda.get_device_name(device)} has compute capability {major}.{minor}, and torch "
            f"{torch.__version__} needs {oldest[0]}.{oldest[1]} or newer; use device cpu, or a torch that was built for "
            "an older CUDA (docs/software.md)"
        )


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
    """Turn a model's refusal of the size of its first images into one line.

    Any other error, as a driver's, stays what it is: a model without values refuses the size alone.
    """
    try:
        yield
    except (AssertionError, RuntimeError) as error:
        refusal = _refusal_of_size(definition)
        if not refusal:
            raise
        raise UserError(
            f"architecture {definition['timm']}: does not take images of {definition['image_size']} "
            f"pixels ({refusal}); correct image_size, or build the model for it: model_kwargs: "
            f"{{img_size: {definition['image_size']}}}, where it has this argument"
        ) from error


def _refusal_of_size(definition: Mapping) -> str:
    """Return what a model says of two images of its definition's size where no number is computed, "" for nothing."""
    side = definition["image_size"]
    model = build_model(definition, 2).to("meta")
    try:
        model(torch.zeros(2, 3, side, side, device="meta"))
    except (AssertionError, RuntimeError) as error:
        return " ".join(str(error).split())
    return ""


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
        tags = listed(tags_of(name)) or "none"
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
