"""Findings held against each other: what one implies for another, ours and the reported ones."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

COLUMNS = ["check", "source", "dataset", "architecture", "value", "bound", "verdict", "explanation"]


def audit(findings: pd.DataFrame, reported: Mapping) -> pd.DataFrame:
    """Return one row per check; verdict coherent, incoherent or undecided (the interval spans)."""
    rows = []
    for (dataset, architecture), group in findings.groupby(["dataset", "architecture"]):
        rows.append(_early_loss_bound(group, dataset, architecture))
    for dataset, group in findings.groupby("dataset"):
        rows += _noise_ceiling(group, dataset)
    rows.append(_reported_bound(reported))
    return pd.DataFrame([row for row in rows if row], columns=COLUMNS)


def implied_stability(across_seeds: float) -> float:
    """Return the least agreement between seeds that a prediction across seeds implies.

    If loss and decay correlate at ρ whichever seeds they come from, decay constants of two seeds
    share at least the part that the loss explains in both, ρ².
    """
    return across_seeds**2


def _pick(table: pd.DataFrame, finding: str, statistic: str) -> pd.Series | None:
    found = table[(table["finding"] == finding) & (table["statistic"] == statistic)]
    return None if found.empty else found.iloc[0]


def _early_loss_bound(group: pd.DataFrame, dataset: str, architecture: str) -> dict | None:
    across = _pick(group, "early_loss", "spearman_across_seeds")
    stability = _pick(group, "seed_stability", "spearman")
    if across is None or stability is None:
        return None
    bound = implied_stability(across["estimate"])
    explanation = (
        "early loss or decay does not vary: nothing is implied"
        if np.isnan(bound)
        else f"loss predicts decay across seeds at {across['estimate']:.2f}, so seeds should agree at "
        f"about {bound:.2f} or more"
    )
    return {
        "check": "seed stability is at least what early loss implies",
        "source": "ours",
        "dataset": dataset,
        "architecture": architecture,
        "value": stability["estimate"],
        "bound": bound,
        "verdict": _verdict(stability["estimate"] - bound, stability["high"] - bound),
        "explanation": explanation,
    }


def _noise_ceiling(group: pd.DataFrame, dataset: str) -> list[dict]:
    rows = []
    overlap = group[
        (group["finding"] == "architecture_overlap") & (group["statistic"] == "jaccard")
    ]
    for _, found in overlap[overlap["ceiling"].notna()].iterrows():
        gap = found["ceiling"] - found["estimate"]
        rows.append(
            {
                "check": "architectures overlap no more than seeds of one architecture do",
                "source": "ours",
                "dataset": dataset,
                "architecture": found["comparison"],
                "value": found["estimate"],
                "bound": found["ceiling"],
                "verdict": _verdict(gap, found["ceiling"] - found["low"]),
                "explanation": "geometric mean of the overlaps within each architecture",
            }
        )
    return rows


def _reported_bound(reported: Mapping) -> dict:
    low = reported["early_loss"]["low"]
    stability = reported["seed_stability"]["value"]
    bound = implied_stability(low)
    return {
        "check": "seed stability is at least what early loss implies",
        "source": "paper",
        "dataset": "",
        "architecture": "",
        "value": stability,
        "bound": bound,
        "verdict": "coherent" if stability >= bound else "incoherent",
        "explanation": f"if the reported {low} to {reported['early_loss']['high']} hold across "
        "seeds (the abstract does not say), seeds should agree at "
        f"{bound:.2f} or more",
    }


def _verdict(gap: float, best_case: float) -> str:
    if np.isnan(gap):
        return "undecided"
    if gap >= 0:
        return "coherent"
    return "incoherent" if best_case < 0 else "undecided"
