"""The recipe of a run: checked and completed by its schema, `auto` settled on a device."""

from collections.abc import Mapping

import torch

from retention.common.digests import digest_of
from retention.common.options import without_defaults
from retention.training.machine import has_fast_bf16
from retention.training.whole_recipe import whole_recipe


def complete_recipe(recipe: Mapping, device: torch.device, begun: str = "") -> dict:
    """Return the recipe with its defaults filled in and `auto` settled, for the device or as the run was begun.

    begun: `digest_of_recipe` of what a half-trained run was begun with; "" for none. What `auto` became
    there stays: another device is no other recipe. Raises `UserError` with a line per key that is missing or
    unknown (with the nearest known one) and per value that is out of range.
    """
    whole, here = whole_recipe(recipe), has_fast_bf16(device)
    settled = [whole | _settled(whole, fast_bf16) for fast_bf16 in (here, not here)]
    return settled[1] if digest_of_recipe(settled[1]) == begun else settled[0]


def digest_of_recipe(recipe: Mapping) -> str:
    """Return a digest of a complete recipe, without options at their default: one that is added later changes nothing."""
    return digest_of(without_defaults("recipe", recipe))


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
