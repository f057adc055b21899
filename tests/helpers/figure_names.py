"""Names of networks and classes in figures: some of each kind that is hard to write."""

import pytest
from shown_runs import HOSTILE

from retention.reporting.look import look_of

NAMES = ["vit", "net"]
LOOK = look_of(NAMES, {"vit": "ViT"})
FIVE = ["crow", "duck", "owl", "wren", "gull"]
LONG = {"vit": "a network of a long name " * 8, "net": HOSTILE[0] + "y" * 150}
CLASSES = [*HOSTILE, "", "بطة $x$ " * 30]
MANY = pytest.param([*"abc", *NAMES], marks=pytest.mark.slow)
