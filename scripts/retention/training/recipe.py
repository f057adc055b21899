"""The recipe of a run: checked and completed by its schema, `auto` settled on the present device."""

from collections.abc import Mapping

import torch

from retention.common.options import complete, require_faultless
from retention.training.machine import has_fast_bf16


def complete_recipe(recipe: Mapping, device: torch.device) -> dict:
    """Return the recipe with its defaults filled in and `auto` settled for the device.

    Raises `UserError` with a line per key that is missing or unknown (with the nearest known one) and
    per value that is out of range.
    """
    given = _said(recipe)
    require_faultless("recipe", given, "recipe")
    whole = complete("recipe", given)
    # Defaults that are another key's value.
    whole.setdefault("head_learning_rate", whole["learning_rate"])
    whole["head_warmup"].setdefault("learning_rate", whole["head_learning_rate"])
    return whole | _settled(whole, has_fast_bf16(device))


def _said(given: Mapping) -> dict:
    """Return what a map says, in maps within it, too: a key without a value is silent."""
    return {
        key: _said(value) if isinstance(value, Mapping) else value
        for key, value in given.items()
        if value is not None
    }


def _settled(recipe: Mapping, fast_bf16: bool) -> dict:
    """Return precisions and memory format where `auto` was asked for.

    Convolutions in bf16 are fastest with channels last; in fp32 on a CPU they are not.
    """
    precision = recipe["precision"]
    if precision == "auto":
        precision = "bf16" if fast_bf16 else "fp32"
    evaluation = recipe["evaluation_precision"]
    if evaluation == "auto":
        evaluation = "checked_bf16" if fast_bf16 else "fp32"
    last = recipe["channels_last"]
    if last == "auto":
        last = precision == "bf16"
    return {"precision": precision, "evaluation_precision": evaluation, "channels_last": last}
