"""Our numbers beside the paper's, with an interval for what one study of its size would report."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import t

from retention.common.compared import COMPARED


def compare(
    findings: pd.DataFrame,
    reported: Mapping,
    comparable: Mapping,
    assumed_seeds: int,
    seeds_source: str = "assumed",
) -> pd.DataFrame:
    """Return one row per reported number and data set of ours.

    comparable: data set → True, or the reason why not; seeds_source: how the paper's number of seeds is known.
    A number is `consistent` when it lies in
    the prediction interval, `inconsistent` when it does not, else `not comparable` (other data or
    architectures than the paper's, or no interval). What the paper says in words is held against the
    sign of our estimate, or against our verdict: `undecided` where that has none.
    """
    rows = []
    for number in reported["numbers"]:
        for dataset in sorted(findings["dataset"].unique()):
            if number.get("dataset", dataset) != dataset and comparable.get(dataset) is True:
                continue
            reason = comparable.get(dataset, False)
            seeds = assumed_seeds, seeds_source
            rows += _rows(number, findings, dataset, reason, reported, seeds)
    for claim in reported.get("claims", []):
        for dataset, table in findings.groupby("dataset"):
            rows += _claim_rows(claim, table, dataset, comparable, reported["architectures"])
    return pd.DataFrame(rows, columns=list(COMPARED))


def prediction_interval(
    estimate: float, standard_error: float, seeds: float, assumed_seeds: int
) -> tuple[float, float]:
    """Return the 95 % interval for the same statistic of a new study with `assumed_seeds`.

    Its variance is ours scaled by seeds / assumed_seeds, added to that of our own estimate; scaling
    all of it, the part from samples included, errs on the wide side.
    """
    spread = standard_error * np.sqrt(1 + seeds / assumed_seeds)
    half = t.ppf(0.975, max(seeds - 1, 1)) * spread
    return estimate - half, estimate + half


RANGES = {"jaccard": (0.0, 1.0), "spearman": (-1.0, 1.0), "mean_r_squared": (-np.inf, 1.0)}


def _rows(
    number: Mapping,
    findings: pd.DataFrame,
    dataset: str,
    comparable: bool | str,
    reported: Mapping,
    seeds: tuple[int, str],
) -> list[dict]:
    found = findings[
        (findings["dataset"] == dataset)
        & (findings["finding"] == number["finding"])
        & (findings["statistic"] == number["statistic"])
    ]
    if number["finding"] == "architecture_overlap":
        found = found[found["architecture"] == ""]  # not the pairs within one
    if "architecture" in number and number["architecture"] in set(findings["architecture"]):
        found = found[found["architecture"] == number["architecture"]]
    rows = []
    for _, ours in found.iterrows():
        names = ours["architecture"] or ours["comparison"]
        low, high = prediction_interval(
            ours["estimate"], _error_over_seeds(ours), ours["seeds"], seeds[0]
        )
        low, high = np.clip((low, high), *RANGES.get(number["statistic"], (-np.inf, np.inf)))
        reason = _incomparable(number, names, low, comparable, reported["architectures"])
        reason = reason or _other_fraction(number, ours)
        inside = low <= number["high"] and number["low"] <= high
        verdict = "not comparable" if reason else "consistent" if inside else "inconsistent"
        rows.append(
            {
                "finding": number["finding"],
                "dataset": dataset,
                "architecture": names,
                "statistic": number["statistic"],
                "reported": _told(number),
                "estimate": ours["estimate"],
                "low": low,
                "high": high,
                "verdict": verdict,
                "reason": reason or f"prediction interval for {seeds[0]} seeds ({seeds[1]})",
            }
        )
    return rows


def _error_over_seeds(ours: pd.Series) -> float:
    """Return the standard error of our estimate, NaN where it knows nothing of other seeds."""
    return ours["standard_error"] if ours["target"] == "new runs" else float("nan")


def _other_fraction(number: Mapping, ours: pd.Series) -> str:
    """Return why overlaps of top fractions of two sizes may not be compared, "" where they may."""
    fraction = number.get("top_fraction")
    if fraction is None or ours["definition"].startswith(f"top {fraction:g} "):
        return ""
    ours_is = ours["definition"].split(" by ")[0]
    return f"the paper's overlap is of the top {fraction:g}, ours of the {ours_is}"


def _told(number: Mapping) -> str:
    """Return a reported number with what the paper says it is of: `0.34 (octdl)`."""
    of = ", ".join(number[name] for name in ("dataset", "architecture") if name in number)
    return f"{number['text']} ({of})" if of else str(number["text"])


# What a claim is held against, where a finding has it of both splits: it does not say itself.
OF_SPLIT = {"train": " (ours: training samples)", "test": " (ours: held-out samples)"}


def _claim_rows(
    claim: Mapping,
    table: pd.DataFrame,
    dataset: str,
    comparable: Mapping,
    architectures: Sequence[str],
) -> list[dict]:
    chosen = table["finding"] == claim["finding"]
    for name in ("split", "treatment", "baseline"):
        if name in claim:
            chosen &= table.get(name, pd.Series("", index=table.index)) == claim[name]
    found = table[chosen & table["estimate"].notna()]
    for statistic in claim["statistics"]:
        if (found["statistic"] == statistic).any():
            found = found[found["statistic"] == statistic]
            break
    else:
        return []
    rows = []
    for _, ours in found.iterrows():
        names = ours["architecture"] or ours["comparison"].split(" minus ")[0]
        reason = _incomparable(
            {}, names.replace(" + ", " vs "), 0.0, comparable.get(dataset, False), architectures
        )
        rows.append(
            {
                "finding": claim["finding"],
                "dataset": dataset,
                "architecture": names,
                "statistic": ours["statistic"],
                "reported": claim["text"] + OF_SPLIT.get(claim.get("split", ""), ""),
                "estimate": ours["estimate"],
                "low": ours["low"],
                "high": ours["high"],
                "verdict": "not comparable" if reason else _claim_verdict(claim, ours),
                "reason": reason or f"in words alone; our 95 % interval, {ours['target']}",
            }
        )
    return rows


def _claim_verdict(claim: Mapping, ours: pd.Series) -> str:
    """Return whether our estimate has the sign that the paper says."""
    if claim["direction"] == "more":
        shown = "consistent" if ours["low"] > 0 else "inconsistent" if ours["high"] < 0 else ""
        return shown or "undecided"
    verdicts = dict.fromkeys(("worse", "equivalent", "identical"), "consistent")
    verdicts["better"] = "inconsistent"
    return verdicts.get(ours["verdict"], "undecided")


def _incomparable(
    number: Mapping, names: str, low: float, comparable: bool | str, architectures: Sequence[str]
) -> str:
    """Return why a row of ours may not be held against the paper's number, "" if it may."""
    if comparable is not True:
        return comparable or "not a data set of the paper"
    expected = {number["architecture"]} if "architecture" in number else set(architectures)
    if set(names.split(" vs ")) - expected:
        return f"the paper's number is about {' and '.join(sorted(expected))}"
    if not np.isfinite(low):
        return "no interval: too few seeds"
    return ""
