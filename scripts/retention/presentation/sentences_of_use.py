"""What forgetting can be used for, in plain sentences: ensembles, other treatments, pruning."""

from collections.abc import Iterator

import pandas as pd

from retention.presentation.words import number, p_text, with_interval

SPLITS = {"train": "training samples", "test": "held-out samples"}


def ensembles(table: pd.DataFrame) -> Iterator[str]:
    """Yield the sentences of F6."""
    pairs = table[table["size"] == 2]
    for (split, comparison), rows in pairs.groupby(["split", "comparison"], sort=False):
        found = rows.set_index("statistic")
        if "coverage_any" not in found.index:
            continue
        covered, averaged = found.loc["coverage_any"], found.loc["coverage_average"]
        yield (
            f"- **{comparison}**, {SPLITS.get(split, split)} (n = {covered['n']:.0f}): one of the two holds "
            f"{with_interval(covered, 3)}, their averaged probabilities {with_interval(averaged, 3)}; a "
            f"single run holds {number(covered['chance'], 3)}, members with independent errors would hold "
            f"{number(covered['ceiling'], 3)}. Both are wrong on {number(found.loc['double_fault', 'estimate'], 3)}; "
            f"their errors correlate at φ = {number(found.loc['error_correlation', 'estimate'])}."
        )
    fair = table["statistic"].str.fullmatch("difference_(any|average)_(matched|from_better)")
    for _, row in table[fair & table["estimate"].notna()].iterrows():
        how = "at matched accuracy, " if row["statistic"].endswith("matched") else ""
        yield (
            f"- **{row['comparison']}**, {SPLITS.get(row['split'], row['split'])}, {how}"
            f"{row['definition'].split(';')[0]}: {with_interval(row, 3)}; {p_text(row)}."
        )
    if (
        table["statistic"].str.fullmatch("difference_any_matched").any()
        and not (table["statistic"].str.endswith("_matched") & table["estimate"].notna()).any()
    ):
        yield (
            "- No mixed ensemble has one of a single architecture with nearly its mean member accuracy: "
            "complementarity at equal accuracy can not be judged."
        )
    yield (
        "- More samples held by *any* member may not be read as a better classifier: nobody knows which member "
        "to believe. Nor may a gain over ensembles of the weaker architecture be called complementarity."
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
    yield _family(rows)
    yield (
        "- *Undecided* may not be read as no difference, nor *equivalent* as exactly none. A gain over random "
        "that is none over the shuffled arm comes from presenting unevenly, not from knowing what is forgotten."
    )


def pruning(table: pd.DataFrame) -> Iterator[str]:
    """Yield the sentences of F8."""
    rows = table[table["statistic"].isin(["gain_over_random", "transfer_loss"])]
    for _, row in rows.iterrows():
        yield f"- **{row['comparison']}**: {_judged(row)}"
    yield _family(rows)
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
        f"{number(row['smallest_detectable'], 3)}."
    )


def _family(rows: pd.DataFrame) -> str:
    """Return what was tested together."""
    tested = int(rows["p"].notna().sum())
    return (
        f"- {tested} comparisons are tested together; the smallest detectable difference is what one of them "
        "finds with 80 % power. Equivalence is not corrected over the family."
    )
