"""What a sample is taken for when it is lost."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from retention.dynamics.events import events


@dataclass(frozen=True)
class TakenFor:
    """The classes that were predicted most often, of equals all.

    classes: their names; count: how often each was predicted; of: predictions in all;
    lost: whether these are forgetting events, else all evaluations of a sample that was never right.
    """

    classes: tuple[str, ...]
    count: int
    of: int
    lost: bool


def taken_for(
    correct: np.ndarray, predicted: np.ndarray | None, names: Mapping[int, str]
) -> TakenFor | None:
    """Return what the runs took a sample for at its forgetting events, None where it has none or nothing is known.

    Of a sample that no run ever had right, all evaluations count. correct: bool [R, E]; predicted: int [R, E];
    names: of classes by label; a class that no sample has is called by its label.
    """
    if predicted is None:
        return None
    lost = bool(correct.any())
    said = said_when_lost(correct, predicted) if lost else predicted.ravel()
    return most_said(said, names, lost)


def said_when_lost(correct: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return what runs predicted at a sample's forgetting events, int [K]; correct: bool [R, E]; predicted: int [R, E]."""
    return predicted[:, 1:][events(correct)[0]]


def most_said(said: np.ndarray, names: Mapping[int, str], lost: bool) -> TakenFor | None:
    """Return what was predicted most often, None where nothing was; said: int [K]."""
    if not len(said):
        return None
    labels, counts = np.unique(said, return_counts=True)
    most = labels[counts == counts.max()]
    classes = tuple(names.get(int(label), f"label {label}") for label in most)
    return TakenFor(classes, int(counts.max()), len(said), lost)
