"""Each finding in a few plain sentences: number, interval, null, ceiling, what may not be concluded."""

from collections.abc import Callable, Iterator
from math import ceil, isinf

import pandas as pd

from retention.presentation.sentences_of_use import ensembles, pruning, treatments
from retention.presentation.words import number, p_text, percent, with_interval


def _architectures(table: pd.DataFrame) -> list[str]:
    """Return the architectures that have rows of their own: not those between two, nor of all runs."""
    return [name for name in table["architecture"].dropna().unique() if name]


def _overlap(table: pd.DataFrame) -> Iterator[str]:
    of_other_seeds = table[table["statistic"] == "jaccard"]
    same_seed = table[table["statistic"] == "jaccard_same_seed"]
    same_seed = same_seed[~same_seed["comparison"].isin(of_other_seeds["comparison"])]
    for _, row in pd.concat([of_other_seeds, same_seed]).iterrows():
        seeds = "different seeds" if row["statistic"] == "jaccard" else "same seed, same data order"
        ceiling = "" if pd.isna(row["ceiling"]) else f", noise ceiling {number(row['ceiling'])}"
        within = table[
            (table["comparison"] == row["comparison"])
            & (table["statistic"] == "jaccard_null_within_class")
        ]
        by_class = f", {number(within['estimate'].iloc[0])} by class alone" if len(within) else ""
        yield (
            f"- **{row['comparison']}**: the most-forgotten ({seeds}, n = {row['n']:.0f}) overlap with a Jaccard "
            f"of {with_interval(row)}; two random subsets reach {number(row['chance'])}{by_class}"
            f"{ceiling}. {p_text(row).capitalize()}. {row['note'].capitalize()}."
        )
    yield "- An overlap below the ceiling may not be read as a difference of architectures if seeds of one architecture overlap as little."


def _fit(table: pd.DataFrame) -> Iterator[str]:
    found = table.set_index(["architecture", "statistic"])
    for name in _architectures(table):
        r_squared, excess = (
            found.loc[(name, "mean_r_squared")],
            found.loc[(name, "excess_r_squared")],
        )
        constant = found.loc[(name, "constant_fraction")]
        null = (
            f"the same traces with their epochs shuffled reach {number(r_squared['chance'])}, so the "
            f"excess is {with_interval(excess)}, {p_text(excess)}"
            if pd.notna(r_squared["chance"])
            else "without R² of the same traces with their epochs shuffled, the excess is not estimable"
        )
        yield (
            f"- **{name}**: mean R² {with_interval(r_squared)}; {null}. "
            f"{percent(constant['estimate'])} of traces are constant and have no R²."
        )
    for _, row in table[table["statistic"] == "difference_excess"].iterrows():
        matched = _matched(table, row["comparison"])
        yield (
            f"- **{row['comparison']}**: the excess differs by {with_interval(row)}; {p_text(row)}. Traces "
            f"with equally many forgetting events differ in R² by {matched}."
        )
    yield (
        "- A high mean R² alone may not be read as structured forgetting: traces without any dynamics "
        "reach one too. Below 0 the curve, which starts at 1 and only falls, is worse than the trace's "
        "own mean: lost samples are relearned."
    )


def _matched(table: pd.DataFrame, comparison: str) -> str:
    found = table[
        (table["comparison"] == comparison) & (table["statistic"] == "difference_matched_events")
    ]
    return with_interval(found.iloc[0]) if len(found) else "not estimable"


def _stability(table: pd.DataFrame) -> Iterator[str]:
    found = table.set_index(["architecture", "statistic"])
    for name in _architectures(table):
        row, half = found.loc[(name, "spearman")], found.loc[(name, "split_half")]
        needed = found.loc[(name, "seeds_needed")]
        yield (
            f"- **{name}**: scores of two seeds correlate at ρ = {with_interval(row)}, "
            f"{p_text(row)}; odd and even epochs of one run at {number(half['estimate'])}. "
            f"Seeds to average for a reliability of 0.8: {_seeds(needed)}."
        )
    shares = table[table["statistic"].str.startswith("variance_of_ranks_")]
    shares = shares[shares["estimate"].notna()]
    if len(shares):
        named = (
            f"{row['statistic'].removeprefix('variance_of_ranks_').replace('_x_', ' × ')} "
            f"{percent(row['estimate'])}"
            for _, row in shares.iterrows()
        )
        yield (
            f"- Of the variance of the ranks, over all runs: {', '.join(named)} (class, sample and "
            "their products with the architecture come back in a new run of the same architecture; what is "
            "of the seed and the residual does not; estimates about 0 may be negative)."
        )
    yield "- A low ρ may not be called seed noise where the split-half agreement within a run is as low."


