"""Findings held against each other: what one implies for another, ours and the reported ones.

| check | implied by | bound |
|---|---|---|
| seeds agree at least as early loss implies | early_loss, loss and decay in different seeds | ρ² |
| seeds agree at least as the classes imply | seed_stability, the class's share of the variance of ranks | that share |
| seeds agree at least as the overlap of architectures implies | architecture_overlap, Jaccard | rank correlation of that overlap |
| scores that help another run agree between seeds | pruning_transfer, a verdict other than equivalent | 0 |
| architectures overlap no more than seeds of one do | architecture_overlap within | √(within · within) |

Where too few samples were forgotten for a finding to tell, nothing is implied: the verdict is undecided.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm

from retention.common.few import IN_BOTH, TOO_FEW, are_few

SEEDS = ("next_seed", "other_seeds")  # sources of scores within the architecture
COLUMNS = ["check", "source", "dataset", "architecture", "value", "bound", "verdict", "explanation"]
EARLY_LOSS = "seeds agree at least as early loss implies"
CLASSES = "seeds agree at least as the classes imply"
OVERLAP = "seeds agree at least as the overlap of architectures implies"
TRANSFER = "scores that help another run agree between seeds"
WITHIN = "architectures overlap no more than seeds of one do"


def audit(findings: pd.DataFrame, reported: Mapping, top_fraction: float) -> pd.DataFrame:
    """Return one row per check; verdict coherent, incoherent or undecided.

    Incoherent only where the two 95 % intervals, of the value and of what implies its bound, are apart.

    findings: the tables of all findings together; reported: paper.yaml; top_fraction: the
    share that our overlaps are about, and a reported one that does not say its own.
    """
    rows = []
    for (dataset, architecture), group in findings.groupby(["dataset", "architecture"]):
        rows.append(_early_loss_bound(group, dataset, architecture))
    for dataset, group in findings.groupby("dataset"):
        rows += _class_bounds(group, dataset)
        rows += _overlap_bounds(group, dataset, top_fraction)
        rows += _transfer_bounds(group, dataset)
        rows += _noise_ceiling(group, dataset)
    rows += _reported_bounds(reported, top_fraction)
    return pd.DataFrame([row for row in rows if row], columns=COLUMNS)


def implied_stability(across_seeds: float) -> float:
    """Return the least agreement between seeds that a prediction across seeds implies.

    If loss and decay correlate at ρ whichever seeds they come from, decay constants of two seeds
    share at least the part that the loss explains in both, ρ².
    """
    return across_seeds**2


def implied_rank_correlation(jaccard: float, fraction: float) -> float:
    """Return Spearman's ρ of two normal scores whose top fractions overlap by a Jaccard index.

    Of the k members of one top fraction 2J/(1+J) are in the other, so both are above the cut with
    probability q · 2J/(1+J); the bivariate normal's correlation r with that upper tail gives
    ρ = 6/π · asin(r/2) (Pearson 1907). NaN outside what correlations in [−0.999, 0.999] reach.
    """
    if not np.isfinite(jaccard):
        return float("nan")
    cut, shared = norm.ppf(fraction), fraction * 2 * jaccard / (1 + jaccard)

    def excess(r: float) -> float:
        return multivariate_normal.cdf([cut, cut], cov=[[1, r], [r, 1]]) - shared

    if excess(-0.999) > 0 or excess(0.999) < 0:
        return float("nan")
    return float(6 / np.pi * np.arcsin(brentq(excess, -0.999, 0.999) / 2))


def _pick(table: pd.DataFrame, finding: str, statistic: str) -> pd.Series | None:
    found = table[(table["finding"] == finding) & (table["statistic"] == statistic)]
    return None if found.empty else found.iloc[0]


def _row(
    check: str,
    source: str,
    dataset: str,
    architecture: str,
    value: float,
    bound: float,
    verdict: str,
    explanation: str,
) -> dict:
    cells = (check, source, dataset, architecture, value, bound, verdict, explanation)
    return dict(zip(COLUMNS, cells, strict=True))


def _early_loss_bound(group: pd.DataFrame, dataset: str, architecture: str) -> dict | None:
    across = _pick(group, "early_loss", "spearman_across_seeds")
    stability = _pick(group, "seed_stability", "spearman")
    if across is None or stability is None:
        return None
    bound, least = implied_stability(across["estimate"]), _least_implied(across)
    score = str(stability.get("definition", "decay_constant")).split(",")[0]
    if score != "decay_constant":
        bound = least = float("nan")
    explanation = (
        f"early loss is about the decay constant, the agreement of seeds about {score}: nothing is implied"
        if score != "decay_constant"
        else "early loss or decay does not vary: nothing is implied"
        if np.isnan(bound)
        else f"loss predicts decay across seeds at {across['estimate']:.2f}, so seeds should agree at "
        f"about {bound:.2f} or more"
    )
    gap = stability["estimate"] - bound
    verdict, explanation = _verdict(gap, stability["high"] - least, explanation, stability)
    cells = (dataset, architecture, stability["estimate"], bound, verdict, explanation)
    return _row(EARLY_LOSS, "ours", *cells)


def _least_implied(across: pd.Series) -> float:
    """Return what the prediction across seeds implies at least: its interval's end nearer 0, or 0."""
    if across["low"] <= 0 <= across["high"]:
        return 0.0
    return implied_stability(min(abs(across["low"]), abs(across["high"])))


