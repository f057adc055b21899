"""A model's layers from stem to head, as timm groups its parameters: their rates, and which of them learn."""

from collections.abc import Iterator
from typing import Literal

from timm.models import group_parameters
from torch import nn

from retention.common.errors import UserError
from retention.training.models import head_names, is_head_key

Trainable = Literal["all", "head"] | int  # how many of the last layers learn beside the head


def layers_of(model: nn.Module, option: str) -> dict[str, int]:
    """Return each parameter's layer by name: 0 is the stem's, the highest that of the head.

    option: what needs them. Raises `UserError` where timm tells of no layers of the model.
    """
    if not hasattr(model, "group_matcher"):
        raise UserError(
            f"{option}: timm tells of no layers of {type(model).__name__}; leave {option} out for it"
        )
    found = group_parameters(model, model.group_matcher(coarse=False), reverse=True)
    top = max(found.values())
    return {name: found.get(name, top) for name, _ in model.named_parameters()}


def rate_scales(model: nn.Module, decay: float) -> dict[str, float]:
    """Return what scales each parameter's learning rate, decay^(layers above it), by name.

    As timm's `param_groups_layer_decay` (Bao et al., BEiT, ICLR 2022).
    """
    if decay == 1:
        return {name: 1.0 for name, _ in model.named_parameters()}
    layers = layers_of(model, "layer_decay")
    top = max(layers.values())
    return {name: decay ** (top - layer) for name, layer in layers.items()}


def trained_names(model: nn.Module, trainable: Trainable) -> set[str]:
    """Return the names of the parameters that learn.

    trainable: all, head, or of how many of the last layers beside the head. Raises `UserError` where the
    backbone has not so many.
    """
    names, heads = [name for name, _ in model.named_parameters()], head_names(model)
    if trainable == "all":
        return set(names)
    chosen = {name for name in names if is_head_key(name, heads)}
    if trainable == "head":
        return chosen
    layers = layers_of(model, "trainable")
    top = max(layers.values())
    if trainable > top:
        raise UserError(
            f"trainable: is {trainable}, and the backbone of {type(model).__name__} has {top} layers by timm's "
            "count; use all, or fewer"
        )
    return chosen | {name for name, layer in layers.items() if layer >= top - trainable}


def set_trainable(model: nn.Module, trainable: Trainable) -> None:
    """Let the parameters that `trained_names` names learn, and no others."""
    names = trained_names(model, trainable)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in names)


def frozen_modules(model: nn.Module) -> Iterator[nn.Module]:
    """Yield the modules that do nothing random and keep their statistics, as nothing in them learns.

    Of a module without parameters, a dropout say, the one that holds it tells: it is frozen, unless all
    that has parameters there learns, or it belongs to the head by its name, as timm's `head_drop`.
    """
    heads = tuple(name.split(".")[0] for name in head_names(model))
    learns = {name: _learns(module) for name, module in model.named_modules()}
    for name, module in model.named_modules():
        if learns[name] is not None:
            frozen = learns[name] == "none"
        else:
            holders = [name.rpartition(".")[0]]
            while holders[-1] and learns[holders[-1]] is None:
                holders.append(holders[-1].rpartition(".")[0])
            frozen = learns[holders[-1]] != "all" and not name.startswith(heads)
        if frozen:
            yield module


def _learns(module: nn.Module) -> str | None:
    """Return whether all, some or none of a module's parameters learn; `None` where it has none."""
    learning = [parameter.requires_grad for parameter in module.parameters()]
    if not learning:
        return None
    return "all" if all(learning) else "some" if any(learning) else "none"
