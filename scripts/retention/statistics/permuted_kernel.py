"""Rank correlations and top-fraction overlaps of pairs of rows under many permutations of their samples, compiled.

Rows are given as levels: the dense ranks of their values, from 0. A missing value has the level `tops[r]`, one above the
last. A row follows one of several orders: at place s stands sample orders[d, unit, s]; a unit of −1 leaves it as it is.
Where values are missing each pair is ranked anew among the samples that both rows have. Ranks follow from how many of
these have each level, so nothing is sorted.
"""

import numpy as np

from retention.common.compiled import compiled
from retention.statistics.rank_kernel import ADD_IN_ANY_ORDER

LEAST = 3  # samples in both rows, below which there is no number
Whole = int | np.int64
VARIES = 1e-12  # share of a sum of squares below which what is left of it is rounding


@compiled(fastmath=ADD_IN_ANY_ORDER)
def complete_correlations(
    ranks: np.ndarray,
    units: np.ndarray,
    pairs: np.ndarray,
    orders: np.ndarray,
    classes: np.ndarray,
    number: int,
) -> np.ndarray:
    """Return Spearman's ρ of rows without missing values, float [D, P, 2]: plain, and with class mean ranks taken off.

    ranks: float [R, N], less their mean; units: int64 [R]; pairs: int64 [P, 2]; orders: int32 [D, U, N]; classes: int64 [N],
    below `number`. NaN where a row is constant.
    """
    rows, samples = ranks.shape
    found = np.empty((len(orders), len(pairs), 2))
    placed, sums = np.empty((rows, samples)), np.empty((rows, number))
    squares, within = np.empty(rows), np.empty(rows)
    sizes = np.zeros(number)
    for s in range(samples):
        sizes[classes[s]] += 1
    for r in range(rows):
        squares[r] = 0.0
        for s in range(samples):
            squares[r] += ranks[r, s] ** 2
    for d in range(len(orders)):
        for r in range(rows):
            for c in range(number):
                sums[r, c] = 0.0
            for s in range(samples):
                sample = orders[d, units[r], s] if units[r] >= 0 else s
                placed[r, s] = ranks[r, sample]
                sums[r, classes[s]] += ranks[r, sample]
            within[r] = squares[r] - _of_classes(sums[r], sums[r], sizes)
        for p in range(len(pairs)):
            i, j = pairs[p]
            product = 0.0
            for s in range(samples):
                product += placed[i, s] * placed[j, s]
            found[d, p, 0] = _correlation(product, squares[i], squares[j], squares[i], squares[j])
            product -= _of_classes(sums[i], sums[j], sizes)
            found[d, p, 1] = _correlation(product, within[i], within[j], squares[i], squares[j])
    return found


@compiled()
def correlations_of_present(
    levels: np.ndarray,
    tops: np.ndarray,
    units: np.ndarray,
    pairs: np.ndarray,
    orders: np.ndarray,
    classes: np.ndarray,
    number: int,
    most: int,
) -> np.ndarray:
    """Return the same of rows with missing values, float [D, P, 2]; levels: int32 [R, N], tops: int64 [R], of which `most`
    is the largest.

    NaN, too, where fewer than `LEAST` samples have a value in both rows. Twice a midrank less the mean rank is a whole
    number, so sums are exact; they need N³/3 < 2⁶³.
    """
    rows, samples = levels.shape
    found = np.empty((len(orders), len(pairs), 2))
    counts = np.zeros((rows, most + 1), dtype=np.int32)
    own = np.zeros((rows, most + 1), dtype=np.int32)  # ranks where the other row has all values
    own_kept, own_square = np.empty(rows, dtype=np.int64), np.empty(rows, dtype=np.int64)
    for r in range(rows):
        for s in range(samples):
            counts[r, levels[r, s]] += 1
        own_kept[r], own_square[r] = _ranked(counts[r], tops[r], own[r])
    placed = np.empty((rows, samples), dtype=np.int32)
    present = np.empty((rows, samples), dtype=np.int32)
    absent = np.empty((rows, samples), dtype=np.int32)
    here = np.empty(rows, dtype=np.int64)
    in_pair = np.empty(most + 1, dtype=np.int32)
    ranks = np.empty((2, most + 1), dtype=np.int32)
    sums = np.empty((3, number))
    squares = np.empty(2, dtype=np.int64)
    for d in range(len(orders)):
        for r in range(rows):
            _place(levels[r], units[r], orders[d], placed[r])
            here[r] = _split(placed[r], tops[r], present[r], absent[r])
        for p in range(len(pairs)):
            kept = 0
            for side in range(2):
                i, j = pairs[p, side], pairs[p, 1 - side]
                if here[j] == samples:
                    for level in range(most + 1):
                        ranks[side, level] = own[i, level]
                    kept, squares[side] = own_kept[i], own_square[i]
                else:
                    gone = absent[j, : samples - here[j]]
                    _count(counts[i], placed[i], present[j, : here[j]], gone, in_pair)
                    kept, squares[side] = _ranked(in_pair, tops[i], ranks[side])
            i, j = pairs[p]
            row = i if here[i] <= here[j] else j
            fewer = present[row, : here[row]]
            product = _summed(fewer, placed[i], placed[j], tops[i], tops[j], ranks, classes, sums)
            first, second = float(squares[0]), float(squares[1])
            if kept < LEAST:
                first = second = 0.0
            found[d, p, 0] = _correlation(product, first, second, first, second)
            found[d, p, 1] = _correlation(
                product - _of_classes(sums[0], sums[1], sums[2]),
                first - _of_classes(sums[0], sums[0], sums[2]),
                second - _of_classes(sums[1], sums[1], sums[2]),
                first,
                second,
            )
    return found


