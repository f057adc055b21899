"""How much of a score's variance is the class's, the sample's, the architecture's, the seed's.

Model, architectures and their mean fixed, the rest random, samples within classes and seeds within
architectures:

    y = μ + architecture + class + sample(class) + class × architecture + sample × architecture
        + seed(architecture) + class × seed + residual

Analysis-of-variance estimates: mean squares equated with their expectations, n₀ samples a class
where classes are unequal (Searle, Casella & McCulloch, Variance Components, 1992, ch. 4). Estimates
may be negative where a component is about zero; they are shown, not cut off. Effects of the fixed
architectures sum to 0 over them (Scheffé, The Analysis of Variance, 1959, ch. 8), so of a component
σ² of theirs only (A − 1)/A σ² is in a run's variance: shares count that, and add up to it.
"""

from dataclasses import dataclass

import numpy as np

from retention.statistics.resampling import MINIMUM_SEEDS, THESE_RUNS, Interval

SOURCES = (
    "class",
    "sample",
    "class_x_architecture",
    "sample_x_architecture",
    "seed",
    "class_x_seed",
    "residual",
)
BLOCKS = 20


@dataclass(frozen=True)
class Sums:
    """All that mean squares need to know of D data sets: the whole, and each block left out."""

    sizes: np.ndarray  # float [D, C], samples
    values: np.ndarray  # float [D, A, S, C], sums of y
    of_values: np.ndarray  # float [D], Σ y²
    of_cells: np.ndarray  # float [D], Σ over architectures and samples of squared means over seeds
    of_samples: np.ndarray  # float [D], Σ over samples of squared means over all runs


def shares(values: np.ndarray, classes: np.ndarray, groups: np.ndarray) -> dict[str, Interval]:
    """Return each source's share of the variance, with a jackknife over groups and over seeds.

    values: float [A, S, N], architectures by seeds by samples, all finite; classes, groups: int [N].
    The variance of a share is that over blocks of groups left out, plus that over seeds left out,
    less that over both, which the two count. With fewer than 3 seeds it is that over groups, about
    `these runs`. The sources of an architecture are left out when A = 1.
    """
    seeds, block = values.shape[1], blocks_of_classes(classes, groups)
    found = components_without_blocks(values, classes, block)
    of_all = _shares(found, len(values))
    whole, no_block = of_all[0], of_all[1:]
    number = len(no_block)
    variance = _jackknife(no_block - whole)
    target, degrees = THESE_RUNS, np.full(len(whole), number - 1.0)
    if seeds >= MINIMUM_SEEDS:
        left = [values[:, np.arange(seeds) != seed] for seed in range(seeds)]
        of_left = [components_without_blocks(one, classes, block) for one in left]
        without = np.stack([_shares(one, len(values)) for one in of_left])
        no_seed, neither = without[:, 0], without[:, 1:]
        crossed = neither - no_seed[:, None] - no_block + whole
        of_seeds = _jackknife(no_seed - whole)
        of_both = np.sum([_jackknife(one) for one in crossed], axis=0) * (seeds - 1) / seeds
        of_groups, added = variance, np.maximum(of_seeds - of_both, 0)
        variance = of_groups + added
        unsure = added + np.minimum(of_both, of_groups)
        degrees = np.maximum(
            variance**2 / (unsure**2 / (seeds - 1) + of_groups**2 / (number - 1)), 1.0
        )
        target = "new runs"
    return {
        source: Interval(float(whole[k]), float(np.sqrt(variance[k])), float(degrees[k]), target)
        for k, source in enumerate(found)
    }


def _jackknife(deviations: np.ndarray) -> np.ndarray:
    """Return the jackknife variance from deviations of leave-one-out estimates, [K] from [n, K]."""
    number = len(deviations)
    return (number - 1) / number * np.sum((deviations - deviations.mean(axis=0)) ** 2, axis=0)


