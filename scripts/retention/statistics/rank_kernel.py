"""Rank correlations and top-fraction overlaps of pairs of runs in every resample, compiled.

Values are sorted once. In a resample in which sample i has weight weights[i], midranks follow from the
running sum of the weights in that order, so a resample costs a pass over memory instead of a sort.
"""

import numpy as np

from retention.common.compiled import compiled

ADD_IN_ANY_ORDER = {"reassoc", "contract"}  # sums are vectorised; NaN, infinity keep their rules
WALK_BELOW = 8  # lists longer than an eighth, as ties make them, are quicker multiplied than walked
WEIGHT_BITS = 16  # of weights of a single draw
WEIGHT_ERROR = 2.0**-WEIGHT_BITS
HALF, LOW = np.uint64(32), np.uint64(0xFFFFFFFF)


@compiled()
def draw_groups(
    raw: np.ndarray,
    sizes: np.ndarray,
    taken: np.ndarray,
    starts: np.ndarray,
    place: np.ndarray,
    scale: np.ndarray,
    weights: np.ndarray,
) -> None:
    """Draw groups with replacement within strata: fill weights, float32 [B, N].

    raw: uint64 [B, Σ ⌈taken / 2⌉], random bits, two draws of a stratum to a word; sizes, taken, starts: int64 [S]: a stratum's number
    of groups, how many of them are drawn, and its first group; place: int64 [N], each sample's
    group; scale: float [N], what one draw of it counts. A 32-bit number u gives the place ⌊u n / 2³²⌋ (Lemire, ACM TOMACS 2019), whose bias,
    n / 2³², is far below what any number of resamples shows.
    """
    counts = np.zeros(sizes.sum(), dtype=np.uint8)
    for b in range(len(weights)):
        used = 0
        counts[:] = 0
        for s in range(len(sizes)):
            size, drawn = np.uint64(sizes[s]), counts[starts[s] : starts[s] + sizes[s]]
            for word in raw[b, used : used + (taken[s] >> 1)]:
                drawn[((word >> HALF) * size) >> HALF] += 1
                drawn[((word & LOW) * size) >> HALF] += 1
            used += (taken[s] + 1) >> 1
            if taken[s] & 1:
                drawn[((raw[b, used - 1] >> HALF) * size) >> HALF] += 1
        for i in range(len(place)):
            weights[b, i] = counts[place[i]] * scale[i]


@compiled()
def correlations(
    orders: np.ndarray,
    tied: np.ndarray,
    pairs: np.ndarray,
    weights: np.ndarray,
    classes: np.ndarray,
    number: int,
) -> np.ndarray:
    """Return Spearman's ρ of pairs of rows, float [B, P]; NaN where a row is constant, 1 of a row with itself.

    orders: int64 [R, N], each row's samples in rising order; tied: bool [R, N], whether the value
    at that place equals the one before it; pairs: int64 [P, 2], of rows; weights: float [B, N]; classes: int64 [N], below
    `number`: with number > 0 each class's mean rank is taken off first.
    """
    rows, samples = orders.shape
    found = np.empty((len(weights), len(pairs)))
    ranks, squares = np.empty((rows, samples)), np.empty(rows)
    any_tied = np.array([np.any(row) for row in tied])
    for b in range(len(weights)):
        weight, total = weights[b], _sum(weights[b])
        for r in range(rows):
            if any_tied[r]:
                _midranks(orders[r], tied[r], weight, total, ranks[r])
            else:
                _ranks(orders[r].view(np.uint64), weight, total, ranks[r])
            if number:
                _centre(ranks[r], weight, classes, number)
            squares[r] = _product(weight, ranks[r], ranks[r])
        for p in range(len(pairs)):
            i, j = pairs[p]
            norm = np.sqrt(squares[i] * squares[j])
            if i == j:
                found[b, p] = 1.0
            elif norm > 1e-9:
                found[b, p] = _product(weight, ranks[i], ranks[j]) / norm
            else:
                found[b, p] = np.nan
    return found


@compiled(fastmath=ADD_IN_ANY_ORDER)
def _sum(values: np.ndarray) -> float:
    total = 0.0
    for value in values:
        total += value
    return total


@compiled()
def _ranks(order: np.ndarray, weight: np.ndarray, total: float, ranks: np.ndarray) -> None:
    """Do the same as `_midranks` where all values differ.

    order: uint64, as a number without sign is an index that needs no look at its sign.
    """
    below = -total / 2
    for i in order:
        ranks[i] = below + weight[i] / 2
        below += weight[i]


@compiled()
def _midranks(
    order: np.ndarray, tied: np.ndarray, weight: np.ndarray, total: float, ranks: np.ndarray
) -> None:
    """Fill ranks [N] with each sample's midrank less the mean rank, (total + 1) / 2."""
    below, start, mass = -total / 2, 0, 0.0
    samples = len(order)
    for place in range(samples):
        if place and not tied[place]:
            if start == place - 1:
                ranks[order[start]] = below + mass / 2
            else:
                for tie in range(start, place):
                    ranks[order[tie]] = below + mass / 2
            below += mass
            start, mass = place, 0.0
        mass += weight[order[place]]
    for tie in range(start, samples):
        ranks[order[tie]] = below + mass / 2


