"""What a model is shown of an image: an architecture's `crop_pct` and `interpolation`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import timm
from torch import nn

from retention.common.errors import UserError
from retention.common.options import complete, require_faultless
from retention.training.progress import say

INTERPOLATIONS = ("bilinear", "bicubic")


@dataclass(frozen=True)
class View:
    """The side of the clean evaluation's centre square as a share of the short side, and how crops are resized."""

    crop_pct: float = 1.0
    interpolation: str = "bilinear"


WHOLE = View()


def complete_definition(definition: Mapping) -> dict:
    """Return an architecture's definition with its defaults filled in.

    By hand it needs neither `weights` nor `stored_size`. Raises `UserError` with a line per key that is
    unknown or out of range.
    """
    by_hand = {"weights": "none", "stored_size": definition["image_size"]}
    require_faultless("architecture", by_hand | dict(definition), "--definition")
    return complete("architecture", definition)


def view_of(model: nn.Module, definition: Mapping) -> View:
    """Return the definition's view, `model` settled as timm's data configuration of the model says.

    Warns where the cache holds fewer pixels than the model sees. Raises `UserError` where timm shows the
    model something else than a centre square, or resizes it otherwise.
    """
    whole, configuration = complete("architecture", definition), {}
    wanted = {key: whole[key] for key in ("crop_pct", "interpolation")}
    if "model" in wanted.values():
        configuration = timm.data.resolve_model_data_config(model)
    view = View(
        _crop_pct(definition, configuration)
        if wanted["crop_pct"] == "model"
        else float(wanted["crop_pct"]),
        _interpolation(definition, configuration)
        if wanted["interpolation"] == "model"
        else wanted["interpolation"],
    )
    _warn_of_few_pixels(view, definition)
    return view


def _crop_pct(definition: Mapping, configuration: Mapping) -> float:
    if configuration["crop_mode"] != "center":
        raise UserError(
            f"architecture {definition['timm']}: crop_pct is model, but timm shows this model images by crop_mode "
            f"{configuration['crop_mode']}, no centre square; give crop_pct as a number"
        )
    return float(configuration["crop_pct"])


def _interpolation(definition: Mapping, configuration: Mapping) -> str:
    found = configuration["interpolation"]
    if found not in INTERPOLATIONS:
        raise UserError(
            f"architecture {definition['timm']}: interpolation is model, but timm resizes for this model by {found}; "
            f"write {' or '.join(INTERPOLATIONS)}"
        )
    return found


def _warn_of_few_pixels(view: View, definition: Mapping) -> None:
    """Say where a smaller square than the whole one leaves fewer pixels than the model sees."""
    stored, size = definition.get("stored_size"), definition["image_size"]
    if stored is None or view.crop_pct == 1 or round(view.crop_pct * stored) >= size:
        return
    say(
        f"warning: architecture {definition['timm']}: crop_pct {view.crop_pct:g} of stored_size {stored} leaves "
        f"{round(view.crop_pct * stored)} pixels, enlarged to image_size {size}; set stored_size to "
        f"{math.ceil(size / view.crop_pct)} or more"
    )
