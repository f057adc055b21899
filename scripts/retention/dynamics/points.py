"""What a retention trace is made of, and where it is found."""

from collections.abc import Callable

import numpy as np

from retention.common.parts import load_part

Points = tuple[np.ndarray, np.ndarray, np.ndarray]  # times [K], values [N, K], weights [N, K]


def points_of(name: str) -> Callable[[np.ndarray], Points]:
    """Return the function of a retention trace; `UserError` for a name that is none."""
    return load_part("retention.dynamics.retention", name).points
