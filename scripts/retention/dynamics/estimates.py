"""What an estimator returns, and where it is found."""

from types import ModuleType
from typing import NamedTuple

import numpy as np

from retention.common.parts import load_part
from retention.dynamics.curve import Curve


class Estimates(NamedTuple):
    """Parameters of N traces' curves a e^(−λ·clock(t)) + c, NaN where there are none.

    decay_constant (λ, per epoch), a, c: float [N]; failed: bool [N], that an optimiser gave up. Where the estimator itself
    computes them, else None: score, r_squared, float [N], and status, str [N], as `decay.fit` has them. None means
    λ, 1 − SSE/SST of the parameters, and what follows from these.
    """

    decay_constant: np.ndarray
    a: np.ndarray
    c: np.ndarray
    failed: np.ndarray
    score: np.ndarray | None = None
    r_squared: np.ndarray | None = None
    status: np.ndarray | None = None


def in_order(curve: Curve, parameters: np.ndarray) -> Estimates:
    """Return estimates of parameters, float [N, P], in the order of `curve.order`; none of them failed."""
    known = dict(zip(curve.order, parameters.T, strict=True))
    rate = known["decay_constant"]
    c = known.get("c", np.where(np.isnan(rate), np.nan, 0.0))
    return Estimates(rate, known.get("a", 1 - c), c, np.zeros(len(rate), dtype=bool))


def estimator_of(name: str) -> ModuleType:
    """Return the module of an estimator; `UserError` for a name that is none."""
    return load_part("retention.dynamics.estimators", name)
