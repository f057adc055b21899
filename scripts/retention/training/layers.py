"""A model's layers from stem to head, as timm groups its parameters."""

from timm.models import group_parameters
from torch import nn

from retention.common.errors import UserError


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