def _seeds(needed: pd.Series) -> str:
    """Return how many whole seeds suffice, and how many at either end of the interval."""
    if pd.isna(needed["estimate"]):
        return "not estimable"
    text = _whole(needed["estimate"])
    if pd.isna(needed["low"]):
        return text
    return f"{text} (95 % interval {_whole(needed['low'])} to {_whole(needed['high'])})"


def _whole(seeds: float) -> str:
    return "more than any number" if isinf(seeds) else str(max(ceil(seeds), 1))


def _classes(table: pd.DataFrame) -> Iterator[str]:
    for name, rows in table[table["statistic"] == "class_hazard"].groupby("architecture"):
        ranked = rows[rows["estimate"].notna()].sort_values("estimate")
        named = ranked["comparison"].str.split(": ", n=1).str[1] + ranked["n"].map(
            ", n = {:.0f}".format
        )
        if len(ranked) and not ranked["estimate"].any():
            yield f"- **{name}**: no sample of {len(ranked)} classes was ever forgotten."
        elif len(ranked) > 1:
            yield (
                f"- **{name}**: most forgotten of {len(ranked)} classes is {named.iloc[-1]} (hazard "
                f"{with_interval(ranked.iloc[-1])}), least {named.iloc[0]} ({with_interval(ranked.iloc[0])})."
            )
        if len(ranked) < len(rows):
            yield f"- **{name}**: {len(rows) - len(ranked)} classes were never at risk in a run and are not ranked."
    table = table[table["estimate"].notna()]
    for _, row in table[table["statistic"] == "kendalls_w"].iterrows():
        yield (
            f"- Class rankings of {row['comparison']} agree with W = {number(row['estimate'])} "
            f"({number(row['chance'])} when labels are permuted), {row['note']}; {p_text(row)}."
        )
    for _, row in table[table["statistic"] == "similarity_spearman"].iterrows():
        partial = table[
            (table["comparison"] == row["comparison"])
            & (table["statistic"] == "similarity_spearman_partial")
        ].iloc[0]
        yield (
            f"- {row['comparison']}: nearness of the closest other class correlates with class "
            f"hazard at {number(row['estimate'])} over {row['n']:.0f} classes, {p_text(row)}; with class "
            f"size taken off at {number(partial['estimate'])}, {p_text(partial)}."
        )
    for _, row in table[table["statistic"] == "family_share_forgetting"].iterrows():
        yield (
            f"- {row['comparison']}: when forgotten, {percent(row['estimate'])} of samples are "
            f"taken for a class of their own family ({percent(row['chance'])} when family "
            f"labels are permuted); {p_text(row)}."
        )
    yield (
        "- Classes are fixed, not sampled: nothing is said of classes that are not in the data set. The most "
        "and the least forgotten are named because their numbers are extreme: those of few samples are "
        "partly luck, for which their intervals make no allowance."
    )


def _early(table: pd.DataFrame) -> Iterator[str]:
    found = table.set_index(["architecture", "statistic"])
    for name in _architectures(table):
        row = found.loc[(name, "spearman")]
        partial = found.loc[(name, "spearman_partial_class")]
        text = (
            f"- **{name}**: loss at epoch 0 and decay constant from epoch 1 on correlate at "
            f"ρ = {with_interval(row)} within a run, {p_text(row)}; with the class taken off "
            f"{with_interval(partial)}"
        )
        if (name, "spearman_across_seeds") in found.index:
            across = found.loc[(name, "spearman_across_seeds")]
            text += f"; across seeds {with_interval(across)}, {p_text(across)}"
        yield text + "."
    yield "- A correlation within a run may not be used to choose samples for another run; one across seeds may, where it is told from chance."


SENTENCES: dict[str, Callable[[pd.DataFrame], Iterator[str]]] = {
    "architecture_overlap": _overlap,
    "fit_quality": _fit,
    "seed_stability": _stability,
    "class_forgetting": _classes,
    "early_loss": _early,
    "ensemble_coverage": ensembles,
    "treatment_comparison": treatments,
    "pruning_transfer": pruning,
}
