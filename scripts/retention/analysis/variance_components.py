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

import numpy as np

from retention.analysis.resampling import MINIMUM_SEEDS, Interval

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


def shares(values: np.ndarray, classes: np.ndarray, groups: np.ndarray) -> dict[str, Interval]:
    """Return each source's share of the variance, with a jackknife over groups and over seeds.

    values: float [A, S, N], architectures by seeds by samples, all finite; classes, groups: int [N].
    The variance of a share is that over blocks of groups left out, plus that over seeds left out,
    less that over both, which the two count. With fewer than 3 seeds it is that over groups, about
    `these runs`. The sources of an architecture are left out when A = 1.
    """
    seeds, block = values.shape[1], blocks_of_classes(classes, groups)
    number = int(block.max()) + 1
    by_seed = seeds >= MINIMUM_SEEDS

    def without(seed: int | None, left_out: int | None) -> np.ndarray:
        kept = np.ones(len(block), dtype=bool) if left_out is None else block != left_out
        chosen = [s for s in range(seeds) if s != seed]
        return np.array(_shares(values[:, chosen][..., kept], classes[kept]))

    whole = without(None, None)
    no_block = np.stack([without(None, b) for b in range(number)])
    variance = _jackknife(no_block - whole)
    target, degrees = "these runs", np.full(len(whole), number - 1.0)
    if by_seed:
        no_seed = np.stack([without(s, None) for s in range(seeds)])
        neither = np.stack([[without(s, b) for b in range(number)] for s in range(seeds)])
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
        for k, source in enumerate(components(values, classes))
    }


def _jackknife(deviations: np.ndarray) -> np.ndarray:
    """Return the jackknife variance from deviations of leave-one-out estimates, [K] from [n, K]."""
    number = len(deviations)
    return (number - 1) / number * np.sum((deviations - deviations.mean(axis=0)) ** 2, axis=0)


def components(values: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    """Return the component of each source; values: float [A, S, N], classes: int [N].

    Those with the architecture are Σ effects² / (A − 1), as mean squares have them.
    """
    architectures, seeds, samples = values.shape
    order = np.argsort(classes, kind="stable")
    values, member = values[..., order], np.unique(classes[order], return_inverse=True)[1]
    sizes = np.bincount(member).astype(float)
    number, starts = len(sizes), np.r_[0, np.cumsum(sizes[:-1])].astype(int)

    def of_class(means: np.ndarray) -> np.ndarray:
        return np.add.reduceat(means, starts, axis=-1) / sizes

    by_sample, by_class = values.mean(axis=(0, 1)), of_class(values.mean(axis=(0, 1)))
    grand = values.mean()
    per_architecture = values.mean(axis=(1, 2), keepdims=True)
    cell, cell_of_class = values.mean(axis=1), of_class(values.mean(axis=1))
    run = values.mean(axis=2, keepdims=True)
    run_of_class = of_class(values)

    runs = architectures * seeds
    squares = {
        "class": runs * np.sum(sizes * (by_class - grand) ** 2) / (number - 1),
        "sample": runs * np.sum((by_sample - by_class[member]) ** 2) / (samples - number),
        "seed": samples * np.sum((run - per_architecture) ** 2) / (architectures * (seeds - 1)),
    }
    of_seed = run_of_class - cell_of_class[:, None] - run + per_architecture
    squares["class_x_seed"] = np.sum(sizes * of_seed**2) / (
        (number - 1) * architectures * (seeds - 1)
    )
    rest = values - cell[:, None] - run_of_class[..., member] + cell_of_class[:, None][..., member]
    squares["residual"] = np.sum(rest**2) / ((samples - number) * architectures * (seeds - 1))
    n0 = (samples - np.sum(sizes**2) / samples) / (number - 1)
    residual = squares["residual"]
    found = {
        "sample": (squares["sample"] - residual) / runs,
        "class_x_seed": (squares["class_x_seed"] - residual) / n0,
        "residual": residual,
    }
    of_classes = np.sum(sizes**2) / samples * found["class_x_seed"]
    found["seed"] = (squares["seed"] - residual - of_classes) / samples
    found["class"] = (squares["class"] - squares["sample"] - squares["class_x_seed"] + residual) / (
        runs * n0
    )
    if architectures > 1:
        degrees = architectures - 1
        crossed = cell_of_class - by_class - per_architecture[:, 0] + grand
        of_class_x = seeds * np.sum(sizes * crossed**2) / ((number - 1) * degrees)
        crossed = cell - by_sample - cell_of_class[:, member] + by_class[member]
        of_sample_x = seeds * np.sum(crossed**2) / ((samples - number) * degrees)
        found["sample_x_architecture"] = (of_sample_x - residual) / seeds
        found["class_x_architecture"] = (
            of_class_x - of_sample_x - squares["class_x_seed"] + residual
        ) / (seeds * n0)
    return {source: float(found[source]) for source in SOURCES if source in found}


def _shares(values: np.ndarray, classes: np.ndarray) -> list[float]:
    # effects that sum to 0 over A fixed architectures vary by (A − 1)/A of their component
    of_fixed = (len(values) - 1) / len(values)
    found = [
        value * of_fixed if source.endswith("_x_architecture") else value
        for source, value in components(values, classes).items()
    ]
    total = sum(found)
    return [value / total if total > 0 else np.nan for value in found]


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
