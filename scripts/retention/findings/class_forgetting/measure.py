"""F4: which classes are forgotten, is it the same ones in every run, and do look-alikes explain it?

| comparison | statistic | what |
|---|---|---|
| "A: class" | class_hazard | forgetting events of a class's samples over their epochs at risk, mean over the runs |
| "A", "all runs" | kendalls_w | concordance of the runs' class rankings; chance = its mean when labels are permuted |
| "A" | similarity_spearman, similarity_spearman_partial | cosine to the nearest other class at epoch 0 against class hazard (partial: on class size) |
| "A" | confusion_agreement | confusions at forgetting events against those at other errors |
| "A" | family_share_forgetting, family_share_other_error | share of confusions that stay within a family |
| "A" | family_share_difference | forgetting minus other errors, without a p |

p: permutation of the samples' class labels (W), of the classes' similarities, of the family labels
among classes. Classes are fixed: nothing is said of other classes.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from scipy.stats import spearmanr

from retention.common.arrays import read_array
from retention.common.csv_tables import TEXT, read_csv
from retention.common.errors import UserError
from retention.common.lists import plural
from retention.common.parquet_tables import read_metadata
from retention.common.randomness import generator
from retention.findings.class_forgetting.structure import (
    class_rates,
    families_of,
    kendalls_w,
    nearest_similarity,
    permuted_labels,
    rank_correlation,
    within_family_share,
)
from retention.measuring.table import Setting, finish, row, setting_of
from retention.runs.reading import (
    Run,
    by_architecture,
    events_at_risk,
    read_runs,
)
from retention.statistics.few_events import FEW, UNSEEN, poisson_limits
from retention.statistics.redrawn import Redrawn
from retention.statistics.resampling import RATE, Interval, new_runs, p_value

NAME = "class_forgetting"
DEFINITION = "forgetting events / epochs at risk, both summed; chance: over all samples"
OCCASIONS = ("forgetting", "other_error")
CHANCE_PAIRS = 60  # permutations that the chance of an agreement is a mean of


def read(
    samples: Sequence[Path], confusions: Sequence[Path] = (), centroids: Sequence[Path] = ()
) -> dict[str, object]:
    """Return what `measure` takes, from the files of the same runs; the last two may be left out."""
    for name, files in (("--confusions", confusions), ("--centroids", centroids)):
        if files and len(files) != len(samples):
            raise UserError(f"{name}: {len(files)} files for {len(samples)} --samples")
    runs = read_runs(samples)
    owners = [read_metadata(path)["architecture"] for path in samples]
    # labels are numbers in this workflow; in traces of others they may be words
    words = () if is_numeric_dtype(runs[0].samples["label"]) else ("label", "predicted")
    tables = [read_csv(path, {*TEXT, *words}) for path in confusions]
    confused = _of_architecture(owners, tables, pd.concat)
    means = _of_architecture(owners, _read_centroids(centroids), _mean)
    return {"runs": runs, "confusions": confused, "centroids": means}


def measure(
    runs: Sequence[Run],
    statistics: Mapping,
    confusions: Mapping[str, pd.DataFrame],
    centroids: Mapping[str, np.ndarray],
    families: str | Mapping[str, str] = "",
) -> pd.DataFrame:
    """Return the finding's table.

    confusions: per architecture, confusions.csv of its runs together; centroids: per architecture
    float [C, D], the mean over its runs. Both may be empty: their rows are then left out. families:
    "last_word" of a class name, a map from class to family, or "" where there are none.
    """
    setting = setting_of(runs, statistics, NAME)
    labels = np.unique(runs[0].samples["label"])
    of_class = families_of(setting.class_names, families)
    groups = by_architecture(runs)

    def labels_of(draws: np.random.Generator, times: int) -> np.ndarray:
        return permuted_labels(setting.classes, setting.groups, times, draws)

    labellings = Redrawn(labels_of, setting.permutations, setting.draws)
    rows = []
    for name, group in groups.items():
        shared = {"comparison": name, "architecture": name, "seeds": len(group)}
        rows += _class_rows(setting, name, group)
        if len(group) > 1:
            rows.append(_concordance_row(setting, name, group, labellings))
        if name in centroids:
            similarity = nearest_similarity(_rows_of(centroids[name], labels))
            rows += _similarity_rows(setting, similarity, _hazards(setting, group), shared)
        if name in confusions:
            counts = {o: _matrix(confusions[name], o, labels) for o in OCCASIONS}
            draws = generator(runs[0].dataset, statistics["seed"], "confusion_agreement", name)
            rows.append(_agreement_row(counts, draws, shared))
            if of_class is not None and len(set(of_class)) < len(of_class):
                rows += _family_rows(setting, counts, of_class, shared)
    if len(groups) > 1:
        rows.append(_concordance_row(setting, "all runs", runs, labellings))
    first, correction = runs[0], statistics["correction"]
    return finish(rows, NAME, first.dataset, correction, treatment=first.treatment)


def _rows_of(centroids: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the centroids of the labels [C, D], whose rows count classes from 0."""
    counted = np.issubdtype(labels.dtype, np.integer)
    if counted and labels.min() >= 0 and labels.max() < len(centroids):
        return centroids[labels]
    raise UserError(
        f"--centroids: {len(centroids)} rows, a class each, counted from 0, do not fit the labels of "
        f"--samples, {labels[0]} to {labels[-1]}; number the labels of --index as the rows"
    )


