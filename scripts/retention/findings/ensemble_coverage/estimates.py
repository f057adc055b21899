"""Shares of the samples that ensembles hold, their covariance, and which ensembles are matched."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retention.findings.ensemble_coverage.rules import EXACT, Ensembles
from retention.statistics.few_events import FEW, as_many_events, more_than
from retention.statistics.linear_intervals import ROUNDING, group_covariance, linear_interval
from retention.statistics.resampling import PLAIN, THESE_RUNS, Interval, Scale

CALIPER = 0.005  # mean member accuracies that count as equal


@dataclass(frozen=True)
class Held:
    """Shares held, for each composition from all runs and without each seed, and their covariance."""

    ensembles: Ensembles
    estimates: np.ndarray  # float [K, 1 + S], NaN where no ensemble is left
    covariance: np.ndarray  # float [K, 1 + S, K, 1 + S], of the group bootstrap
    matched: np.ndarray  # float [M], estimates of the matched differences
    matched_covariance: np.ndarray  # float [M, M]
    groups: int
    shown: np.ndarray  # float32 [N, K], the share held of each sample, from all runs
    member: np.ndarray  # int [N], its group

    def interval(self, weights: Mapping[tuple[str, ...], float], scale: Scale = PLAIN) -> Interval:
        """Return the interval of a sum over compositions, weights by composition."""
        places = [self.ensembles.compositions.index(kind) for kind in weights]
        w = np.array(list(weights.values()))
        covariance = np.einsum("i,isjt,j->st", w, self.covariance[places][:, :, places], w)
        estimates = w @ self.estimates[places]
        estimates[np.abs(estimates) < EXACT] = 0.0
        return linear_interval(estimates, covariance, self.groups, scale)

    def difference(self, weights: Mapping[tuple[str, ...], float]) -> Interval:
        """Return the interval of a difference of compositions, no narrower than few samples allow."""
        return self.interval(weights).no_narrower_than(self._of_few(weights))

    def _of_few(self, weights: Mapping[tuple[str, ...], float]) -> float:
        """Return how far a difference may be from what is seen where few groups differ; 0 where many or none do."""
        places = [self.ensembles.compositions.index(kind) for kind in weights]
        differ = self.shown[:, places] @ np.array(list(weights.values()))
        of_groups = np.abs(np.bincount(self.member, differ))
        of_groups[of_groups < EXACT] = 0.0
        events = as_many_events(of_groups)
        if not 0 < events < FEW:
            return 0.0
        return more_than(events) * float(of_groups.sum()) / events / len(self.shown)

    def matched_interval(self, place: int, weights: Mapping[tuple[str, ...], float]) -> Interval:
        """Return a matched difference; which ensembles match is taken as given.

        weights: of the difference of all ensembles, which tells how many samples differ.
        """
        variance = float(self.matched_covariance[place, place])
        error = np.sqrt(variance) if variance > ROUNDING**2 else 0.0
        found = Interval(float(self.matched[place]), float(error), self.groups - 1, THESE_RUNS)
        return found.no_narrower_than(self._of_few(weights)) if error else found


def held_shares(
    sums: np.ndarray,
    means: np.ndarray,
    ensembles: Ensembles,
    lacking: np.ndarray,
    samples: pd.DataFrame,
) -> Held:
    """Return the shares held from sums float32 [N, K (1 + S) + M], overwritten, and their means."""
    number, width = len(sums), lacking.size
    shown = sums[:, : width : lacking.shape[1]].copy()
    sums -= means.astype(np.float32)
    sums /= number
    groups = samples["group"].to_numpy(dtype=str)
    covariance = group_covariance(sums, groups, samples["label"].to_numpy())
    estimates = np.where(lacking, np.nan, means[:width].reshape(lacking.shape))
    return Held(
        ensembles,
        estimates,
        covariance[:width, :width].reshape(*lacking.shape, *lacking.shape),
        means[width:],
        covariance[width:, width:],
        len(np.unique(groups)),
        shown,
        np.unique(groups, return_inverse=True)[1],
    )


def mixed_compositions(ensembles: Ensembles) -> list[tuple[str, ...]]:
    """Return the mixed compositions whose architectures all have ensembles of their own."""
    known = set(ensembles.compositions)
    return [
        kind
        for kind in ensembles.compositions
        if len(set(kind)) > 1 and all((name,) * len(kind) in known for name in kind)
    ]


def of_one_architecture(kind: tuple[str, ...]) -> dict[tuple[str, ...], float]:
    """Return the weights of the ensembles of one architecture that stand for a mixed one."""
    return {(name,) * len(kind): kind.count(name) / len(kind) for name in dict.fromkeys(kind)}


def matching(ensembles: Ensembles, accuracy: np.ndarray) -> np.ndarray:
    """Return weights of the matched differences, float64 [M, I]; a row of zeros where none match.

    Every mixed ensemble stands against the mean of the ensembles of one of its architectures, of its
    size, whose mean member accuracy is within the caliper; mixed ones without such are left out. No
    fair comparison: partners of both architectures are mixed, and how far they are from equally
    accurate within the caliper has a sign (`imbalances`).
    """
    mean = member_accuracies(ensembles, accuracy)
    rows = []
    for kind in mixed_compositions(ensembles):
        mixed = np.flatnonzero(ensembles.of(kind))
        alone = np.flatnonzero(
            np.any([ensembles.of(same) for same in of_one_architecture(kind)], axis=0)
        )
        near = np.abs(mean[mixed][:, None] - mean[alone]) <= CALIPER
        usable = near.any(axis=1)
        weights = np.zeros(len(ensembles.sizes))
        if usable.any():
            weights[mixed[usable]] = 1 / usable.sum()
            partners = near[usable] / near[usable].sum(axis=1, keepdims=True)
            weights[alone] -= partners.mean(axis=0)
        rows.append(weights)
    return np.array(rows).reshape(len(rows), len(ensembles.sizes))


def imbalances(ensembles: Ensembles, accuracy: np.ndarray, pairing: np.ndarray) -> np.ndarray:
    """Return the mean member accuracy of matched mixed ensembles minus their partners', float [M].

    pairing: float [M, I], of `matching`. Not 0, it is a head start of one side.
    """
    return pairing @ member_accuracies(ensembles, accuracy)


def member_accuracies(ensembles: Ensembles, accuracy: np.ndarray) -> np.ndarray:
    """Return the mean accuracy of each ensemble's members, float [I]; accuracy: of each run [R]."""
    return accuracy @ ensembles.matrix / ensembles.sizes