def _stabilities(group: pd.DataFrame) -> pd.DataFrame:
    chosen = (group["finding"] == "seed_stability") & (group["statistic"] == "spearman")
    return group[chosen]


def _class_bounds(group: pd.DataFrame, dataset: str) -> list[dict]:
    share = _pick(group, "seed_stability", "variance_of_ranks_class")
    if share is None:
        return []
    rows = []
    for _, found in _stabilities(group).iterrows():
        bound = share["estimate"]
        explanation = (
            "the ranks do not vary: nothing is implied"
            if np.isnan(bound)
            else f"classes that all runs share are {bound:.2f} of the variance of ranks"
        )
        gap, best = found["estimate"] - bound, found["high"] - min(share["low"], bound)
        verdict, explanation = _verdict(gap, best, explanation, found)
        cells = (dataset, found["architecture"], found["estimate"], bound, verdict, explanation)
        rows.append(_row(CLASSES, "ours", *cells))
    return rows


def _overlap_bounds(group: pd.DataFrame, dataset: str, fraction: float) -> list[dict]:
    stability = _stabilities(group).set_index("architecture")
    rows = []
    for _, found in _between_architectures(group).iterrows():
        names = found["comparison"].split(" vs ")
        if not set(names) <= set(stability.index):
            continue
        estimates, highs = (stability.loc[names, end].clip(lower=0) for end in ("estimate", "high"))
        value, best = (float(np.sqrt(two.prod(skipna=False))) for two in (estimates, highs))
        bound, least = (
            implied_rank_correlation(found[end], fraction) for end in ("estimate", "low")
        )
        explanation = (
            "there is no overlap to speak of: nothing is implied"
            if np.isnan(bound)
            else f"an overlap of {found['estimate']:.2f} is that of rankings that correlate at "
            f"{bound:.2f} (normal scores); value: √(agreement of seeds, both architectures)"
        )
        rests_on = (found, *(stability.loc[name] for name in names))
        verdict, explanation = _verdict(value - bound, best - least, explanation, *rests_on)
        cells = (dataset, found["comparison"], value, bound, verdict, explanation)
        rows.append(_row(OVERLAP, "ours", *cells))
    return rows


def _overlaps(group: pd.DataFrame) -> pd.DataFrame:
    chosen = (group["finding"] == "architecture_overlap") & (group["statistic"] == "jaccard")
    return group[chosen]


