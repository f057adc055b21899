"""What a retention trace is made of, and where it is found."""

from collections.abc import Callable
from types import ModuleType

import numpy as np

from retention.common.errors import UserError
from retention.common.parts import load_part

Points = tuple[np.ndarray, np.ndarray, np.ndarray]  # times [K], values [N, K], weights [N, K]


def trace_of(name: str) -> ModuleType:
    """Return the module of a retention trace; `UserError` for a name that is none."""
    return load_part("retention.dynamics.retention", name)


def points_of(name: str) -> Callable[..., Points]:
    """Return the function of a retention trace; `UserError` for a name that is none."""
    return trace_of(name).points


def needs_of(name: str) -> tuple[str, ...]:
    """Return which columns of the traces a retention trace is made of beside correctness."""
    needed = getattr(trace_of(name), "NEEDS", "")
    return (needed,) if needed else ()


def arguments_of(
    name: str, correct: np.ndarray, confidence: np.ndarray | None
) -> tuple[np.ndarray, ...]:
    """Return what the functions of a retention trace take, of correct and confidence, [N, E] each.

    Raises `UserError` where it needs confidences and there are none.
    """
    if not needs_of(name):
        return (correct,)
    if confidence is None:
        raise UserError(
            f"retention trace {name}: needs the confidence at every epoch; write traces with a column "
            "confidence, the probability of the label's class"
        )
    return (correct, confidence)
