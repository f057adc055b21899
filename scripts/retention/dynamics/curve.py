"""A decay curve, as the modules of `retention.dynamics.curves` declare it: f(t) = a e^(−λ·clock(t)) + c."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from retention.common.parts import load_part
from retention.dynamics.decay_kernel import EXPONENTIAL, FLOOR, SCALED

PARAMETERS = {EXPONENTIAL: 1, FLOOR: 2, SCALED: 3}


def exponential(time: np.ndarray, rate: float) -> np.ndarray:
    """Return e^(−λt)."""
    return np.exp(-rate * time)


def floor(time: np.ndarray, rate: float, c: float) -> np.ndarray:
    """Return c + (1 − c) e^(−λt)."""
    return c + (1 - c) * np.exp(-rate * time)


def scaled(time: np.ndarray, a: float, rate: float, c: float) -> np.ndarray:
    """Return a e^(−λt) + c."""
    return a * np.exp(-rate * time) + c


# As they are written for an optimiser, whose last digits depend on that, and in which order it takes the parameters.
FORMULAS: dict[int, Callable[..., np.ndarray]] = {
    EXPONENTIAL: exponential,
    FLOOR: floor,
    SCALED: scaled,
}
ORDERS = {
    EXPONENTIAL: ("decay_constant",),
    FLOOR: ("decay_constant", "c"),
    SCALED: ("a", "decay_constant", "c"),
}


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
    written: f(times, *parameters) as one writes it for an optimiser, where that is not `FORMULAS` of the clock.
    """

    free: int
    clock: Callable[[np.ndarray], np.ndarray] = as_it_is
    half_life: Callable[[np.ndarray], np.ndarray] = log_half_life
    written: Callable[..., np.ndarray] | None = None

    @property
    def has_lambda_alone(self) -> bool:
        """Tell whether λ is the only parameter."""
        return self.free == EXPONENTIAL

    @property
    def parameters(self) -> int:
        """Return how many parameters are fitted."""
        return PARAMETERS[self.free]

    @property
    def order(self) -> tuple[str, ...]:
        """Name the parameters of `formula`: decay_constant, a or c."""
        return ORDERS[self.free]

    def formula(self, times: np.ndarray, *parameters: np.ndarray | float) -> np.ndarray:
        """Return the curve at times, in epochs; arrays are broadcast. Parameters are in the order of `order`."""
        function, at = self.as_written(times)
        return function(at, *parameters)

    def as_written(self, times: np.ndarray) -> tuple[Callable[..., np.ndarray], np.ndarray]:
        """Return the function that an optimiser calls, (x, *parameters) to values, and its x of these times."""
        if self.written is not None:
            return self.written, times
        return FORMULAS[self.free], self.clock(times)


def curve_of(name: str) -> Curve:
    """Return the curve of a name; `UserError` for a name that is none."""
    return load_part("retention.dynamics.curves", name).CURVE
