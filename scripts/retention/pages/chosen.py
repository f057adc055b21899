"""Which samples a gallery shows: the most forgotten, the never forgotten, the never learned, and disagreements."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retention.pages.sheet import FORGOTTEN, NEVER_LEARNED, Sheet

DIGITS = 12  # means of equal numbers in another order are equal


@dataclass(frozen=True)
class Standing:
    """What the runs of an architecture, or all runs, say of N samples.

    runs: how many there are; hazard, confidence: float [N], means over the runs that have one, else NaN;
    events: float [N], forgetting events of all runs; forgotten, never_learned: int [N], in how many runs.
    of_runs: float [2, R, N], forgetting events and epochs at risk of each run.
    """

    runs: int
    hazard: np.ndarray
    confidence: np.ndarray
    events: np.ndarray
    forgotten: np.ndarray
    never_learned: np.ndarray
    of_runs: np.ndarray

    @property
    def ever_forgotten(self) -> np.ndarray:
        """Return which samples at least one run learned and lost, bool [N]."""
        return self.forgotten > 0

    @property
    def never_forgotten(self) -> np.ndarray:
        """Return which samples every run learned and none lost, bool [N]."""
        return (self.forgotten == 0) & (self.never_learned == 0)

    @property
    def unlearned(self) -> np.ndarray:
        """Return which samples no run ever learned, bool [N]."""
        return self.never_learned == self.runs

    @property
    def seldom_learned(self) -> np.ndarray:
        """Return which samples half of the runs or more never learned, bool [N]: few runs could forget them."""
        return 2 * self.never_learned >= self.runs

    @property
    def mostly_forgotten(self) -> np.ndarray:
        """Return which samples more than half of the runs learned and lost, bool [N]."""
        return 2 * self.forgotten > self.runs

    def class_hazard(self, places: np.ndarray) -> float:
        """Return Σ events / Σ epochs at risk of some samples, the mean over runs, as finding F4 has it; NaN without risk.

        places: int [M], of samples.
        """
        events, at_risk = self.of_runs[:, :, places].sum(axis=2)
        rates = events[at_risk > 0] / at_risk[at_risk > 0]
        return float(rates.mean()) if len(rates) else np.nan


@dataclass(frozen=True)
class Choice:
    """What a list shows, in its order.

    places: int [K], rows of the sheet; of: how many samples the list is chosen from;
    tied: how many of those left out have the score of the last one shown.
    """

    places: np.ndarray
    of: int
    tied: int

    def __len__(self) -> int:
        return len(self.places)


def standing_of(sheet: Sheet, architecture: str | None = None) -> Standing:
    """Return what the runs of an architecture say, of all runs where none is named."""
    status = sheet.status(architecture)
    known = all("confidence" in run.described for run in sheet.runs)
    confidence = sheet.mean("confidence", architecture) if known else np.full(len(sheet), np.nan)
    events, hazard = (
        sheet.statistic(name, architecture) for name in ("forgetting_events", "hazard")
    )
    # Epochs at risk as the hazard has them, (events + ½) / (epochs + 1): tables of others may lack the column.
    at_risk = np.where(np.isfinite(hazard), np.round((events + 0.5) / hazard - 1), 0.0)
    return Standing(
        runs=len(status),
        hazard=sheet.mean("hazard", architecture),
        confidence=confidence,
        events=events.sum(axis=0),
        forgotten=(status == FORGOTTEN).sum(axis=0),
        never_learned=(status == NEVER_LEARNED).sum(axis=0),
        of_runs=np.stack([events, at_risk]),
    )


def most_forgotten(standing: Standing, count: int, among: np.ndarray | None = None) -> Choice:
    """Return the samples that some run lost, highest mean hazard first, then most events, then lowest confidence.

    What half of the runs or more never learned comes after all others: its hazard is that of few runs.
    among: int [M], rising places of the samples to choose from; all if left out.
    """
    ranks = (-standing.hazard, -standing.events, standing.confidence)
    return _first(standing.ever_forgotten, among, ranks, count, after=standing.seldom_learned)


def order_of_forgetting(standing: Standing, first: np.ndarray) -> np.ndarray:
    """Return the place of each sample in the order of the most forgotten, int [N], from 0.

    first: bool [N], samples that come before all others, as those of training. What no run forgot comes last, in the
    sheet's order.
    """
    parts = [most_forgotten(standing, len(first), np.flatnonzero(part)) for part in (first, ~first)]
    chosen = np.concatenate([part.places for part in parts])
    rest = np.setdiff1d(np.arange(len(first)), chosen)
    found = np.empty(len(first), dtype=int)
    found[np.concatenate([chosen, rest])] = np.arange(len(first))
    return found


def never_forgotten(standing: Standing, count: int, among: np.ndarray | None = None) -> Choice:
    """Return the samples that every run held, lowest mean hazard first, then highest confidence."""
    ranks = (standing.hazard, -standing.confidence)
    return _first(standing.never_forgotten, among, ranks, count)


def never_learned(standing: Standing, count: int, among: np.ndarray | None = None) -> Choice:
    """Return the samples that no run ever had right, lowest confidence first."""
    return _first(standing.unlearned, among, (standing.confidence,), count)


def held_and_lost(holder: Standing, loser: Standing, count: int) -> Choice:
    """Return what all runs of one architecture held and most of another's lost, largest difference of hazard first.

    Then come most events of the architecture that lost them, then its lowest confidence.
    """
    ranks = (holder.hazard - loser.hazard, -loser.events, loser.confidence)
    return _first(holder.never_forgotten & loser.mostly_forgotten, None, ranks, count)


def _first(
    chosen: np.ndarray,
    among: np.ndarray | None,
    ranks: Sequence[np.ndarray],
    count: int,
    after: np.ndarray | None = None,
) -> Choice:
    """Return the first samples by ranks, each lowest first and NaN last, then in the sheet's order.

    after: bool [N], samples that come after the others whatever their ranks.
    """
    places = np.flatnonzero(chosen) if among is None else among[chosen[among]]
    behind = np.zeros(len(places), dtype=bool) if after is None else after[places]
    keys = [np.round(rank[places], DIGITS) for rank in ranks]
    order = np.lexsort([*keys[::-1], behind])  # stable: equals stay in the order of the sheet
    shown, left_out = order[:count], order[count:]
    tied = 0
    if len(shown) and len(left_out):
        last, scores = keys[0][shown[-1]], keys[0][left_out]
        equal = (scores == last) | (np.isnan(scores) & np.isnan(last))
        tied = int((equal & (behind[left_out] == behind[shown[-1]])).sum())
    return Choice(places[shown], len(places), tied)
