"""Ebbinghaus' curve: e^(−λt)."""

from retention.dynamics.curve import Curve
from retention.dynamics.decay_kernel import EXPONENTIAL

CURVE = Curve(EXPONENTIAL)