def _hazards(setting: Setting, runs: Sequence[Run]) -> np.ndarray:
    """Return the hazard of each class in each run, [R, C]."""
    return _rates(setting, runs, setting.classes[None, :], setting.once)[0]


def _rates(
    setting: Setting, runs: Sequence[Run], labels: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    return class_rates(*events_at_risk(runs), labels, weights, len(setting.class_names))


def _class_rows(setting: Setting, name: str, group: Sequence[Run]) -> list[dict]:
    events, at_risk = events_at_risk(group)
    hazards = _hazards(setting, group)
    draws = setting.resamples.over(
        lambda weights: _rates(setting, group, setting.classes[None, :], weights)
    )
    every_run = np.eye(len(group), dtype=bool)
    rows = []
    for c, class_name in enumerate(setting.class_names):
        inside, items = setting.classes == c, hazards[:, c]
        shared = {
            "comparison": f"{name}: {class_name}",
            "architecture": name,
            "n": round((at_risk[:, inside] > 0).sum(axis=1).mean()),
            "chance": float(events.sum() / at_risk.sum()) if at_risk.any() else np.nan,
            "definition": DEFINITION,
            "seeds": len(group),
        }
        unlearned = int(np.isnan(items).sum())
        groups = len(np.unique(setting.groups[inside]))
        if unlearned:
            note = f"never at risk in {unlearned} of {len(group)} runs"
            rows.append(row("class_hazard", np.nan, note=note, **shared))
        elif groups == 1:
            note = "a single group: no interval"
            rows.append(row("class_hazard", float(items.mean()), note=note, **shared))
        else:
            drawn = draws[:, :, c]
            interval = new_runs(items, drawn, every_run, groups, RATE, few_degrees=True)
            forgotten = np.unique(setting.groups[inside & events.any(axis=0)])
            # what one group brings that is forgotten whole, once in every run
            of_group = len(group) * inside.sum() / groups
            ends = _ends(interval, len(forgotten), at_risk[:, inside].sum() / of_group)
            rows.append(row("class_hazard", interval, **shared, **ends))
    return rows


def _ends(interval: Interval, forgotten: int, at_risk: float) -> dict[str, object]:
    """Return what the ends of a hazard's interval are where few groups were ever forgotten; nothing where many were.

    forgotten: groups with an event in any run, taken for a Poisson count: the interval is no narrower than its limits
    allow. Of none the epochs at risk tell what is left open. at_risk: those of the class in all runs, divided by the
    samples of a group and by the runs: a group is forgotten whole and in every run, or not at all, for all that is known.
    """
    if forgotten >= FEW:
        return {}
    low, high = (
        limit * interval.estimate / max(forgotten, 1) for limit in poisson_limits(forgotten)
    )
    if not forgotten:
        low, high = 0.0, UNSEEN / at_risk
    ends = {"low": np.fmin(interval.low, low), "high": np.fmax(interval.high, min(high, 1.0))}
    return ends | {
        "target": interval.target,
        "note": f"{plural(forgotten, 'group')} ever forgotten",
    }


def _concordance_row(setting: Setting, name: str, runs: Sequence[Run], labellings: Redrawn) -> dict:
    number, hazards = len(setting.class_names), _hazards(setting, runs)
    ranked = int(np.isfinite(hazards).all(axis=0).sum())
    observed = float(kendalls_w(hazards))
    permuted = labellings.over(
        lambda labels: kendalls_w(_rates(setting, runs, labels, setting.once))
    )
    return row(
        "kendalls_w",
        observed,
        comparison=name,
        architecture="" if name == "all runs" else name,
        p=p_value(observed, permuted[np.isfinite(permuted)]),
        n=ranked,
        chance=float(np.nanmean(permuted)) if np.isfinite(permuted).any() else np.nan,
        ceiling=1.0,
        definition="class hazards; null: class labels permuted",
        seeds=len({run.seed for run in runs}),
        note=f"over the {ranked} of {number} classes that every run learned",
    )


def _similarity_rows(
    setting: Setting, similarity: np.ndarray, hazards: np.ndarray, shared: dict
) -> list[dict]:
    hazard, size = hazards.mean(axis=0), np.bincount(setting.classes).astype(float)
    kept = np.isfinite(similarity) & np.isfinite(hazard)
    if kept.sum() < 4:
        return []
    similarity, hazard, size = similarity[kept], hazard[kept], size[kept]
    shuffled = setting.draws.permuted(
        np.broadcast_to(similarity, (setting.permutations, len(similarity))), axis=1
    )
    rows = []
    for statistic, covariate, definition in (
        ("similarity_spearman", None, "cosine to the nearest other class, epoch 0; class hazard"),
        ("similarity_spearman_partial", size, "ranks, class size taken off"),
    ):
        found = float(rank_correlation(hazard, similarity, covariate))
        null = rank_correlation(hazard, shuffled, covariate)
        p = p_value(abs(found), np.abs(null))
        columns = shared | {"n": int(kept.sum()), "chance": 0.0, "definition": definition}
        rows.append(row(statistic, found, p=p, **columns))
    return rows


def _matrix(confusions: pd.DataFrame, occasion: str, labels: np.ndarray) -> np.ndarray:
    """Return how often each class was taken for each other, [C, C], summed over runs."""
    unknown = sorted(set(confusions["label"]) - set(labels.tolist()), key=str)
    if unknown or not (confusions["predicted"].isin(labels).any() or confusions.empty):
        named = unknown[0] if unknown else confusions["predicted"].iloc[0]
        raise UserError(
            f"--confusions: {named} is no label of --samples, which has {labels[0]} to {labels[-1]}; "
            "write predicted of the traces as label of --index"
        )
    chosen = confusions[confusions["occasion"] == occasion]
    table = chosen.pivot_table("count", "label", "predicted", aggfunc="sum", fill_value=0)
    return table.reindex(index=labels, columns=labels, fill_value=0).to_numpy(dtype=float)


def _agreement_row(counts: Mapping, draws: np.random.Generator, shared: Mapping) -> dict:
    """Chance: pairs of classes permuted. Who is seen on one occasion alone is low on the other."""
    others = ~np.eye(len(counts[OCCASIONS[0]]), dtype=bool)
    forgetting, other = (counts[o][others] for o in OCCASIONS)
    chance = [_agreement(draws.permuted(forgetting), other) for _ in range(CHANCE_PAIRS)]
    return row(
        "confusion_agreement",
        _agreement(forgetting, other),
        chance=float(np.nanmean(chance)) if np.isfinite(chance).any() else np.nan,
        n=int(((forgetting + other) > 0).sum()),
        definition="pairs (label, predicted) seen, counts at forgetting events and at other errors; "
        "chance: pairs permuted, below 0",
        **shared,
    )


def _agreement(forgetting: np.ndarray, other: np.ndarray) -> float:
    """Return Spearman's ρ over the pairs seen on either occasion."""
    seen = (forgetting + other) > 0
    if seen.sum() > 3 and np.ptp(forgetting[seen]) and np.ptp(other[seen]):
        return float(spearmanr(forgetting[seen], other[seen]).statistic)
    return float("nan")


def _family_rows(
    setting: Setting, counts: Mapping, families: np.ndarray, shared: dict
) -> list[dict]:
    """Permute the family labels among the classes: confusions know nothing of families."""
    shuffled = setting.draws.permuted(
        np.broadcast_to(
            np.unique(families, return_inverse=True)[1], (setting.permutations, len(families))
        ),
        axis=1,
    )
    found = {o: within_family_share(counts[o], families) for o in OCCASIONS}
    null = {
        o: np.array([within_family_share(counts[o], labels) for labels in shuffled])
        for o in OCCASIONS
    }
    columns = shared | {"n": len(set(families)), "note": f"{len(set(families))} families"}
    rows = [
        row(
            f"family_share_{o}",
            found[o],
            p=p_value(found[o], null[o]),
            chance=float(np.nanmean(null[o])) if np.isfinite(null[o]).any() else np.nan,
            definition="share of confusions within the family; null: family labels permuted",
            **columns,
        )
        for o in OCCASIONS
    ]
    # No p: labels permuted undo the families altogether, and two shares of true families differ by more
    rows.append(
        row(
            "family_share_difference",
            found["forgetting"] - found["other_error"],
            chance=0.0,
            definition="at forgetting events minus at other errors",
            **columns,
        )
    )
    return rows


def _of_architecture(owners: Sequence[str], contents: Sequence, combine: Callable) -> dict:
    """Combine the contents that belong to each architecture; empty without contents."""
    return {
        owner: combine([c for o, c in zip(owners, contents, strict=True) if o == owner])
        for owner in (set(owners) if contents else ())
    }


def _read_centroids(paths: Sequence[Path]) -> list[np.ndarray]:
    """Read class_centroids.npy of runs, float [C, D]; raise `UserError` for other arrays."""
    arrays = [read_array(path) for path in paths]
    for path, array in zip(paths, arrays, strict=True):
        if array.ndim != 2 or not np.issubdtype(array.dtype, np.floating):
            raise UserError(
                f"{path}: is {array.dtype} {array.shape}; expected float (classes, width)"
            )
    return arrays


def _mean(arrays: Sequence[np.ndarray]) -> np.ndarray:
    shapes = sorted({array.shape for array in arrays})
    if len(shapes) > 1:
        raise UserError(f"--centroids: those of one architecture are {shapes[0]} and {shapes[1]}")
    return np.mean(arrays, axis=0)
