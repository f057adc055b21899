"""Decay to a floor: c + (1 − c) e^(−λt)."""

from retention.dynamics.curve import Curve
from retention.dynamics.decay_kernel import FLOOR

CURVE = Curve(FLOOR)
