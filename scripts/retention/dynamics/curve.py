"""A decay curve, as the modules of `retention.dynamics.curves` declare it: f(t) = a e^(−λ·clock(t)) + c."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from retention.common.parts import load_part
from retention.dynamics.decay_kernel import EXPONENTIAL, FLOOR, SCALED

PARAMETERS = {EXPONENTIAL: 1, FLOOR: 2, SCALED: 3}


def as_it_is(times: np.ndarray) -> np.ndarray:
    """Return times, float [K], in epochs."""
    return np.asarray(times, dtype=float)


def log_half_life(rate: np.ndarray) -> np.ndarray:
    """Return ln 2/λ, of the part above the floor where there is one."""
    return np.log(2) / rate


@dataclass(frozen=True)
class Curve:
    """A curve: which linear parameters are free, its clock and its half-life.

    free: EXPONENTIAL (a = 1, c = 0), FLOOR (a = 1 − c) or SCALED (a, c ≥ 0, a + c ≤ 1). half_life: of λ, [N].
    """

    free: int
    clock: Callable[[np.ndarray], np.ndarray] = as_it_is
    half_life: Callable[[np.ndarray], np.ndarray] = log_half_life

    @property
    def has_lambda_alone(self) -> bool:
        """Tell whether λ is the only parameter."""
        return self.free == EXPONENTIAL

    @property
    def parameters(self) -> int:
        """Return how many parameters are fitted."""
        return PARAMETERS[self.free]


def curve_of(name: str) -> Curve:
    """Return the curve of a name; `UserError` for a name that is none."""
    return load_part("retention.dynamics.curves", name).CURVE