@compiled()
def _centre(ranks: np.ndarray, weight: np.ndarray, classes: np.ndarray, number: int) -> None:
    """Take each class's weighted mean off the ranks [N]."""
    sums, mass = np.zeros(number), np.zeros(number)
    for i in range(len(ranks)):
        sums[classes[i]] += weight[i] * ranks[i]
        mass[classes[i]] += weight[i]
    for i in range(len(ranks)):
        if mass[classes[i]] > 0:
            ranks[i] -= sums[classes[i]] / mass[classes[i]]


@compiled()
def overlaps(
    orders: np.ndarray, tied: np.ndarray, pairs: np.ndarray, weights: np.ndarray, fraction: float
) -> np.ndarray:
    """Return the Jaccard overlap of the top fractions of pairs of rows, float [B, P].

    orders: int64 [R, N], each row's samples in falling order; the rest as in `correlations`. The
    k = round(fraction · n) places are shared among the samples tied at the cut, so the overlap is
    I / (2k − I) at the intersection I expected over random tie-breaks.
    """
    rows, samples = orders.shape
    found = np.empty((len(weights), len(pairs)))
    share = np.zeros((rows, samples))
    ends = np.zeros(rows, dtype=np.int64)
    for b in range(len(weights)):
        k = np.round(fraction * _whole(_sum(weights[b]), samples))
        for r in range(rows):
            ends[r] = _fill_top(orders[r], tied[r], weights[b], k, share[r])
        for p in range(len(pairs)):
            r, s = pairs[p]
            if ends[s] < ends[r]:  # the shorter list is walked
                r, s = s, r
            if WALK_BELOW * ends[r] < samples:
                shared = _walked(orders[r, : ends[r]], weights[b], share[r], share[s])
            else:
                shared = _product(weights[b], share[r], share[s])
            found[b, p] = shared / (2 * k - shared) if k else np.nan
        for r in range(rows):
            for place in range(ends[r]):
                share[r, orders[r, place]] = 0.0
    return found


@compiled()
def _whole(total: float, samples: int) -> float:
    """Return the number of samples that weights of 16 bits stand for, where they stand for a whole one.

    Else half a place at fraction · n would be rounded otherwise than in the data.
    """
    nearest = np.round(total)
    return nearest if abs(total - nearest) < WEIGHT_ERROR * samples else total


@compiled()
def _walked(
    places: np.ndarray, weights: np.ndarray, first: np.ndarray, second: np.ndarray
) -> float:
    """Return Σ weights · first · second over the places."""
    total = 0.0
    for i in places:
        total += weights[i] * first[i] * second[i]
    return total


@compiled(fastmath=ADD_IN_ANY_ORDER)
def _product(weights: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """Return Σ weights · first · second, in the order of memory."""
    total = 0.0
    for i in range(len(weights)):
        total += weights[i] * first[i] * second[i]
    return total


@compiled()
def _fill_top(
    order: np.ndarray, tied: np.ndarray, weights: np.ndarray, k: float, share: np.ndarray
) -> int:
    """Fill each top sample's probability to be among the k; return after how many places it ends."""
    above, place, samples = 0.0, 0, len(order)
    while place < samples and above < k:
        end, mass = place, 0.0
        while end < samples and (end == place or tied[end]):
            mass += weights[order[end]]
            end += 1
        probability = min((k - above) / mass, 1.0) if mass else 0.0
        for i in range(place, end):
            share[order[i]] = probability
        above += mass
        place = end
    return place


@compiled()
def tie_broken_overlap(
    sure_x: np.ndarray,
    sure_y: np.ndarray,
    tied_x: np.ndarray,
    tied_y: np.ndarray,
    lots_x: np.ndarray,
    lots_y: np.ndarray,
    samples: int,
) -> tuple[float, float]:
    """Return the mean Jaccard of two top lists over random tie-breaks, and the variance of that mean.

    sure_x, sure_y: int64, samples above the cut; tied_x, tied_y: those tied there; lots_x, lots_y:
    uniform float [T, places left], one row for each tie-break: the first places of a Fisher–Yates
    shuffle of the tied. Of a single tie-break the variance is unknown: NaN.
    """
    member = np.zeros(samples, dtype=np.int64)
    found, size = np.empty(len(lots_x)), len(sure_x) + lots_x.shape[1]
    for draw in range(len(lots_x)):
        _deal(tied_x, lots_x[draw])
        _deal(tied_y, lots_y[draw])
        mark = draw + 1
        for i in sure_x:
            member[i] = mark
        for place in range(lots_x.shape[1]):
            member[tied_x[place]] = mark
        shared = 0
        for i in sure_y:
            shared += member[i] == mark
        for place in range(lots_y.shape[1]):
            shared += member[tied_y[place]] == mark
        found[draw] = shared / (2 * size - shared)
    mean, times = found.mean(), len(found)
    spread = ((found - mean) ** 2).sum()
    return mean, spread / (times - 1) / times if times > 1 else np.nan


@compiled()
def _deal(members: np.ndarray, lots: np.ndarray) -> None:
    """Move a random choice of the members to the front, one for each lot in [0, 1)."""
    for place in range(len(lots)):
        other = place + int(lots[place] * (len(members) - place))
        members[place], members[other] = members[other], members[place]
