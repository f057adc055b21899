"""The recipe of a run: checked and completed by its schema, `auto` settled on the present device."""

from collections.abc import Mapping

import torch

from retention.training.machine import has_fast_bf16
from retention.training.whole_recipe import whole_recipe


def complete_recipe(recipe: Mapping, device: torch.device) -> dict:
    """Return the recipe with its defaults filled in and `auto` settled for the device.

    Raises `UserError` with a line per key that is missing or unknown (with the nearest known one) and
    per value that is out of range.
    """
    whole = whole_recipe(recipe)
    return whole | _settled(whole, has_fast_bf16(device))


def _settled(recipe: Mapping, fast_bf16: bool) -> dict:
    """Return precisions and memory format where `auto` was asked for.

    Convolutions in bf16 and fp16 are fastest with channels last; in fp32 on a CPU they are not.
    """
    precision = recipe["precision"]
    if precision == "auto":
        precision = "bf16" if fast_bf16 else "fp32"
    evaluation = recipe["evaluation_precision"]
    if evaluation == "auto":
        evaluation = "checked_bf16" if fast_bf16 else "fp32"
    last = recipe["channels_last"]
    if last == "auto":
        last = precision in ("bf16", "fp16")
    return {"precision": precision, "evaluation_precision": evaluation, "channels_last": last}
