"""What a stepper goes on from: weights, optimiser, moving average and scale of the loss."""

from collections.abc import Mapping

import torch

from retention.training.models import plain_copy
from retention.training.optimisation import Stepper
from retention.training.state import pack, unpack

AVERAGE = "average."
SCALES = {"scale": "scaler.scale", "_growth_tracker": "scaler.steps_since"}  # as torch names them


def pack_stepper(stepper: Stepper) -> dict[str, torch.Tensor]:
    """Return its tensors by name, as copies on the CPU."""
    tensors = pack(stepper.model, stepper.optimizer)
    if stepper.average is not None:
        averaged = stepper.average.module.state_dict()
        tensors |= {AVERAGE + key: plain_copy(value) for key, value in averaged.items()}
    if stepper.scaler.is_enabled():
        scales = stepper.scaler.state_dict()
        tensors |= {name: torch.tensor(scales[key]) for key, name in SCALES.items()}
    return tensors


def unpack_stepper(tensors: Mapping[str, torch.Tensor], stepper: Stepper) -> None:
    """Put packed tensors back in place."""
    unpack(tensors, stepper.model, stepper.optimizer)
    if stepper.average is not None:
        stepper.average.module.load_state_dict(
            {key.removeprefix(AVERAGE): tensors[key] for key in tensors if key.startswith(AVERAGE)}
        )
    if stepper.scaler.is_enabled():
        scales = {key: tensors[name].item() for key, name in SCALES.items()}
        stepper.scaler.load_state_dict(stepper.scaler.state_dict() | scales)
