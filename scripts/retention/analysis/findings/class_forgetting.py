"""F4: which classes are forgotten, is it the same ones in every run, and do look-alikes explain it?

| comparison | statistic | what |
|---|---|---|
| "A: class" | class_hazard | mean hazard of a class's samples over the runs |
| "A", "all runs" | kendalls_w | concordance of the runs' class rankings; chance = its mean when labels are permuted |
| "A" | similarity_spearman, similarity_spearman_partial | cosine to the nearest other class at epoch 0 against class hazard (partial: on class size) |
| "A" | confusion_agreement | confusions at forgetting events against those at other errors |
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata, spearmanr

from retention.analysis.finding_table import Setting, finish, row, setting_of
from retention.analysis.resampling import new_runs, p_value
from retention.analysis.runs import Run, by_architecture, column

FINDING = "class_forgetting"
DEFINITION = "(forgetting events + ½) / (epochs at risk + 1); chance: over all samples"


def measure(
    runs: Sequence[Run],
    statistics: Mapping,
    confusions: Mapping[str, pd.DataFrame],
    centroids: Mapping[str, np.ndarray],
) -> pd.DataFrame:
    """Return the finding's table.

    confusions: per architecture, confusions.csv of its runs together; centroids: per architecture
    float [C, D], the mean over its runs. Both may be empty: their rows are then left out.
    """
    setting = setting_of(runs, statistics, FINDING)
    labels, first = np.unique(setting.classes, return_index=True)
    names = runs[0].samples["class_name"].to_numpy(dtype=str)[first]
    indicator = (setting.classes[:, None] == labels).astype(float)
    groups = by_architecture(runs)
    rows = []
    for name, group in groups.items():
        hazards = class_means(column(group, "hazard"), indicator)
        rows += _class_rows(setting, name, group, names, indicator)
        rows.append(_concordance_row(setting, name, group, indicator))
        shared = {"comparison": name, "architecture": name, "seeds": len(group)}
        if name in centroids:
            similarity = nearest_similarity(centroids[name][labels])
            rows += _similarity_rows(
                similarity, hazards.mean(axis=0), indicator.sum(axis=0), shared
            )
        if name in confusions:
            rows.append(_confusion_row(confusions[name], shared))
    rows.append(_concordance_row(setting, "all runs", runs, indicator))
    return finish(rows, FINDING, runs[0].dataset, statistics["correction"])


def class_means(values: np.ndarray, indicator: np.ndarray) -> np.ndarray:
    """Return the mean of each run's finite values in each class, [R, C]."""
    finite = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (np.where(finite, values, 0) @ indicator) / (finite @ indicator)


def kendalls_w(values: np.ndarray) -> float:
    """Return Kendall's W of R raters' values [R, C], with the correction for ties.

    Kendall & Babington Smith, Annals of Mathematical Statistics 10 (1939).
    """
    values = values[:, np.isfinite(values).all(axis=0)]
    raters, items = values.shape
    if items < 2:
        return float("nan")
    ranks = rankdata(values, axis=1)
    spread = np.sum((ranks.sum(axis=0) - raters * (items + 1) / 2) ** 2)
    ties = sum(
        np.sum(counts**3 - counts)
        for counts in (np.unique(row, return_counts=True)[1] for row in ranks)
    )
    return float(12 * spread / (raters**2 * (items**3 - items) - raters * ties))


def nearest_similarity(centroids: np.ndarray) -> np.ndarray:
    """Return each class's cosine similarity to the nearest other class, [C] from [C, D].

    The mean of all centroids is taken off first: features of one backbone share a direction.
    """
    centred = centroids - np.nanmean(centroids, axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -np.inf)
    return cosine.max(axis=1)


def _class_rows(setting, name, group, names, indicator) -> list[dict]:
    hazard = column(group, "hazard")
    rows = []
    for c, class_name in enumerate(names):
        inside = indicator[:, c] > 0
        finite = np.isfinite(hazard[:, inside])
        shared = {
            "comparison": f"{name}: {class_name}",
            "architecture": name,
            "n": int(inside.sum()),
            "chance": float(np.nanmean(hazard)),
            "definition": DEFINITION,
            "seeds": len(group),
        }
        unlearned = int((~finite.any(axis=1)).sum())
        if unlearned:
            note = f"never at risk in {unlearned} of {len(group)} runs"
            rows.append(row("class_hazard", np.nan, note=note, **shared))
            continue
        values = np.where(finite, hazard[:, inside], 0)
        weights = setting.counts[:, inside].astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            draws = (weights @ values.T) / (weights @ finite.T)
        items = values.sum(axis=1) / finite.sum(axis=1)
        interval = new_runs(items, draws, np.eye(len(group), dtype=bool), max(inside.sum(), 2))
        rows.append(row("class_hazard", interval, **shared))
    return rows


def _concordance_row(setting: Setting, name: str, runs: Sequence[Run], indicator) -> dict:
    hazard = column(runs, "hazard")
    groups = runs[0].samples["group"].to_numpy(dtype=str)
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    means = class_means(hazard, indicator)
    ranked = int(np.isfinite(means).all(axis=0).sum())
    observed = kendalls_w(means)
    permuted = []
    for _ in range(min(setting.statistics["resamples"], 999)):
        # One permutation for all runs, groups whole: samples are shared, labels say nothing.
        shuffled = indicator[first][setting.draws.permutation(len(first))][member]
        permuted.append(kendalls_w(class_means(hazard, shuffled)))
    permuted = np.array(permuted)
    return row(
        "kendalls_w",
        observed,
        comparison=name,
        architecture="" if name == "all runs" else name,
        p=p_value(observed, permuted[np.isfinite(permuted)]),
        n=ranked,
        chance=float(np.nanmean(permuted)),
        ceiling=1.0,
        definition="class means of the hazard; null: class labels permuted",
        seeds=len({run.seed for run in runs}),
        note=f"over the {ranked} of {indicator.shape[1]} classes that every run learned",
    )


def _similarity_rows(similarity, hazard, size, shared) -> list[dict]:
    kept = np.isfinite(similarity) & np.isfinite(hazard)
    if kept.sum() < 4:
        return []
    ranks = [rankdata(values[kept]) for values in (similarity, hazard, size)]
    design = np.stack([np.ones(kept.sum()), ranks[2]], axis=1)
    residuals = [r - design @ np.linalg.lstsq(design, r, rcond=None)[0] for r in ranks[:2]]
    plain = spearmanr(similarity[kept], hazard[kept])
    shared = shared | {"n": int(kept.sum()), "chance": 0.0}
    return [
        row(
            "similarity_spearman",
            float(plain.statistic),
            p=float(plain.pvalue),
            definition="cosine to the nearest other class, epoch 0, against class hazard",
            **shared,
        ),
        row(
            "similarity_spearman_partial",
            float(np.corrcoef(*residuals)[0, 1]),
            definition="ranks, class size taken off",
            **shared,
        ),
    ]


def _confusion_row(confusions: pd.DataFrame, shared: Mapping) -> dict:
    counts = confusions.pivot_table(
        index=["label", "predicted"],
        columns="occasion",
        values="count",
        aggfunc="sum",
        fill_value=0,
    ).reindex(columns=["forgetting", "other_error"], fill_value=0)
    agreement = np.nan
    if len(counts) > 3 and (counts.nunique() > 1).all():
        agreement = float(spearmanr(counts["forgetting"], counts["other_error"]).statistic)
    definition = "pairs (label, predicted) seen, counts at forgetting events and at other errors"
    return row("confusion_agreement", agreement, n=len(counts), definition=definition, **shared)
