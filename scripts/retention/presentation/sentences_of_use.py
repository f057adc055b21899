"""What forgetting can be used for, in plain sentences: ensembles, other treatments, pruning."""

from collections.abc import Iterator

import pandas as pd

from retention.presentation.words import number, p_text, with_interval

SPLITS = {"train": "training samples", "test": "held-out samples"}


def ensembles(table: pd.DataFrame) -> Iterator[str]:
    """Yield the sentences of F6: of two runs and of held-out samples, the others only counted."""
    held_out = table[(table["size"] == 2) & (table["split"] == "test")]
    for comparison, rows in held_out.groupby("comparison", sort=False):
        found = rows.set_index("statistic")
        if "coverage_any" not in found.index:
            continue
        covered, averaged = found.loc["coverage_any"], found.loc["coverage_average"]
        yield (
            f"- **{comparison}** (n = {covered['n']:.0f} held-out samples): one of the two holds "
            f"{with_interval(covered, 3)}, their averaged probabilities {with_interval(averaged, 3)}; a "
            f"single run holds {number(covered['chance'], 3)}, members with independent errors would hold "
            f"{number(covered['ceiling'], 3)}. Both are wrong on {number(found.loc['double_fault', 'estimate'], 3)}; "
            f"their errors correlate at φ = {number(found.loc['error_correlation', 'estimate'])}."
        )
    yield from _mixed_differences(table)
    yield (
        "- More samples held by *any* member may not be read as a better classifier: nobody knows which member "
        "to believe. Nor may a gain over ensembles of the weaker architecture be called complementarity."
    )


def _mixed_differences(table: pd.DataFrame) -> Iterator[str]:
    """Yield mixed minus single architecture: two runs in words, and of the others those that differ."""
    statistic, found = table["statistic"], table["estimate"].notna()
    two = (table["size"] == 2) & (table["split"] == "test")
    both_right = (statistic == "difference_majority_from_better") & (table["size"] == 2)
    tested = statistic.str.endswith("_from_better") & found & ~both_right
    yield from _differences(table[tested & two])
    yield from _matched(table[statistic.isin(["difference_any_matched"]) & found & two])
    others = table[tested & ~two]
    told = others[others["p_corrected"] < 0.05]
    if len(others):
        yield (
            f"- Of {len(others)} more such differences, for training samples and sets of three, {len(told) or 'none'} "
            f"{'is' if len(told) <= 1 else 'are'} told from chance (findings/ensemble_coverage.csv)"
            + (":" if len(told) else ".")
        )
    yield from _differences(told)
    for split, rows in table[statistic == "difference_any_matched"].groupby("split"):
        if rows["estimate"].isna().all():
            yield (
                f"- On {SPLITS[split]} no mixed ensemble has one of a single architecture with nearly its mean member "
                "accuracy: at equal accuracy nothing can be described."
            )


def _differences(rows: pd.DataFrame) -> Iterator[str]:
    for _, row in rows.iterrows():
        yield (
            f"- **{row['comparison']}**, {SPLITS[row['split']]}, "
            f"{row['definition'].split(';')[0]}: {with_interval(row, 3)}; {p_text(row)}."
        )


def _matched(rows: pd.DataFrame) -> Iterator[str]:
    """Yield what is described, not tested: the partners are only about as accurate."""
    for _, row in rows.iterrows():
        yield (
            f"- {row['comparison']}, {SPLITS[row['split']]}, at about equal accuracy, {row['definition'].split(';')[0]}: "
            f"{with_interval(row, 3)}; descriptive, not tested: members of the mixed ensembles are more accurate by "
            f"{number(row['imbalance'], 4)} than those of their partners ({row['note']})."
        )


def treatments(table: pd.DataFrame) -> Iterator[str]:
    """Yield the sentences of F7."""
    rows = table[table["statistic"] == "difference"]
    moved = table[table["statistic"] == "moved"].set_index(["architecture", "treatment"])[
        "estimate"
    ]
    for _, row in rows.iterrows():
        dose = moved.get((row["architecture"], row["treatment"]))
        yield f"- **{row['comparison']}**: {_judged(row)}" + (
            "" if dose is None else f" It moved {dose:.0%} of the presentations to other samples."
        )
    yield from _family(rows)
    yield from _uncontrolled(table)
    yield (
        "- *Undecided* may not be read as no difference, nor *equivalent* as exactly none. A gain over random "
        "that is none over the shuffled arm comes from presenting unevenly, not from knowing what is forgotten."
    )


def _uncontrolled(table: pd.DataFrame) -> Iterator[str]:
    """Yield which arms have no shuffled arm, by which a gain could be told from uneven presentation."""
    arms = table[(table["statistic"] == table["metric"]) & table["note"].str.len().gt(0)]
    for (treatment, note), _ in arms.groupby(["treatment", "note"], sort=False):
        yield (
            f"- **{treatment}**: {note}, so a gain over random can not be told from that of presenting unevenly."
        )


def pruning(table: pd.DataFrame) -> Iterator[str]:
    """Yield the sentences of F8."""
    rows = table[table["statistic"].isin(["gain_over_random", "transfer_loss"])]
    for _, row in rows.iterrows():
        yield f"- **{row['comparison']}**: {_judged(row)}"
    yield from _family(rows)
    yield (
        "- A gain from a run's own scores may not be promised to another run: what transfers is the gain of "
        "scores from another seed or architecture over random pruning."
    )


def _judged(row: pd.Series) -> str:
    """Return a comparison with its verdict and what it rests on."""
    metric = row["metric"].replace("_", " ")
    text = f"**{row['verdict']}**; final {metric} differs by {with_interval(row, 3)}, n = {row['n']:.0f} seeds"
    if pd.isna(row["low"]):
        return f"{text} ({row['note']}: no interval)."
    text += f", corrected p = {row['p_corrected']:.2g}"
    if row["verdict"] in ("better", "worse"):
        ends = f"{number(row['low_bonferroni'], 3)} to {number(row['high_bonferroni'], 3)}"
        text += f", over the whole family {ends}"
        return f"{text}; {row['note']}." if isinstance(row["note"], str) else f"{text}."
    ends = f"{number(row['low_90'], 3)} to {number(row['high_90'], 3)}"
    return (
        f"{text}; 90 % interval {ends} against a margin of ±{row['margin']:g} (two one-sided "
        f"tests: p = {row['p_equivalence']:.2g}), smallest detectable difference "
        f"{_detectable(row['smallest_detectable'])}."
    )


def _detectable(difference: float) -> str:
    """Return the smallest detectable difference; two accuracies never differ by more than 1."""
    return number(difference, 3) if difference <= 1 else "larger than any of two accuracies"


def _family(rows: pd.DataFrame) -> Iterator[str]:
    """Yield what was tested together, if anything was."""
    tested = int(rows["p"].notna().sum())
    if not tested:
        return
    together = (
        f"{tested} comparisons are tested together" if tested > 1 else "1 comparison is tested"
    )
    yield (
        f"- {together}; the smallest detectable difference is what one of them "
        "finds with 80 % power. Equivalence is not corrected over the family."
    )