def _between_architectures(group: pd.DataFrame) -> pd.DataFrame:
    overlaps = _overlaps(group)
    names = overlaps["comparison"].str.split(" vs ")
    return overlaps[names.map(lambda two: two[0] != two[-1]).astype(bool)]


def _transfer_bounds(group: pd.DataFrame, dataset: str) -> list[dict]:
    """Return a row per gain that one run's scores bring another: they must have something in common."""
    stability = _stabilities(group).set_index("architecture")
    gains = group[
        (group["finding"] == "pruning_transfer") & (group["statistic"] == "gain_over_random")
    ]
    rows = []
    for _, found in gains.iterrows():
        helps = found["verdict"] in ("better", "worse") and found["source"] in SEEDS
        if not helps or found["architecture"] not in stability.index:
            continue
        ours = stability.loc[found["architecture"]]
        explanation = (
            f"{found['comparison']}: {found['verdict']} by {found['estimate']:.3f}, so scores of two seeds "
            "have something in common"
        )
        verdict, explanation = _verdict(ours["estimate"], ours["high"], explanation, ours)
        cells = (dataset, found["architecture"], ours["estimate"], 0.0, verdict, explanation)
        rows.append(_row(TRANSFER, "ours", *cells))
    return rows


def _noise_ceiling(group: pd.DataFrame, dataset: str) -> list[dict]:
    between = _between_architectures(group)
    overlaps = _overlaps(group).set_index("comparison")
    rows = []
    for _, found in between[between["ceiling"].notna()].iterrows():
        within = [f"{name} vs {name}" for name in found["comparison"].split(" vs ")]
        best = float(np.sqrt(overlaps.loc[within, "high"].prod(skipna=False)))
        explanation = "geometric mean of the overlaps within each architecture (a yardstick)"
        rests_on = (found, *(overlaps.loc[name] for name in within))
        gap = found["ceiling"] - found["estimate"]
        verdict, explanation = _verdict(gap, best - found["low"], explanation, *rests_on)
        cells = (dataset, found["comparison"], found["estimate"], found["ceiling"])
        rows.append(_row(WITHIN, "ours", *cells, verdict, explanation))
    return rows


def _reported_bounds(reported: Mapping, fraction: float) -> list[dict]:
    low, stability = reported["early_loss"]["low"], reported["seed_stability"]["value"]
    bound = implied_stability(low)
    explanation = (
        f"if the reported {low} to {reported['early_loss']['high']} hold across seeds (the abstract "
        f"does not say), seeds should agree at {bound:.2f} or more"
    )
    verdict = "coherent" if stability >= bound else "incoherent"
    rows = [_row(EARLY_LOSS, "paper", "", "", stability, bound, verdict, explanation)]
    for number in reported["numbers"]:
        if number["finding"] != "architecture_overlap":
            continue
        bound = implied_rank_correlation(number["low"], number.get("top_fraction", fraction))
        explanation = (
            f"an overlap of {number['low']:.2f} between architectures is that of rankings that "
            f"correlate at {bound:.2f} (normal scores; if the runs compared had different seeds, which "
            "the abstract does not say)"
        )
        verdict = "coherent" if stability >= bound else "incoherent"
        cells = (number.get("dataset", ""), "", stability, bound, verdict, explanation)
        rows.append(_row(OVERLAP, "paper", *cells))
    return rows


def _verdict(
    gap: float, best_case: float, explanation: str, *rests_on: pd.Series
) -> tuple[str, str]:
    """Return the verdict and the explanation, which says so where too few were forgotten for rows that it rests on."""
    if any(are_few(row.get(IN_BOTH[1], np.nan)) for row in rests_on):
        return "undecided", f"{explanation}; {TOO_FEW}"
    if np.isnan(gap):
        return "undecided", explanation
    if gap >= 0:
        return "coherent", explanation
    return ("incoherent" if best_case < 0 else "undecided"), explanation
