"""The state of a small network, and files of weights that hold it."""

from pathlib import Path

import torch
from torch import nn

from retention.training.backbone import load_backbone
from retention.training.models import build_model

RESNET = {"timm": "test_resnet"}
STATE = {name: value.clone() for name, value in build_model(RESNET, 7).state_dict().items()}
BLANK = {name: torch.zeros_like(value) for name, value in STATE.items()}
BACKBONE = {name: value for name, value in STATE.items() if not name.startswith("fc.")}


def under(prefix: str, state=None) -> dict:
    return {prefix + name: value for name, value in (state or STATE).items()}


def loaded(folder: Path, content: object, key: str | None = None) -> tuple[nn.Module, str]:
    """Return a model of three classes with a file's backbone, and which of its maps was taken."""
    torch.save(content, folder / "w.pth")
    model = build_model(RESNET, 3)
    return model, load_backbone(model, folder / "w.pth", key)


def holds(model: nn.Module, state=STATE) -> bool:
    """Return whether a model's backbone has the values of a state; its head is another."""
    own = model.state_dict()
    return all(torch.equal(own[name], state[name]) for name in BACKBONE)
