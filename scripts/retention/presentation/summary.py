"""The study in plain sentences, written from its tables."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import pandas as pd

TITLES = {
    "architecture_overlap": "F1. Do two architectures forget the same samples?",
    "fit_quality": "F2. Is forgetting an exponential decay?",
    "seed_stability": "F3. Is it the same samples in the next run?",
    "class_forgetting": "F4. Which classes are forgotten?",
    "early_loss": "F5. Does the early loss tell?",
}


def write(
    findings: pd.DataFrame,
    paper: pd.DataFrame,
    coherence: pd.DataFrame,
    runs: Sequence[Mapping],
    data: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]],
) -> str:
    """Return summary.md from the findings, the two audits, the runs' run.yaml and the data sets.

    data: per data set its classes.csv and its duplicates.csv.
    """
    parts = [f"# Study {runs[0]['study']}", "## Data", _data(data), *_accuracy(runs)]
    for finding, title in TITLES.items():
        chosen = findings[findings["finding"] == finding]
        for dataset, table in chosen.groupby("dataset"):
            parts += [f"## {title} ({dataset})", "\n".join(SENTENCES[finding](table))]
    parts += ["## Findings held against each other", _table(coherence)]
    parts += ["## Beside the paper (arXiv 2604.11508)", _table(paper)]
    return "\n\n".join(parts) + "\n"


def number(value: float, digits: int = 2) -> str:
    """Return a number for people; what could not be estimated says so."""
    return "not estimable" if pd.isna(value) else f"{value:.{digits}f}"


def with_interval(row: pd.Series) -> str:
    """Return an estimate with its 95 % interval and what that is about."""
    if pd.isna(row["low"]):
        return number(row["estimate"])
    return (
        f"{number(row['estimate'])} (95 % interval {number(row['low'])} to {number(row['high'])}, "
        f"{row['target']})"
    )


def p_text(row: pd.Series) -> str:
    """Return the corrected p-value with its verdict at 0.05."""
    if pd.isna(row["p_corrected"]):
        return "not tested"
    verdict = "more than chance explains" if row["p_corrected"] < 0.05 else "not told from chance"
    return f"{verdict} (corrected p = {row['p_corrected']:.2g})"


def _data(data: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]) -> str:
    rows = []
    for name, (classes, duplicates) in data.items():
        total = classes["train"] + classes["test"]
        rows.append(
            {
                "dataset": name,
                "classes": len(classes),
                "training": classes["train"].sum(),
                "held out": classes["test"].sum(),
                "largest : smallest class": f"{total.max() / total.min():.0f} : 1",
                "same pixels on both sides": int(duplicates["across_splits"].sum()),
            }
        )
    return _table(pd.DataFrame(rows))


def _accuracy(runs: Sequence[Mapping]) -> list[str]:
    table = pd.DataFrame(runs)
    groups = table.groupby(["dataset", "architecture", "pretrained"], sort=True)
    lines = pd.DataFrame(
        {
            "runs": groups.size(),
            "epoch-0 accuracy": groups["initial_test_accuracy"].mean().map("{:.3f}".format),
            "accuracy": groups["final_test_accuracy"].mean().map("{:.3f}".format),
            "balanced accuracy": groups["final_test_balanced_accuracy"].mean().map("{:.3f}".format),
        }
    ).reset_index()
    lines["pretrained"] = lines["pretrained"].map({True: "yes", False: "no"})
    text = f"{len(table)} runs, seeds {', '.join(map(str, sorted(table['seed'].unique())))}."
    return [text, "## Accuracy on held-out samples, mean over seeds", _table(lines)]


def _overlap(table: pd.DataFrame) -> Iterator[str]:
    for _, row in table[table["statistic"] == "jaccard"].iterrows():
        ceiling = "" if pd.isna(row["ceiling"]) else f", noise ceiling {number(row['ceiling'])}"
        yield (
            f"- **{row['comparison']}**: the most-forgotten (different seeds) overlap with a Jaccard "
            f"of {with_interval(row)}; two random subsets reach {number(row['chance'])}{ceiling}. "
            f"In these runs: {p_text(row)}. {row['note'].capitalize()}."
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
        yield f"- **{row['comparison']}**: the excess differs by {with_interval(row)}; {p_text(row)}."
    yield (
        "- A high mean R² alone may not be read as structured forgetting: traces without any dynamics "
        "reach one too. Below 0 the curve, which starts at 1 and only falls, is worse than the trace's "
        "own mean: lost samples are relearned."
    )


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
}


def _table(table: pd.DataFrame) -> str:
    shown = table.copy()
    for name in shown.select_dtypes("float"):
        shown[name] = shown[name].map(number)
    shown = shown.fillna("").astype(str)
    lines = [list(shown.columns), ["---"] * shown.shape[1], *shown.to_numpy().tolist()]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