def components(values: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    """Return the component of each source; values: float [A, S, N], classes: int [N].

    Those with the architecture are Σ effects² / (A − 1), as mean squares have them.
    """
    found = components_without_blocks(values, classes, np.full(len(classes), -1))
    return {source: float(of_sets[0]) for source, of_sets in found.items()}


def components_without_blocks(
    values: np.ndarray, classes: np.ndarray, block: np.ndarray
) -> dict[str, np.ndarray]:
    """Return `components` of all samples, and with each block of them left out, [1 + blocks].

    block: int [N], from 0, −1 for what is always in.
    """
    sums = _sums(values - values.mean(), classes, block)
    squares, n0 = _mean_squares(sums), _mean_size(sums.sizes)
    architectures, seeds = sums.values.shape[1:3]
    runs, samples = architectures * seeds, sums.sizes.sum(axis=1)
    residual, by_class_x_seed = squares["residual"], squares["class_x_seed"]
    found = {
        "sample": (squares["sample"] - residual) / runs,
        "class_x_seed": (by_class_x_seed - residual) / n0,
        "residual": residual,
    }
    of_classes = np.sum(sums.sizes**2, axis=1) / samples * found["class_x_seed"]
    found["seed"] = (squares["seed"] - residual - of_classes) / samples
    of_class = squares["class"] - squares["sample"] - by_class_x_seed + residual
    found["class"] = of_class / (runs * n0)
    if architectures > 1:
        of_sample = squares["sample_x_architecture"]
        found["sample_x_architecture"] = (of_sample - residual) / seeds
        of_class = squares["class_x_architecture"] - of_sample - by_class_x_seed + residual
        found["class_x_architecture"] = of_class / (seeds * n0)
    return {source: found[source] for source in SOURCES if source in found}


def _sums(values: np.ndarray, classes: np.ndarray, block: np.ndarray) -> Sums:
    """Sum once over each class in each block; what is left without a block is a difference."""
    architectures, seeds, samples = values.shape
    classes = np.unique(classes, return_inverse=True)[1]
    of_cells, of_samples = values.mean(axis=1), values.mean(axis=(0, 1))
    of_each = np.concatenate(
        [
            np.ones((1, samples)),
            [np.sum(values**2, axis=(0, 1)), np.sum(of_cells**2, axis=0), of_samples**2],
            values.reshape(-1, samples),
        ]
    )
    order = np.lexsort((block, classes))
    cell = np.stack([classes, block])[:, order]
    starts = np.flatnonzero(np.r_[True, (np.diff(cell) != 0).any(axis=0)])
    # block −1 lands in the last place, which is never left out
    parts = np.zeros((len(of_each), classes.max() + 1, block.max() + 2))
    parts[:, *cell[:, starts]] = np.add.reduceat(of_each[:, order], starts, axis=1)
    whole = parts.sum(axis=2, keepdims=True)
    left = np.moveaxis(np.concatenate([whole, whole - parts[..., :-1]], axis=2), 2, 0)
    squares = left[:, 1:4].sum(axis=2).T
    of_runs = left[:, 4:].reshape(len(left), architectures, seeds, -1)
    return Sums(left[:, 0], of_runs, *squares)


def _mean_squares(sums: Sums) -> dict[str, np.ndarray]:
    """Return the mean square of each source in each data set, [D]."""
    architectures, seeds = sums.values.shape[1:3]
    sizes, samples, number = sums.sizes, sums.sizes.sum(axis=1), _classes_left(sums.sizes)
    run_of_class = sums.values / np.maximum(sizes, 1)[:, None, None]
    cell_of_class = run_of_class.mean(axis=2)
    by_class = cell_of_class.mean(axis=1)
    run = sums.values.sum(axis=3) / samples[:, None, None]
    per_architecture = run.mean(axis=2)
    grand = per_architecture.mean(axis=1)

    def over_classes(effects: np.ndarray) -> np.ndarray:
        """Return Σ n_c effect² over classes, and over architectures and runs if they are there."""
        of_all = effects.reshape(len(sizes), -1, sizes.shape[1])
        return np.sum(sizes[:, None] * of_all**2, axis=(1, 2))

    runs, of_runs = architectures * seeds, architectures * (seeds - 1)
    within = samples - number
    of_seed = run_of_class - cell_of_class[:, :, None]
    of_class_x_seed = of_seed - (run - per_architecture[:, :, None])[..., None]
    squares = {
        "class": runs * over_classes(by_class - grand[:, None]) / (number - 1),
        "sample": runs * (sums.of_samples - over_classes(by_class)) / within,
        "seed": samples * np.sum((run - per_architecture[:, :, None]) ** 2, axis=(1, 2)) / of_runs,
        "class_x_seed": over_classes(of_class_x_seed) / ((number - 1) * of_runs),
        "residual": (sums.of_values - seeds * sums.of_cells - over_classes(of_seed))
        / (within * of_runs),
    }
    if architectures > 1:
        degrees = architectures - 1
        of_class = cell_of_class - by_class[:, None]
        of_class_x = of_class - (per_architecture - grand[:, None])[..., None]
        of_sample_x = sums.of_cells - architectures * sums.of_samples - over_classes(of_class)
        squares["class_x_architecture"] = seeds * over_classes(of_class_x) / (number - 1) / degrees
        squares["sample_x_architecture"] = seeds * of_sample_x / within / degrees
    return squares


def _mean_size(sizes: np.ndarray) -> np.ndarray:
    """Return n₀ of classes of unequal sizes [D, C], [D]."""
    samples = sizes.sum(axis=1)
    return (samples - np.sum(sizes**2, axis=1) / samples) / (_classes_left(sizes) - 1)


def _classes_left(sizes: np.ndarray) -> np.ndarray:
    """Return how many classes have samples, [D]: a block can hold all of one whose groups are others'."""
    return np.count_nonzero(sizes, axis=1)


def _shares(found: dict[str, np.ndarray], architectures: int) -> np.ndarray:
    """Return shares of the total [D, K] from components [D] of K sources."""
    # effects that sum to 0 over A fixed architectures vary by (A − 1)/A of their component
    of_fixed = (architectures - 1) / architectures
    of_runs = [
        of_sets * of_fixed if source.endswith("_x_architecture") else of_sets
        for source, of_sets in found.items()
    ]
    parts = np.stack(of_runs, axis=1)
    total = parts.sum(axis=1, keepdims=True)
    return np.divide(parts, total, out=np.full_like(parts, np.nan), where=total > 0)


def blocks_of_classes(classes: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Deal whole groups to at most 20 blocks, each class's groups evenly; return [N] from 0.

    Every class keeps samples whichever block is left out, unless it has a single group: such groups
    belong to no block (−1).
    """
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    stratum = classes[first]
    number = min(BLOCKS, len(first))
    order = np.argsort(stratum, kind="stable")
    block = np.empty(len(first), dtype=np.int64)
    block[order] = np.arange(len(first)) % number
    sizes = np.bincount(stratum)
    block[sizes[stratum] == 1] = -1
    used = block >= 0
    block[used] = np.unique(block[used], return_inverse=True)[1]
    return block[member]
