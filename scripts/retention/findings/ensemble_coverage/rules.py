"""All ensembles of two and three runs, and which samples each of them holds.

An ensemble is a set of different runs; its composition is the sorted list of its architectures.
What is held is never stored per ensemble and sample: it is summed, within chunks of samples, into the
share of a composition's ensembles that hold the sample, from all runs and without each seed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from retention.common.errors import UserError
from retention.findings.ensemble_coverage.kernel import held_by_average, rivals
from retention.runs.members import ONE

SIZES = (1, 2, 3)  # a single run is the yardstick of the others
RULES = ("any", "majority", "average")
EXACT = 1e-13  # a mean below it is rounding: one sample in ten million, in one of 10⁵ ensembles, is more
CHUNK_BYTES = 128_000_000  # of the members' probabilities held at a time


@dataclass(frozen=True)
class Ensembles:
    """All sets of one to three runs."""

    members: np.ndarray  # int64 [I, 3], places of runs; −1 where there are fewer
    sizes: np.ndarray  # int64 [I]
    compositions: tuple[tuple[str, ...], ...]  # the different ones, K of them
    composition: np.ndarray  # int64 [I], which of them
    seeds: np.ndarray  # bool [I, S], the seeds an ensemble rests on

    @property
    def matrix(self) -> np.ndarray:
        """Whether a run is a member, float32 [R, I]."""
        runs = self.members.max() + 1
        return (self.members[None] == np.arange(runs)[:, None, None]).any(axis=2).astype(np.float32)

    def of(self, composition: tuple[str, ...]) -> np.ndarray:
        """Return which ensembles are of a composition, bool [I]."""
        return self.composition == self.compositions.index(composition)

    def shares(self) -> np.ndarray:
        """Return weights that turn ensembles into means over compositions, float64 [K, 1 + S, I].

        The first is over all ensembles, the others over those without each seed; NaN where none is
        left.
        """
        kept = np.vstack([np.ones(len(self.sizes), dtype=bool), ~self.seeds.T])
        inside = self.composition == np.arange(len(self.compositions))[:, None]
        chosen = inside[:, None] & kept[None]
        with np.errstate(invalid="ignore"):
            return chosen / chosen.sum(axis=2, keepdims=True)


def all_ensembles(architectures: Sequence[str], seeds: Sequence[int]) -> Ensembles:
    """Return all sets of one, two and three different runs; architectures, seeds: of each run."""
    every = sorted(set(seeds))
    subsets = [s for size in SIZES for s in combinations(range(len(seeds)), size)]
    kinds = [tuple(sorted(architectures[m] for m in subset)) for subset in subsets]
    different = tuple(sorted(set(kinds), key=lambda kind: (len(kind), kind)))
    return Ensembles(
        members=np.array([(*s, *[-1] * (max(SIZES) - len(s))) for s in subsets]),
        sizes=np.array([len(s) for s in subsets]),
        compositions=different,
        composition=np.array([different.index(kind) for kind in kinds]),
        seeds=np.array([[seed in {seeds[m] for m in s} for seed in every] for s in subsets]),
    )


def members_right(probabilities: Sequence[np.ndarray], labels: np.ndarray) -> np.ndarray:
    """Return which samples each member gets right, bool [N, R]; of equal classes the first wins.

    probabilities: per member float16 [N, C], memory-mapped or not; labels: int [N]. Raises `UserError`
    for numbers outside [0, 1].
    """
    right = np.empty((len(labels), len(probabilities)), dtype=bool)
    for r, member in enumerate(probabilities):
        for part in _chunks(len(labels), 2 * member.shape[1]):
            # read as whole numbers, which are compared faster and have the same order
            order = np.ascontiguousarray(member[part]).view(np.uint16)
            if order.max(initial=0) > ONE:
                raise UserError("probabilities.npy: holds numbers outside [0, 1]")
            right[part, r] = order.argmax(axis=1) == labels[part]
    return right


def held_sums(
    rule: str,
    probabilities: Sequence[np.ndarray],
    labels: np.ndarray,
    right: np.ndarray,
    ensembles: Ensembles,
    weights: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return Σ over ensembles of weight × held, float32 [N, W], and its means in float64, [W].

    probabilities: per member float16 [N, C]; right: bool [N, R], of `members_right`; weights: float64
    [W, I]. The means are those of how many samples each ensemble holds, a whole number: what is equal
    differs by 0 in them, which it does not in sums of float32.
    """
    if rule == "average":
        return _averaged(probabilities, labels, right, ensembles, weights)
    return _counted(right, ensembles, rule, weights)


def _counted(
    right: np.ndarray, ensembles: Ensembles, rule: str, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of the rules that count members; samples of one pattern are looked at once."""
    patterns, inverse = _patterns(right)
    times, single = np.bincount(inverse).astype(float), weights.T.astype(np.float32)
    found = np.empty((len(patterns), len(weights)), dtype=np.float32)
    counts = np.zeros(len(ensembles.sizes))
    for part in _chunks(len(patterns), len(ensembles.sizes) * 16):
        number = patterns[part].astype(np.float32) @ ensembles.matrix
        held = number > 0 if rule == "any" else number > ensembles.sizes / 2
        found[part] = held.astype(np.float32) @ single
        counts += times[part] @ held
    return found[inverse], _means(counts, len(right), weights)


def _averaged(
    probabilities: Sequence[np.ndarray],
    labels: np.ndarray,
    right: np.ndarray,
    ensembles: Ensembles,
    weights: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Of the averaged probabilities; samples that all members get right need no look."""
    found = np.empty((len(labels), len(weights)), dtype=np.float32)
    unanimous, single = right.all(axis=1), weights.T.astype(np.float32)
    counts = np.full(len(ensembles.sizes), float(unanimous.sum()))
    found[unanimous] = weights.sum(axis=1)
    rest = np.flatnonzero(~unanimous)
    size = 2 * len(probabilities) * probabilities[0].shape[1] + 4 * len(ensembles.sizes)
    for part in _chunks(len(rest), size):
        rows = rest[part]
        stack = np.stack([np.asarray(member[rows]) for member in probabilities])
        held = np.empty((len(rows), len(ensembles.sizes)), dtype=np.uint8)
        held_by_average(*rivals(stack, labels[rows]), held)
        found[rows] = held.astype(np.float32) @ single
        counts += held.sum(axis=0)
    return found, _means(counts, len(labels), weights)


def _means(counts: np.ndarray, number: int, weights: np.ndarray) -> np.ndarray:
    """Return the mean over samples of Σ weight × held, [W], from how many each ensemble holds [I]."""
    means = weights @ counts / number
    return np.where(np.abs(means) < EXACT, 0.0, means)


def _patterns(right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the different rows of a bool matrix and which of them each row is."""
    packed = np.packbits(right, axis=1)
    keys = np.ascontiguousarray(packed).view(f"V{packed.shape[1]}")[:, 0]
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return right[first], inverse


def _chunks(count: int, bytes_each: int) -> Iterator[slice]:
    step = max(1, CHUNK_BYTES // bytes_each)
    return (slice(begin, begin + step) for begin in range(0, count, step))
