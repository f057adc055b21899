"""Numbers of all combinations under the same exchanges of samples."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from scipy.stats import rankdata

from retention.common.randomness import generator
from retention.multiverse.combinations import Combination
from retention.multiverse.frame import Frame
from retention.statistics.exchange import Exchange
from retention.statistics.permuted_pairs import correlations_of_permuted, overlaps_of_permuted
from retention.statistics.ranks import Pairs

PLAIN, WITHIN_CLASS = "", "within class"
STAYS = -1  # the unit of rows that no order is applied to
BLOCK_BYTES = 256 * 10**6  # of orders at a time
BLOCK = 100  # orders at a time: after each it is asked whether the time is over
FEWEST = 99  # exchanges that a test has, however long they take

Target = tuple[int, str]  # number of the combination, comparison
Permuted = dict[Target, np.ndarray]  # float [1 + times]


class NotTestable(ValueError):
    """A finding can not be tested by exchanges; the text says why."""


@dataclass(frozen=True)
class Ranked:
    """Pairs of rows whose numbers are averaged.

    rows: float [R, S · N], the N samples of S ≥ 1 runs one after another; units: int [R], which order a row follows, STAYS
    where none; fraction: of the top, None of a correlation; adjusted: class by class.
    """

    rows: np.ndarray
    units: Sequence[int]
    pairs: Pairs
    adjusted: bool
    fraction: float | None = None

    def key(self) -> tuple:
        """Return what two have in common whose numbers are the same; both correlations come from one pass."""
        ranks = rankdata(self.rows, axis=1, method="dense", nan_policy="omit")
        digest = sha256(np.ascontiguousarray(ranks).tobytes()).digest()
        of_top = None if self.fraction is None else (self.fraction, self.adjusted)
        return digest, self.rows.shape, tuple(self.units), tuple(map(tuple, self.pairs)), of_top

    def under(self, orders: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Return the means over the pairs under orders int32 [D, U, N], float [D, 2]: plain, adjusted; of a top both alike.

        classes: int [N].
        """
        times = self.rows.shape[1] // len(classes)
        if times > 1:
            shifts = np.arange(times, dtype=np.int32)[:, None] * np.int32(len(classes))
            orders = (orders[:, :, None, :] + shifts).reshape(*orders.shape[:2], -1)
            classes = np.tile(classes, times)
        units = np.asarray(self.units)
        if self.fraction is None:
            found = correlations_of_permuted(self.rows, units, self.pairs, orders, classes)
            return _mean(found)
        inside = classes if self.adjusted else None
        found = overlaps_of_permuted(self.rows, units, self.pairs, orders, self.fraction, inside)
        return np.repeat(_mean(found)[:, None], 2, axis=1)


OfCombination = Callable[[Frame, Mapping[str, str]], Iterator[tuple[str, Ranked]]]


def under_exchanges(
    frame: Frame,
    finding: str,
    listed: Sequence[Combination],
    compared: OfCombination,
    units: int,
    version: str,
    times: int,
) -> Permuted:
    """Return the numbers of all combinations in the data and under the same `times` exchanges.

    compared: yields each comparison of a combination; units: how many orders each exchange has. Groups change places with
    groups of their size, and within class of as many samples of each class. Where the frame's time is over there are fewer
    exchanges, `FEWEST` or more. Raises `NotTestable` where none can.
    """
    exchange = exchange_of(frame, version)
    whole: dict[tuple, Ranked] = {}
    targets: dict[tuple, list[tuple[Target, bool]]] = {}
    for one in listed:
        for comparison, ranked in compared(frame, one.levels):
            key = ranked.key()
            whole.setdefault(key, ranked)
            targets.setdefault(key, []).append(((one.number, comparison), ranked.adjusted))
    found: dict[tuple, list[np.ndarray]] = {key: [] for key in whole}
    made = 0
    classes = frame.setting.classes
    for orders in orders_of(frame, finding, exchange, units, version, times):
        for key, ranked in whole.items():
            found[key].append(ranked.under(orders, classes))
        made += len(orders)
        if made > FEWEST and frame.over_time():
            break
    numbers = {key: np.concatenate(parts) for key, parts in found.items()}
    return {
        target: numbers[key][:, int(adjusted)]
        for key, those in targets.items()
        for target, adjusted in those
    }


def exchange_of(frame: Frame, version: str) -> Exchange:
    """Return which groups change places; raise `NotTestable` where none does."""
    classes, groups = frame.setting.classes, frame.setting.groups
    within = version == WITHIN_CLASS
    exchange = Exchange(classes if within else np.zeros_like(classes), groups)
    if not exchange.movable:
        like = "as many samples of each class" if within else "its size"
        raise NotTestable(f"no group has another one of {like} to change places with")
    return exchange


def few_move(frame: Frame, version: str) -> str:
    """Return what to say where fewer than half of the samples can change places, else ""."""
    samples, movable = len(frame.setting.groups), exchange_of(frame, version).movable
    return f"{movable} of {samples} samples can change places" if 2 * movable < samples else ""


def draws_of(frame: Frame, finding: str, version: str) -> np.random.Generator:
    """Return the generator of a finding's exchanges."""
    dataset, seed = frame.study.runs[0].dataset, frame.statistics["seed"]
    return generator(dataset, seed, "multiverse", "joint", finding, version)


def orders_of(
    frame: Frame, finding: str, exchange: Exchange, units: int, version: str, times: int
) -> Iterator[np.ndarray]:
    """Yield blocks of orders, int32 [D, units, N], 1 + times in all; the first leaves all samples where they are."""
    samples = len(frame.setting.groups)
    size = min(max(BLOCK_BYTES // (4 * units * samples), 1), BLOCK)
    permutations = exchange.permutations(times * units, draws_of(frame, finding, version))
    for begin in range(0, times + 1, size):
        orders = np.empty((min(size, times + 1 - begin), units, samples), dtype=np.int32)
        for place in range(len(orders)):
            for unit in range(units):
                orders[place, unit] = (
                    np.arange(samples) if begin + place == 0 else next(permutations)
                )
        yield orders


def _mean(found: np.ndarray) -> np.ndarray:
    """Return the mean over pairs, axis 1, of the finite numbers; NaN where there is none."""
    finite = np.isfinite(found)
    with np.errstate(invalid="ignore"):
        return np.where(finite, found, 0.0).sum(axis=1) / finite.sum(axis=1)
