"""Statistics of classes: means, concordance, look-alikes, families; and labels permuted."""

from collections.abc import Mapping

import numpy as np
from scipy.stats import rankdata

from retention.common.compiled import compiled


def class_rates(
    events: np.ndarray, at_risk: np.ndarray, labels: np.ndarray, weights: np.ndarray, number: int
) -> np.ndarray:
    """Return Σ events / Σ epochs at risk of each class, float [D, R, C]; NaN where none is at risk.

    events, at_risk: float [R, N]; labels: int [D, N], below `number`, a labelling of the samples each;
    weights: float [D, N], a resample each; one row of either serves all rows of the other.
    """
    matrices = (np.ascontiguousarray(matrix, dtype=float) for matrix in (events, at_risk))
    return _class_rates(*matrices, labels, weights, number)


@compiled()
def _class_rates(
    events: np.ndarray, at_risk: np.ndarray, labels: np.ndarray, weights: np.ndarray, number: int
) -> np.ndarray:
    runs, samples = events.shape
    sets = max(len(labels), len(weights))
    found = np.zeros((sets, runs, number))
    mass = np.zeros(number)
    for d in range(sets):
        label, weight = labels[d % len(labels)], weights[d % len(weights)]
        for r in range(runs):
            mass[:] = 0.0
            for i in range(samples):
                found[d, r, label[i]] += weight[i] * events[r, i]
                mass[label[i]] += weight[i] * at_risk[r, i]
            for c in range(number):
                found[d, r, c] = found[d, r, c] / mass[c] if mass[c] else np.nan
    return found


def permuted_labels(
    classes: np.ndarray, groups: np.ndarray, times: int, draws: np.random.Generator
) -> np.ndarray:
    """Return class labels permuted among whole groups, int [times, N].

    One permutation serves all runs: the samples are shared, only what their labels say is undone.
    A group in several classes takes that of its first sample.
    """
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    labels = np.broadcast_to(classes[first], (times, len(first)))
    return draws.permuted(labels, axis=1)[:, member]


def kendalls_w(values: np.ndarray) -> np.ndarray:
    """Return Kendall's W of R raters' values [..., R, C], with the correction for ties, [...].

    Kendall & Babington Smith, Annals of Mathematical Statistics 10 (1939). Classes without a value
    from every rater are left out; NaN with fewer than two classes.
    """
    if np.isfinite(values).all():
        return _complete_w(values)
    tables = values.reshape(-1, *values.shape[-2:])
    found = [_complete_w(table[:, np.isfinite(table).all(axis=0)]) for table in tables]
    return np.array(found).reshape(values.shape[:-2])


def _complete_w(values: np.ndarray) -> np.ndarray:
    raters, items = values.shape[-2:]
    if items < 2:
        return np.full(values.shape[:-2], np.nan)
    ranks = rankdata(values, axis=-1)
    spread = np.sum((ranks.sum(axis=-2) - raters * (items + 1) / 2) ** 2, axis=-1)
    # Σ (t³ − t) over a rater's ties is 12 times what they take off Σ rank², (C³ − C)/12 without ties
    squares = np.sum((ranks - (items + 1) / 2) ** 2, axis=(-2, -1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return spread / (raters * squares)


def nearest_similarity(centroids: np.ndarray) -> np.ndarray:
    """Return each class's cosine similarity to the nearest other class, [C] from [C, D].

    The mean of all centroids is taken off first: features of one backbone share a direction. A class
    without a centroid (NaN) has none, and is nobody's nearest.
    """
    centred = centroids - np.nanmean(centroids, axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    cosine = unit @ unit.T
    known = np.isfinite(np.diag(cosine))
    np.fill_diagonal(cosine, -np.inf)
    nearest = np.where(known, cosine, -np.inf).max(axis=1)
    return np.where(known & np.isfinite(nearest), nearest, np.nan)


def rank_correlation(
    x: np.ndarray, y: np.ndarray, covariate: np.ndarray | None = None
) -> np.ndarray:
    """Return Spearman's ρ of x and each row of y, [...]; with a covariate the partial one.

    x, covariate: float [C]; y: float [..., C]. Partial: the ranks' residuals of the covariate's. A
    covariate that does not vary explains nothing: plain ρ.
    """
    a, b = (r - (len(x) + 1) / 2 for r in (rankdata(x), rankdata(y, axis=-1)))
    if covariate is not None and np.ptp(covariate) > 0:
        of_covariate = rankdata(covariate) - (len(x) + 1) / 2
        of_covariate /= np.linalg.norm(of_covariate)
        a, b = (r - (r @ of_covariate)[..., None] * of_covariate for r in (a, b))
    norm = np.linalg.norm(a) * np.linalg.norm(b, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(norm > 1e-9, (b @ a) / norm, np.nan)


def families_of(names: np.ndarray, families: str | Mapping[str, str]) -> np.ndarray | None:
    """Return each class's family, str [C], or None where none is known.

    families: "last_word" of the class name (birds: Brewer_Blackbird, Red_winged_Blackbird), or a map
    from class name to family, in which classes left out are families of their own.
    """
    if families == "last_word":
        return np.array([name.replace("_", " ").split()[-1] for name in names])
    if isinstance(families, str) or not families:
        return None
    return np.array([families.get(name, name) for name in names])


def within_family_share(counts: np.ndarray, families: np.ndarray) -> float:
    """Return the share of confusions [C, C] between different classes that stay in the family."""
    off_diagonal = counts * (1 - np.eye(len(counts)))
    total = off_diagonal.sum()
    same = families[:, None] == families[None, :]
    return float((off_diagonal * same).sum() / total) if total else float("nan")
