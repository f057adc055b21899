"""The scores of all runs under a combination's choices."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from retention.dynamics.decay import LARGEST
from retention.dynamics.defined_points import counted_epochs
from retention.dynamics.definition import Definition
from retention.dynamics.events import events, hazard, mean_retention
from retention.dynamics.fitted import Fits, Fitted
from retention.multiverse.choices import DEFINITION, Levels
from retention.multiverse.study import Study
from retention.runs.scores import score_of

DECAY_CONSTANT = "decay_constant"
FITTED = ("score", "r_squared", "residue")
ROUNDING = 1e-9  # an R² that is nearer to 0 is 0: where a constant fits best, rounding alone gives its sign


class Scores:
    """Scores of the R runs and N samples of a study; what is fitted is fitted once."""

    def __init__(self, study: Study):
        self.study = study
        self._fits = [(rows, _fits(study, rows)) for rows in _equally_long(study)]
        self._known: dict[tuple[Definition, str], np.ndarray] = {}

    def of(self, levels: Levels) -> np.ndarray:
        """Return what ranks samples as forgotten, float [R, N], NaN where a sample has no score or does not count.

        Never-learned samples stand as the combination says. `split: by_position` and ties by the file are applied last.
        """
        found = self._plain(levels)
        found = np.where(self.study.never_learned, np.nan, found)
        found = np.where(self.counted(levels), found, np.nan)
        found = _with_never_learned(
            found, self.study.never_learned, levels.get("never_learned", "")
        )
        if levels.get("ties") == "file_order":
            found = np.stack([ordinal(row) for row in found])
        return found

    def r_squared(self, levels: Levels) -> np.ndarray:
        """Return R² of the combination's definition, float [R, N], NaN of samples that do not count."""
        return np.where(self.counted(levels), self._fitted(levels, "r_squared"), np.nan)

    def residue(self, levels: Levels) -> np.ndarray | None:
        """Return whose λ is only what an optimiser left of a flat trace, bool [R, N]; None of what is not fitted."""
        fitted = levels.get("trace") and levels.get("score", DECAY_CONSTANT) == DECAY_CONSTANT
        return self._fitted(levels, "residue") if fitted else None

    def counted(self, levels: Levels) -> np.ndarray:
        """Return which samples of which run the combination counts, bool [R, N]."""
        chosen = levels.get("samples", "")
        if chosen == "ever_forgotten":
            return self.study.forgotten
        if chosen == "r_squared_positive":
            return self._fitted(levels, "r_squared") > ROUNDING
        return np.ones(self.study.forgotten.shape, dtype=bool)

    def _plain(self, levels: Levels) -> np.ndarray:
        if levels["score"] == DECAY_CONSTANT:
            return self._fitted(levels, "score")
        name, definition = levels["score"], definition_of(levels)
        if (definition.epoch_0, definition.epochs) == ("in", "all"):
            return np.stack([score_of(run.samples, name) for run in self.study.runs])
        return np.stack([_of_epochs(name, one, definition) for one in self.study.correct])

    def _fitted(self, levels: Levels, what: str) -> np.ndarray:
        definition = definition_of(levels)
        if (definition, what) not in self._known:
            parts = [(rows, fits.of(definition)) for rows, fits in self._fits]
            for name in FITTED:
                self._known[definition, name] = _joined(parts, name, self.study.forgotten.shape)
        return self._known[definition, what]


def _of_epochs(name: str, correct: np.ndarray, definition: Definition) -> np.ndarray:
    """Return a score that has no fit of the epochs that count, float [N]; correct: bool [N, E]."""
    kept = correct[:, counted_epochs(correct.shape[1], definition)]
    if name == "one_minus_retention":
        return 1 - mean_retention(kept)
    if name == "hazard":
        return hazard(kept)
    return np.where(kept.any(axis=1), events(kept)[0].sum(axis=1), np.nan)


def definition_of(levels: Levels) -> Definition:
    """Return the definition among a combination's levels; what does not apply is as ours."""
    return Definition.of({name: levels[name] for name in DEFINITION if levels.get(name)})


def ordinal(row: np.ndarray) -> np.ndarray:
    """Return the place of each value in a stable sort, from 0, so that of equal values the later one is higher; NaN stays."""
    found = np.full(len(row), np.nan)
    finite = np.flatnonzero(np.isfinite(row))
    found[finite[np.argsort(row[finite], kind="stable")]] = np.arange(len(finite))
    return found


def _equally_long(study: Study) -> list[list[int]]:
    """Return the rows of runs by their number of epochs: one matrix holds those of one number."""
    lengths = [correct.shape[1] for correct in study.correct]
    return [
        [row for row, length in enumerate(lengths) if length == one] for one in sorted(set(lengths))
    ]


def _fits(study: Study, rows: Sequence[int]) -> Fits:
    correct = np.concatenate([study.correct[row] for row in rows])
    if study.confidence is None:
        return Fits(correct, None)
    return Fits(correct, np.concatenate([study.confidence[row] for row in rows]))


def _joined(
    parts: Sequence[tuple[Sequence[int], Fitted]], name: str, shape: tuple[int, ...]
) -> np.ndarray:
    """Return one array of the fits of all runs, [R, N]."""
    first = getattr(parts[0][1], name)
    found = np.empty(shape, dtype=first.dtype)
    for rows, fitted in parts:
        found[rows] = getattr(fitted, name).reshape(len(rows), shape[1])
    return found


def _with_never_learned(found: np.ndarray, never: np.ndarray, level: str) -> np.ndarray:
    """Return scores float [R, N] in which the never-learned samples stand as a level says.

    sorted_last: ranks in place of scores, those without a score above all others, the later ones in the file highest.
    """
    if level == "large_number":
        return np.where(never, LARGEST, found)
    if level == "most_forgotten":
        top = np.max(found, axis=1, keepdims=True, initial=0.0, where=np.isfinite(found))
        return np.where(never, np.maximum(top + 1, np.nextafter(top, np.inf)), found)
    if level == "sorted_last":
        place = np.arange(found.shape[1], dtype=float)
        last = np.isnan(found)
        return np.where(last, len(place) + place, rankdata(found, axis=1, nan_policy="omit"))
    return found
