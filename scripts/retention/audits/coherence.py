"""Findings held against each other: what one implies for another. `reported` does so for the paper's numbers.

| check | implied by | bound |
|---|---|---|
| seeds agree at least as early loss implies | early_loss, loss and decay in different seeds, loss and loss | ρ²/q |
| seeds agree at least as the classes imply | seed_stability, the class's share of the variance of ranks | that share |
| seeds agree at least as the overlap of architectures implies | architecture_overlap, Jaccard | rank correlation of that overlap |
| scores that help another run agree between seeds | pruning_transfer, a verdict other than equivalent | 0 |
| architectures overlap no more than seeds of one do | architecture_overlap within | √(within · within) |

Where too few samples were forgotten for a finding to tell, nothing is implied: the verdict is undecided.
"""

import numpy as np
import pandas as pd

from retention.common.few import IN_BOTH, TOO_FEW, are_few
from retention.statistics.implications import implied_rank_correlation, implied_stability

SEEDS = ("next_seed", "other_seeds")  # sources of scores within the architecture
COLUMNS = ["check", "source", "dataset", "architecture", "value", "bound", "verdict", "explanation"]
EARLY_LOSS = "seeds agree at least as early loss implies"
CLASSES = "seeds agree at least as the classes imply"
OVERLAP = "seeds agree at least as the overlap of architectures implies"
TRANSFER = "scores that help another run agree between seeds"
WITHIN = "architectures overlap no more than seeds of one do"


def audit(findings: pd.DataFrame, top_fraction: float) -> pd.DataFrame:
    """Return one row per check; verdict coherent, incoherent or undecided.

    Incoherent only where the two 95 % intervals, of the value and of what implies its bound, are apart.

    findings: the tables of all findings together; top_fraction: the share that our overlaps are about.
    """
    rows = []
    for (dataset, architecture), group in findings.groupby(["dataset", "architecture"]):
        rows.append(_early_loss_bound(group, dataset, architecture))
    for dataset, group in findings.groupby("dataset"):
        rows += _class_bounds(group, dataset)
        rows += _overlap_bounds(group, dataset, top_fraction)
        rows += _transfer_bounds(group, dataset)
        rows += _noise_ceiling(group, dataset)
    return pd.DataFrame([row for row in rows if row], columns=COLUMNS)


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
    losses = _agreement(group, across)
    agreement = np.nan if losses is None else losses["estimate"]
    bound, least = implied_stability(across["estimate"], agreement), _least_implied(across, losses)
    score = str(stability.get("definition", "decay_constant")).split(",")[0]
    if score != "decay_constant":
        bound = least = float("nan")
    explanation = (
        f"early loss is about the decay constant, the agreement of seeds about {score}: nothing is implied"
        if score != "decay_constant"
        else "early loss or decay does not vary: nothing is implied"
        if np.isnan(bound)
        else f"loss predicts decay across seeds at {across['estimate']:.2f}{_said_of(agreement)}, so seeds "
        f"should agree at about {bound:.2f} or more"
    )
    gap = stability["estimate"] - bound
    verdict, explanation = _verdict(gap, stability["high"] - least, explanation, stability)
    cells = (dataset, architecture, stability["estimate"], bound, verdict, explanation)
    return _row(EARLY_LOSS, "ours", *cells)


def _agreement(group: pd.DataFrame, across: pd.Series) -> pd.Series | None:
    """Return the row of how far losses agree between seeds; None, which counts as fully, where it is of no use.

    A table of an earlier version has none, and losses that agree at ρ² or less could not predict at ρ across seeds.
    """
    found = _pick(group, "early_loss", "loss_agreement")
    return found if found is not None and found["estimate"] > across["estimate"] ** 2 else None


def _said_of(agreement: float) -> str:
    """Return what to say of the agreement of losses, "" where there is none to use."""
    return "" if np.isnan(agreement) else f" and losses agree at {agreement:.2f}"


def _least_implied(across: pd.Series, losses: pd.Series | None) -> float:
    """Return what the prediction across seeds implies at least: its interval's end nearer 0, or 0.

    The losses then agree as well as their interval has it, and fully where there is none.
    """
    if across["low"] <= 0 <= across["high"]:
        return 0.0
    most = np.nan if losses is None else losses["high"]
    return implied_stability(min(abs(across["low"]), abs(across["high"])), most)


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
