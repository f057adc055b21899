"""How far the overlap of two random lists reaches."""

from scipy.stats import hypergeom


def chance_range(n: int, k: int, level: float = 0.95) -> tuple[float, float]:
    """Return the central range of the Jaccard of two random k-subsets of n: x/(2k − x) at quantiles of the hypergeometric."""
    shared = hypergeom.interval(level, n, k, k)
    low, high = (float(x / (2 * k - x)) for x in shared)
    return low, high
