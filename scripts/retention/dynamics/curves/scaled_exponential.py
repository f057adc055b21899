"""Decay from a start below 1 to a floor: a e^(−λt) + c, a + c ≤ 1."""

from retention.dynamics.curve import Curve
from retention.dynamics.decay_kernel import SCALED

CURVE = Curve(SCALED)
