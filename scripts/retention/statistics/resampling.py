"""Resampling of groups and of seeds, and intervals that say what they are about.

`these runs`: the samples vary (group bootstrap, stratified by class), the runs are fixed.
`new runs`: the seeds vary too. The variance of a mean over runs, or over pairs of runs, is

    V = V_groups + max(V_seeds − V_noise, 0)

V_groups: group bootstrap of the mean. V_seeds: delete-one-seed jackknife of the items themselves.
V_noise: the part of V_seeds that is sampling noise, which V_groups counts already: the same jackknife
of the bootstrap draws' deviations, on average. Crossed samples and seeds: Owen,
Annals of Applied Statistics 1, 386 (2007); Satterthwaite's degrees of freedom: Biometrics Bulletin 2,
110 (1946).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, logit, stdtr, stdtrit  # stdtr: scipy.stats.t without its checks

from retention.statistics.rank_kernel import WEIGHT_BITS, draw_groups

MINIMUM_SEEDS = 3
LEVEL = 0.95
ROUNDING = 1e-12  # a standard error below it is that of sums of weights, not of samples
THESE_RUNS = "these runs"
CHUNK = 64  # resamples whose random bits are drawn at a time: they stay in the processor's cache


@dataclass(frozen=True)
class Scale:
    """A scale on which an estimate is nearer to normal, and on which its interval is taken."""

    to: Callable[[float], float]
    back: Callable[[float], float]
    slope: Callable[[float], float]  # derivative of `to`


PLAIN = Scale(lambda x: x, lambda x: x, lambda _: 1.0)
# Fisher, Metron 1, 3 (1921): intervals of a correlation stay within −1 and 1
CORRELATION = Scale(np.arctanh, np.tanh, lambda r: np.divide(1.0, 1 - r * r))
# The arcsine square root, as for a proportion: intervals of a share stay within 0 and 1
SHARE = Scale(
    lambda x: np.arcsin(np.sqrt(x)),
    lambda x: np.sin(np.clip(x, 0, np.pi / 2)) ** 2,
    lambda x: 0.5 / np.sqrt(x - x * x),
)
# Log odds, as for a rate: runs differ by factors, and a mean of few such is too low more often than not
RATE = Scale(logit, expit, lambda x: np.divide(1.0, x - x * x))


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval, what it is about, and the two-sided p of any value.

    Where nothing varies there is no standard error to speak of: low, high and p are NaN.
    """

    estimate: float
    standard_error: float
    degrees: float
    target: str
    scale: Scale = PLAIN
    error_above: float = 0.0  # on the scale, of what was not seen and would be above the estimate

    @property
    def low(self) -> float:
        """Lower end."""
        return self.bounds(LEVEL)[0]

    @property
    def high(self) -> float:
        """Upper end."""
        return self.bounds(LEVEL)[1]

    def bounds(self, level: float) -> tuple[float, float]:
        """Return the ends of the central interval of a level, by the delta method on the scale."""
        if not self.varies:
            return float("nan"), float("nan")
        times, error = stdtrit(self.degrees, (1 + level) / 2), self._error
        centre = self.scale.to(self.estimate)
        low, high = centre - times * error, centre + times * np.hypot(error, self.error_above)
        return float(self.scale.back(low)), float(self.scale.back(high))

    @property
    def _error(self) -> float:
        """The standard error on the scale, by the delta method."""
        return float(self.standard_error * self.scale.slope(self.estimate))

    def p_of(self, value: float) -> float:
        """Return the two-sided p-value of a hypothetical value."""
        if not self.varies or not np.isfinite(value):
            return float("nan")
        distance = self.scale.to(self.estimate) - self.scale.to(value)
        error = np.hypot(self._error, self.error_above if distance < 0 else 0.0)
        return float(2 * stdtr(self.degrees, -abs(distance) / error))

    def at_least(self, error: float) -> "Interval":
        """Return the interval with a standard error, on its scale, that is not below `error`; NaN asks nothing."""
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = self.scale.slope(self.estimate)
            enough = not self.standard_error * slope < error
        if enough or not np.isfinite(slope):
            return self
        return replace(self, standard_error=float(error / slope))

    def no_narrower_than(self, half: float) -> "Interval":
        """Return the interval with half its width, on its scale, not below `half`; NaN asks nothing."""
        return self.at_least(half / self._times)

    def of_few(self, groups: int) -> "Interval":
        """Return the interval of a mean over so few groups, whose spread is no surer than theirs."""
        return replace(self, degrees=min(self.degrees, max(groups - 1.0, 1.0)))

    def reaching_up(self, half: float) -> "Interval":
        """Return the interval whose high end, on its scale, is by `half` further for what was not seen; NaN asks nothing.

        Both errors count together, as the root of their squares.
        """
        above = half / self._times
        return replace(self, error_above=float(above)) if above > self.error_above else self

    @property
    def _times(self) -> float:
        """How many standard errors an end is away."""
        return float(stdtrit(self.degrees, (1 + LEVEL) / 2))

    @property
    def varies(self) -> bool:
        """Whether there is a standard error to speak of."""
        if not self.standard_error > ROUNDING:
            return False
        with np.errstate(divide="ignore", invalid="ignore"):
            return bool(np.isfinite(self.scale.to(self.estimate) * self.scale.slope(self.estimate)))