@compiled()
def permuted_overlaps(
    levels: np.ndarray,
    tops: np.ndarray,
    ranked: np.ndarray,
    units: np.ndarray,
    pairs: np.ndarray,
    orders: np.ndarray,
    classes: np.ndarray,
    number: int,
    fraction: float,
) -> np.ndarray:
    """Return the Jaccard overlap of the top fractions of each pair, float [D, P].

    levels: int32 [R, N], 0 of the largest value; ranked: int64 [R, N], samples by level; the rest as above.
    There are k = round(fraction · n) places of each class, of the samples that both rows have; samples tied at the cut have
    equal parts of the places left. With one class for all it is I / (2k − I) at the intersection I expected over random
    tie-breaks, as in `rank_kernel.overlaps`; with several, I and k are summed over those with at least `LEAST` samples. NaN
    without a place.
    """
    rows, samples = levels.shape
    found = np.empty((len(orders), len(pairs)))
    placed = np.empty((rows, samples), dtype=np.int32)
    present = np.empty((rows, samples), dtype=np.bool_)
    ordered = np.empty((rows, samples), dtype=np.int32)
    starts = np.empty((rows, number + 1), dtype=np.int64)
    inverse = np.empty((orders.shape[1] + 1, samples), dtype=np.int32)
    for s in range(samples):
        inverse[-1, s] = s  # of rows that stay
    kept = np.empty(number, dtype=np.int64)
    share = np.zeros(samples)
    for d in range(len(orders)):
        for u in range(orders.shape[1]):
            for s in range(samples):
                inverse[u, orders[d, u, s]] = s
        for r in range(rows):
            if d == 0 or units[r] >= 0:
                _place(levels[r], units[r], orders[d], placed[r])
                _bucket(ranked[r], inverse[units[r]], classes, ordered[r], starts[r])
                for s in range(samples):
                    present[r, s] = placed[r, s] < tops[r]
        for p in range(len(pairs)):
            i, j = pairs[p]
            _count_kept(present[i], present[j], classes, kept)
            shared, places = 0.0, 0.0
            for c in range(number):
                k = np.rint(fraction * kept[c])
                if kept[c] >= LEAST and k > 0:
                    one = ordered[i, starts[i, c] : starts[i, c + 1]]
                    other = ordered[j, starts[j, c] : starts[j, c + 1]]
                    end = _fill_top(one, placed[i], present[i], present[j], k, share)
                    shared += _shared(other, placed[j], present[j], present[i], k, share)
                    for place in range(end):
                        share[one[place]] = 0.0
                    places += k
            found[d, p] = shared / (2 * places - shared) if places else np.nan
    return found


@compiled()
def _place(levels: np.ndarray, unit: int, orders: np.ndarray, placed: np.ndarray) -> None:
    """Fill placed [N] with a row's levels in its order."""
    for s in range(len(placed)):
        placed[s] = levels[orders[unit, s] if unit >= 0 else s]


@compiled()
def _split(placed: np.ndarray, top: int, present: np.ndarray, absent: np.ndarray) -> int:
    """List the places that have a value, and those that have none; return the number of the first."""
    here, gone = 0, 0
    for s in range(len(placed)):
        if placed[s] < top:
            present[here] = s
            here += 1
        else:
            absent[gone] = s
            gone += 1
    return here


@compiled()
def _count(
    counts: np.ndarray,
    placed: np.ndarray,
    present: np.ndarray,
    absent: np.ndarray,
    in_pair: np.ndarray,
) -> None:
    """Fill in_pair with how many samples of each level the other row has, too; lists are the other row's."""
    fewer = len(absent) < len(present)
    for level in range(len(in_pair)):
        in_pair[level] = counts[level] if fewer else 0
    if fewer:
        for s in absent:
            in_pair[placed[s]] -= 1
    else:
        for s in present:
            in_pair[placed[s]] += 1


