"""The recipe of a run: its defaults, its faults, and what `auto` means on the present device."""

from collections.abc import Iterable, Mapping

import torch

from retention.common.errors import UserError
from retention.common.names import nearest
from retention.training.machine import has_fast_bf16

DEFAULTS = {
    "epochs": None,
    "batch_size": 32,
    "optimizer": "adamw",
    "learning_rate": None,
    "head_learning_rate": None,
    "weight_decay": 0.0,
    "schedule": "cosine",
    "warmup_steps_fraction": 0.0,
    "label_smoothing": 0.0,
    "class_weighting": "none",
    "augmentation": {},
    "precision": "auto",
    "evaluation_precision": "auto",
    "channels_last": "auto",
    "threads": 2,
    "shared_data_order": False,
    "head_warmup": {},
    "evaluation_batch_size": 128,
}
PARTS = {
    "augmentation": ("crop_scale", "flip", "color"),
    "head_warmup": ("epochs", "learning_rate", "augment"),
}
CHOICES = {
    "optimizer": ("adamw", "adam", "sgd"),
    "schedule": ("cosine", "constant"),
    "class_weighting": ("none", "balanced"),
    "precision": ("auto", "fp32", "bf16"),
    "evaluation_precision": ("auto", "fp32", "bf16", "checked_bf16"),
}


def complete_recipe(recipe: Mapping, device: torch.device) -> dict:
    """Return the recipe with its defaults filled in and `auto` settled for the device.

    Raises `UserError` naming a key that is missing or unknown (with the nearest known one) or a
    value that is out of range.
    """
    _refuse_unknown("recipe", recipe, DEFAULTS)
    for key, known in PARTS.items():
        _refuse_unknown(f"recipe.{key}", recipe.get(key) or {}, known)
    whole = {key: recipe.get(key, default) for key, default in DEFAULTS.items()}
    for key in ("epochs", "learning_rate"):
        if whole[key] is None:
            raise UserError(f"recipe: the key '{key}' is missing")
    for key, choices in CHOICES.items():
        if whole[key] not in choices:
            raise UserError(f"recipe: {key} is '{whole[key]}'; expected {' or '.join(choices)}")
    for key, least in (("epochs", 1), ("batch_size", 2), ("threads", 1)):
        if whole[key] < least:
            raise UserError(f"recipe: {key} is {whole[key]}; expected at least {least}")
    if whole["head_learning_rate"] is None:
        whole["head_learning_rate"] = whole["learning_rate"]
    warm_up = {"epochs": 0, "learning_rate": whole["head_learning_rate"], "augment": False}
    whole["head_warmup"] = warm_up | dict(whole["head_warmup"] or {})
    return whole | _settled(whole, has_fast_bf16(device))


def _refuse_unknown(where: str, given: Iterable[str], known: Iterable[str]) -> None:
    for key in given:
        if key not in known:
            raise UserError(f"{where}: unknown key '{key}'{nearest(key, known)}")


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