def bootstrap_weights(
    groups: np.ndarray, classes: np.ndarray, resamples: int, draws: np.random.Generator
) -> np.ndarray:
    """Return each sample's weight in each group bootstrap, float32 [resamples, N].

    Within each class n − 1 of its n groups are drawn with replacement, whole, and count n/(n − 1):
    drawing n would make the variance too small by (n − 1)/n, a quarter where a class has four groups
    (Rao & Wu, J. American Statistical Association 83, 231, 1988). A class of one group has nothing
    to draw: it always counts 1. A group in several classes counts to that of its first sample.
    """
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    stratum = np.asarray(classes)[first]
    order = np.argsort(stratum, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(stratum[order]) != 0])
    sizes = np.diff(np.r_[starts, len(order)])
    taken = np.maximum(sizes - 1, 1)
    place = np.argsort(order)[member]
    scale = np.repeat(_rounded(sizes / taken), sizes)[place]
    weights = np.empty((resamples, len(place)), dtype=np.float32)
    words = ((taken + 1) // 2).sum()
    for begin in range(0, resamples, CHUNK):
        rows = weights[begin : begin + CHUNK]
        bits = draws.bit_generator.random_raw(len(rows) * words).reshape(len(rows), words)
        draw_groups(bits, sizes, taken, starts, place, scale, rows)
    return weights


def _rounded(values: np.ndarray) -> np.ndarray:
    """Return values to 16 bits: times a count below 256 they fit the 24 of a float32 exactly."""
    fraction, exponent = np.frexp(values)
    return np.ldexp(np.round(np.ldexp(fraction, WEIGHT_BITS)), exponent - WEIGHT_BITS)


def these_runs(estimate: float, draws: np.ndarray, groups: int, scale: Scale = PLAIN) -> Interval:
    """Return the interval of an estimate from its group-bootstrap draws [B]."""
    error = float(np.sqrt(_variance(draws)))
    return Interval(float(estimate), error, groups - 1, THESE_RUNS, scale)


def new_runs(
    items: np.ndarray,
    draws: np.ndarray,
    involves: np.ndarray,
    groups: int,
    scale: Scale = PLAIN,
    few_degrees: bool = False,
) -> Interval:
    """Return the interval of the mean over items (runs, or pairs of runs).

    items: float [I], one value per run or pair; draws: [B, I], the same in each group bootstrap;
    involves: bool [I, S], the one or two seeds an item rests on. With fewer than 3 seeds, or one that
    all items rest on, there is no variance over seeds to speak of: the interval is about `these runs`.
    few_degrees: where no variance over seeds is seen beside the noise, have no more degrees of freedom than
    the seeds. Few seeds often look alike by chance.
    """
    seeds = involves.shape[1]
    estimate, resampled = float(np.nanmean(items)), _means(draws)
    if seeds < MINIMUM_SEEDS or involves.all(axis=0).any():
        return these_runs(estimate, resampled, groups, scale)
    of_items = variance_over_seeds(items[None, :], involves)[0]
    noise = float(np.nanmean(variance_over_seeds(draws - items, involves)))
    found = crossed(estimate, _variance(resampled), of_items, noise, seeds, groups, scale)
    unseen = few_degrees and of_items <= noise
    return replace(found, degrees=min(found.degrees, seeds - 1.0)) if unseen else found


def crossed(
    estimate: float,
    of_groups: float,
    of_items: float,
    noise: float,
    seeds: int,
    groups: int,
    scale: Scale = PLAIN,
) -> Interval:
    """Return the interval for new samples and new seeds from V_groups, V_seeds and V_noise."""
    of_seeds = max(of_items - noise, 0.0)
    variance = of_groups + of_seeds
    # of_seeds is a difference, no surer than what it is taken from: the noise counts, up to V_groups
    unsure = of_seeds + min(max(noise, 0.0), of_groups)
    spread = unsure**2 / (seeds - 1) + of_groups**2 / max(groups - 1, 1)
    degrees = variance**2 / spread if spread > 0 else seeds - 1.0
    return Interval(estimate, float(np.sqrt(variance)), max(degrees, 1.0), "new runs", scale)


def variance_over_seeds(items: np.ndarray, involves: np.ndarray) -> np.ndarray:
    """Return the delete-one-seed jackknife variance of the mean over items, [B].

    items: float [B, I]; involves: bool [I, S]. In a row with missing items the seeds are those that
    have any. Of items of one seed each it is their variance, divided by S. Of all pairs of S seeds,
    h_ij = μ + a_i + a_j + e_ij, what the seeds add (a) is in it once and what the pair adds (e)
    2(S − 1)/(S − 2) times: never too small on average (Efron & Stein, Annals of Statistics 9, 586,
    1981). Estimating a and e apart is unbiased and yet too narrow (docs/decisions/0010).
    """
    finite, inside = np.isfinite(items), involves.astype(float)
    filled, outside = np.where(finite, items, 0.0), 1 - inside
    present = finite @ inside > 0
    seeds = present.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        without = (filled @ outside) / (finite @ outside)
        mean = np.where(present, without, 0.0).sum(axis=1) / seeds
        squares = np.where(present, without - mean[:, None], 0.0) ** 2
        return (seeds - 1) / seeds * squares.sum(axis=1)


def p_value(observed: float, permuted: np.ndarray) -> float:
    """Return the permutation p-value (b + 1) / (m + 1) of a large observed value, NaN for NaN.

    Phipson & Smyth, Statistical Applications in Genetics and Molecular Biology 9, 39 (2010).
    """
    if np.isnan(observed):
        return float("nan")
    return float((np.sum(permuted >= observed - 1e-12) + 1) / (len(permuted) + 1))


def _means(items: np.ndarray) -> np.ndarray:
    """Return the means of the finite items, [B]; NaN without a word where there is none."""
    finite = np.isfinite(items)
    with np.errstate(invalid="ignore"):
        return np.where(finite, items, 0.0).sum(axis=1) / finite.sum(axis=1)


def _variance(draws: np.ndarray) -> float:
    return float(np.nanvar(draws, ddof=1))
