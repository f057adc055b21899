"""What a stepper goes on from: weights, optimiser, and the moving average where there is one."""

from collections.abc import Mapping

import torch

from retention.training.models import plain_copy
from retention.training.optimisation import Stepper
from retention.training.state import pack, unpack

AVERAGE = "average."


def pack_stepper(stepper: Stepper) -> dict[str, torch.Tensor]:
    """Return its tensors by name, as copies on the CPU."""
    tensors = pack(stepper.model, stepper.optimizer)
    if stepper.average is not None:
        averaged = stepper.average.module.state_dict()
        tensors |= {AVERAGE + key: plain_copy(value) for key, value in averaged.items()}
    return tensors


def unpack_stepper(tensors: Mapping[str, torch.Tensor], stepper: Stepper) -> None:
    """Put packed tensors back in place."""
    unpack(tensors, stepper.model, stepper.optimizer)
    if stepper.average is not None:
        stepper.average.module.load_state_dict(
            {key.removeprefix(AVERAGE): tensors[key] for key in tensors if key.startswith(AVERAGE)}
        )
