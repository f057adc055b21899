"""Statistics of runs as a person would write them, sample by sample: nothing of the library but the fits themselves."""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import pearsonr, rankdata, spearmanr

from retention.dynamics.fitted import Fits
from retention.multiverse.scores import definition_of


def rate(table, **definition):
    """Return the score and R² of a run under a definition, each fitted on its own."""
    fits = Fits(np.stack(table["correct"]), np.stack(table["known"]))
    found = fits.of(definition_of(definition))
    return np.where(table["never_learned"], np.nan, found.score), found.r_squared


def both(x, y):
    kept = np.isfinite(x) & np.isfinite(y)
    return x[kept], y[kept], kept


def rho(x, y):
    x, y, _ = both(x, y)
    return spearmanr(x, y).statistic


def partial_rho(x, y, labels):
    x, y, kept = both(x, y)
    ranks = pd.DataFrame({"x": rankdata(x), "y": rankdata(y), "label": np.asarray(labels)[kept]})
    rest = ranks[["x", "y"]] - ranks.groupby("label")[["x", "y"]].transform("mean")
    return pearsonr(rest["x"], rest["y"]).statistic


def chance_of_top(values, k):
    """Return each sample's probability of being among the k largest, the tied sharing what is left."""
    found = []
    for value in values:
        above, tied = sum(values > value), sum(values == value)
        found.append(min(max(k - above, 0) / tied, 1))
    return np.array(found)


def midrank_jaccard(x, y, fraction):
    x, y, _ = both(x, y)
    k = round(fraction * len(x))
    shared = sum(p * q for p, q in zip(chance_of_top(x, k), chance_of_top(y, k), strict=True))
    return shared / (2 * k - shared)


def sets_jaccard(first, second):
    return len(set(first) & set(second)) / len(set(first) | set(second))


def between(value_of, statistic, same_seed=False):
    """Return the mean of a statistic over pairs of runs of a and b."""
    pairs = [(("a", i), ("b", j)) for i in range(3) for j in range(3) if (i == j) == same_seed]
    return np.mean([statistic(value_of[one], value_of[other]) for one, other in pairs])


def within(value_of, statistic, name):
    return np.mean(
        [statistic(value_of[name, i], value_of[name, j]) for i, j in combinations(range(3), 2)]
    )


def class_values(table, value, samples="all", never="left_out", **definition):
    """Return the value of each class in one run, from its samples one by one."""
    found = []
    for _, inside in table.assign(rate=rate(table, **definition)[0]).groupby("label"):
        if samples == "ever_forgotten":
            inside = inside[inside["forgetting_events"] > 0]
        learned = inside[~inside["never_learned"].astype(bool)]
        if value == "pooled_hazard":
            found.append(inside["forgetting_events"].sum() / inside["epochs_at_risk"].sum())
        elif value == "share_forgotten" and never == "left_out":
            found.append((learned["forgetting_events"] > 0).mean())
        elif value == "share_forgotten":
            found.append(((inside["forgetting_events"] > 0) | inside["never_learned"]).mean())
        else:
            found.append(learned["rate"].mean())
    return found


def every_top(values, k):
    """All equally likely top-k sets over the ways to break the tie at the cut."""
    limit = np.sort(values)[::-1][k - 1]
    sure = set(np.flatnonzero(values > limit))
    tied = np.flatnonzero(values == limit)
    return [sure | set(lot) for lot in combinations(tied, k - len(sure))]
