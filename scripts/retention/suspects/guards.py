"""Which runs are no witnesses: those that know their training labels by heart, and those that know too little.

A run that is right on nearly all its training labels has learned the wrong ones, too: it contradicts none of them any more,
though its error norms still rank them first. A weak run contradicts many labels that are right. Where the bounds come from
stands in docs/suspects.md; benchmarks/label_guards.py measures it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from retention.common.lists import listed
from retention.pages.sheet import Sheet

RIGHT_AT_LAST = "learned_for_good"  # has no value of a sample that the last evaluation is wrong on


@dataclass(frozen=True)
class Accuracy:
    """The share of labels that the last evaluation of a run is right on, NaN where there are none."""

    run: str
    training: float
    held_out: float


def accuracies(sheet: Sheet) -> list[Accuracy]:
    """Return those of the runs of a sheet, in its order."""
    training = (sheet.samples["split"] == "train").to_numpy()
    found = []
    for run in sheet.runs:
        right = np.full(len(sheet), np.nan)
        if RIGHT_AT_LAST in run.described:
            right = run.described[RIGHT_AT_LAST].notna().to_numpy(dtype=float)
        name = f"{run.architecture}, seed {run.seed}"
        found.append(Accuracy(name, _mean(right[training]), _mean(right[~training])))
    return found


def by_heart(found: Sequence[Accuracy], options: Mapping) -> list[bool]:
    """Return which runs know their training labels by heart: right on `by_heart` of them or more."""
    return [one.training >= options["by_heart"] for one in found]


def told_guards(found: Sequence[Accuracy], options: Mapping) -> Iterator[str]:
    """Yield a sentence on the runs that know labels by heart, and one on those that are weak, as far as there are any."""
    silent = by_heart(found, options)
    if any(silent):
        names = [
            f"{one.run} ({one.training:.3f})"
            for one, is_so in zip(found, silent, strict=True)
            if is_so
        ]
        left = "is empty for training samples" if all(silent) else "does not count them there"
        yield (
            f"right on {options['by_heart']:g} of the training labels or more, the wrong ones learned by heart: "
            f"{listed(names, '; ')}; label_not_predicted {left}, the ranking still works"
        )
    weak = [one for one in found if one.held_out < options["weak"]]
    if weak:
        names = [f"{one.run} ({one.held_out:.2f})" for one in weak]
        yield (
            f"weak, right on less than {options['weak']:g} of the held-out labels: {listed(names, '; ')}; many labels that "
            "such a run contradicts are right"
        )


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")