@compiled()
def _ranked(in_pair: np.ndarray, top: int, ranks: np.ndarray) -> tuple[int, Whole]:
    """Fill twice each level's midrank less the mean rank, 0 of missing values; return the number and the sum of squares."""
    kept = 0
    for level in range(top):
        kept += in_pair[level]
    twice_below: Whole
    square: Whole
    twice_below, square = -kept, 0
    for level in range(top):
        count = np.int64(in_pair[level])
        rank = twice_below + count
        ranks[level] = rank
        square += count * rank * rank
        twice_below += 2 * count
    ranks[top] = 0
    return kept, square


@compiled()
def _summed(
    places: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    top: int,
    other_top: int,
    ranks: np.ndarray,
    classes: np.ndarray,
    sums: np.ndarray,
) -> Whole:
    """Return Σ of the products of ranks; fill sums [3, C] by class: of both rows' ranks, and of the samples that both have."""
    for c in range(sums.shape[1]):
        sums[0, c] = sums[1, c] = sums[2, c] = 0.0
    total: Whole = 0
    for s in places:
        one, other = first[s], second[s]
        if one < top and other < other_top:
            label = classes[s]
            rank, other_rank = np.int64(ranks[0, one]), np.int64(ranks[1, other])
            total += rank * other_rank
            sums[0, label] += rank
            sums[1, label] += other_rank
            sums[2, label] += 1
    return total


@compiled()
def _of_classes(first: np.ndarray, second: np.ndarray, sizes: np.ndarray) -> float:
    """Return what the classes' means make up of a sum of products: Σ of the sums' products over the sizes."""
    total = 0.0
    for c in range(len(sizes)):
        if sizes[c] > 0:
            total += first[c] * second[c] / sizes[c]
    return total


@compiled()
def _correlation(
    product: float, first: float, second: float, whole_first: float, whole_second: float
) -> float:
    """Return a correlation from sums of squares; NaN where one is rounding beside the whole it was taken from."""
    if first > VARIES * whole_first and second > VARIES * whole_second:
        return product / np.sqrt(first * second)
    return np.nan


@compiled()
def _bucket(
    ranked: np.ndarray,
    inverse: np.ndarray,
    classes: np.ndarray,
    ordered: np.ndarray,
    starts: np.ndarray,
) -> None:
    """List a row's places class by class, the largest values first; class c begins at starts[c]."""
    if len(starts) == 2:
        starts[0], starts[1] = 0, len(ranked)
        for place in range(len(ranked)):
            ordered[place] = inverse[ranked[place]]
        return
    begun = np.zeros(len(starts), dtype=np.int64)
    for s in range(len(classes)):
        begun[classes[s] + 1] += 1
    starts[0] = 0
    for c in range(1, len(starts)):
        begun[c] += begun[c - 1]
        starts[c] = begun[c]
    for place in range(len(ranked)):
        s = inverse[ranked[place]]
        ordered[begun[classes[s]]] = s
        begun[classes[s]] += 1


@compiled()
def _count_kept(
    first: np.ndarray, second: np.ndarray, classes: np.ndarray, kept: np.ndarray
) -> None:
    """Fill how many samples of each class both rows have."""
    for c in range(len(kept)):
        kept[c] = 0
    if len(kept) == 1:
        total = 0
        for s in range(len(first)):
            total += first[s] & second[s]
        kept[0] = total
        return
    for s in range(len(first)):
        kept[classes[s]] += first[s] & second[s]


@compiled()
def _fill_top(
    ordered: np.ndarray,
    placed: np.ndarray,
    present: np.ndarray,
    other: np.ndarray,
    k: float,
    share: np.ndarray,
) -> int:
    """Fill each top sample's probability to be among the k; return after how many places it ends."""
    above, place = 0, 0
    while place < len(ordered) and above < k:
        end, mass = _tied(ordered, placed, present, other, place)
        probability = min((k - above) / mass, 1.0) if mass else 0.0
        for tie in range(place, end):
            s = ordered[tie]
            if present[s] and other[s]:
                share[s] = probability
        above += mass
        place = end
    return place


@compiled()
def _shared(
    ordered: np.ndarray,
    placed: np.ndarray,
    present: np.ndarray,
    other: np.ndarray,
    k: float,
    share: np.ndarray,
) -> float:
    """Return Σ of this row's probabilities times `share`, the other row's."""
    above, place, total = 0, 0, 0.0
    while place < len(ordered) and above < k:
        end, mass = _tied(ordered, placed, present, other, place)
        probability = min((k - above) / mass, 1.0) if mass else 0.0
        for tie in range(place, end):
            if present[ordered[tie]]:
                total += probability * share[ordered[tie]]
        above += mass
        place = end
    return total


@compiled()
def _tied(
    ordered: np.ndarray, placed: np.ndarray, present: np.ndarray, other: np.ndarray, place: int
) -> tuple[int, int]:
    """Return where the level that begins at a place ends, and how many of it both rows have."""
    level, end, mass = placed[ordered[place]], place, 0
    while end < len(ordered) and placed[ordered[end]] == level:
        s = ordered[end]
        mass += present[s] & other[s]
        end += 1
    return end, mass
