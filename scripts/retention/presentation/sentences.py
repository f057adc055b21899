"""Each finding in a few plain sentences: number, interval, null, ceiling, what may not be concluded."""

from collections.abc import Callable, Iterator

import pandas as pd

from retention.presentation.sentences_of_use import ensembles, pruning, treatments
from retention.presentation.words import number, p_text, with_interval


def _overlap(table: pd.DataFrame) -> Iterator[str]:
    for _, row in table[table["statistic"] == "jaccard"].iterrows():
        ceiling = "" if pd.isna(row["ceiling"]) else f", noise ceiling {number(row['ceiling'])}"
        within = table[
            (table["comparison"] == row["comparison"])
            & (table["statistic"] == "jaccard_null_within_class")
        ]
        by_class = f", {number(within['estimate'].iloc[0])} by class alone" if len(within) else ""
        yield (
            f"- **{row['comparison']}**: the most-forgotten (different seeds) overlap with a Jaccard "
            f"of {with_interval(row)}; two random subsets reach {number(row['chance'])}{by_class}"
            f"{ceiling}. {p_text(row).capitalize()}. {row['note'].capitalize()}."
        )
    yield "- An overlap below the ceiling may not be read as a difference of architectures if seeds of one architecture overlap as little."


def _fit(table: pd.DataFrame) -> Iterator[str]:
    found = table.set_index(["architecture", "statistic"])
    for name in table["architecture"].dropna().unique():
        r_squared, excess = (
            found.loc[(name, "mean_r_squared")],
            found.loc[(name, "excess_r_squared")],
        )
        constant = found.loc[(name, "constant_fraction")]
        yield (
            f"- **{name}**: mean R² {with_interval(r_squared)}; the same traces with their epochs "
            f"shuffled reach {number(r_squared['chance'])}, so the excess is {with_interval(excess)}. "
            f"{number(100 * constant['estimate'], 0)} % of traces are constant and have no R²."
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
    for name in table["architecture"].dropna().unique():
        row, half = found.loc[(name, "spearman")], found.loc[(name, "split_half")]
        needed = found.loc[(name, "seeds_needed")]
        yield (
            f"- **{name}**: scores of two seeds correlate at ρ = {with_interval(row)}, "
            f"{p_text(row)}; odd and even epochs of one run at {number(half['estimate'])}. "
            f"Seeds to average for a reliability of 0.8: {number(needed['estimate'], 0)}."
        )
    shares = table[table["statistic"].str.startswith("variance_of_ranks_")]
    if len(shares):
        named = (
            f"{row['statistic'].removeprefix('variance_of_ranks_').replace('_x_', ' × ')} "
            f"{number(100 * row['estimate'], 0)} %"
            for _, row in shares.iterrows()
        )
        yield (
            f"- Of the variance of the ranks, over all runs: {', '.join(named)} (class, sample and "
            "their products with the architecture come back in a new run; what is of the seed and the "
            "residual does not; estimates about 0 may be negative)."
        )
    yield "- A low ρ may not be called seed noise where the split-half agreement within a run is as low."


def _classes(table: pd.DataFrame) -> Iterator[str]:
    for name, rows in table[table["statistic"] == "class_hazard"].groupby("architecture"):
        ranked = rows[rows["estimate"].notna()].sort_values("estimate")
        names = ranked["comparison"].str.split(": ", n=1).str[1]
        yield (
            f"- **{name}**: most forgotten is class {names.iloc[-1]} (hazard "
            f"{with_interval(ranked.iloc[-1])}), least {names.iloc[0]} ({with_interval(ranked.iloc[0])})."
        )
    for _, row in table[table["statistic"] == "kendalls_w"].iterrows():
        yield (
            f"- Class rankings of {row['comparison']} agree with W = {number(row['estimate'])} "
            f"({number(row['chance'])} when labels are permuted), {row['note']}; {p_text(row)}."
        )
    for _, row in table[table["statistic"] == "similarity_spearman"].iterrows():
        yield (
            f"- {row['comparison']}: nearness of the closest other class correlates with class "
            f"hazard at {number(row['estimate'])} over {row['n']:.0f} classes; {p_text(row)}."
        )
    for _, row in table[table["statistic"] == "family_share_forgetting"].iterrows():
        yield (
            f"- {row['comparison']}: when forgotten, {number(100 * row['estimate'], 0)} % of samples are "
            f"taken for a class of their own family ({number(100 * row['chance'], 0)} % when family "
            f"labels are permuted); {p_text(row)}."
        )
    yield "- Classes are fixed, not sampled: nothing is said of classes that are not in the data set."


def _early(table: pd.DataFrame) -> Iterator[str]:
    found = table.set_index(["architecture", "statistic"])
    for name in table["architecture"].dropna().unique():
        row = found.loc[(name, "spearman")]
        partial = found.loc[(name, "spearman_partial_class")]
        text = (
            f"- **{name}**: loss at epoch 0 and decay constant from epoch 1 on correlate at "
            f"ρ = {with_interval(row)} within a run, {p_text(row)}; with the class taken off "
            f"{with_interval(partial)}"
        )
        if (name, "spearman_across_seeds") in found.index:
            text += f"; across seeds {with_interval(found.loc[(name, 'spearman_across_seeds')])}"
        yield text + "."
    yield "- A correlation within a run may not be used to choose samples for another run; the one across seeds may."


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
