"""How numbers that span decades lie together: shares in bins, quartiles of one along the other."""

import numpy as np

PER_DECADE = 6


def decade_bins(values: np.ndarray) -> np.ndarray:
    """Return the lower and the upper edge of each value's bin, float [N, 2].

    values: float [N], none below 0. Bins reach from 10^(k/6) to 10^((k+1)/6); 0 has one of its own, from 0 to 0. NaN has none: NaN.
    """
    values = np.asarray(values, dtype=float)
    if (values < 0).any():
        raise ValueError("a number below 0 lies in no decade")
    positive = np.where(values > 0, values, np.nan)
    place = np.floor(PER_DECADE * np.log10(positive))
    edges = 10.0 ** (np.stack([place, place + 1], axis=1) / PER_DECADE)
    return np.where((values == 0)[:, None], 0.0, edges)


def joint_shares(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which bins hold numbers, and each bin's share of all of them.

    x, y: float [N], none below 0. Returns edges, float [M, 4] (lower and upper of x, then of y, ascending), and shares, float [M]. Where
    x or y is NaN a number is in no bin, but one of all.
    """
    edges = np.concatenate([decade_bins(x), decade_bins(y)], axis=1)
    known = np.isfinite(edges).all(axis=1)
    bins, counts = np.unique(edges[known], axis=0, return_counts=True)
    return bins, counts / max(len(edges), 1)


def quartiles_along(x: np.ndarray, y: np.ndarray, groups: int) -> np.ndarray:
    """Return the median of x and the quartiles of y of groups that are equally large and follow each other along x.

    x, y: float [N], no NaN. Returns float [G, 4]: the median of x, then lower quartile, median and upper quartile of y.
    """
    parts = np.array_split(np.argsort(x, kind="stable"), groups)
    return np.array(
        [[np.median(x[part]), *np.percentile(y[part], [25, 50, 75])] for part in parts if len(part)]
    ).reshape(-1, 4)
