"""All tables of a study for a paper, in the order in which a paper would print them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from retention.common.treatment_names import RANDOM
from retention.reporting.declared import by_number, declared
from retention.reporting.naming import OF_CLASSES, distinct, in_titles, names_in, titled
from retention.reporting.paper_table import (
    NONE,
    Column,
    PaperTable,
    counts,
    grouped,
    interval,
    numbers,
    paper_table,
    text,
    where_several,
)
from retention.reporting.printed import finding_table, printed_of
from retention.reporting.studied import accuracies, data_sets
from retention.reporting.words import class_names, number

BESIDE = "Beside the paper (arXiv 2604.11508)"
PAPER, ACCURACY, DATA, CLASSES = "paper_comparison", "accuracy", "data", "class_hazards"
Titles = Mapping[str, str]


def study_tables(
    findings: pd.DataFrame,
    paper: pd.DataFrame | None = None,
    runs: Sequence[Mapping] = (),
    data: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]] | None = None,
    titles: Titles | None = None,
    controls: Sequence[str] = (),
) -> list[PaperTable]:
    """Return the tables: beside the paper, a table per finding, hazards of the classes, accuracy, data.

    findings: rows of all findings; paper: paper_comparison.csv; runs: run.yaml of each; data: per data set its classes.csv
    and its duplicates.csv; titles: of architectures and treatments; controls: architectures that are in no finding. What is
    not given has no table.
    """
    told = distinct(titles or {}, names_in(findings, runs))
    tables = [] if paper is None else [beside_the_paper(paper, findings, told)]
    for name in by_number(findings["finding"].unique()):
        rows, known = findings[findings["finding"] == name], declared(name)
        tables.append(finding_table(name, rows, told, known.number, known.question))
        if (rows["statistic"] == OF_CLASSES).any():
            tables.append(class_hazards(rows, told))
    tables += [accuracy(runs, told, controls)] if runs else []
    return tables + ([of_data(data)] if data else [])


def beside_the_paper(paper: pd.DataFrame, findings: pd.DataFrame, titles: Titles) -> PaperTable:
    """Return our numbers beside the paper's."""
    rows = paper.reset_index(drop=True)
    known = {
        name: printed_of(name, findings[findings["finding"] == name]).statistics
        for name in rows["finding"].unique()
    }
    pairs = list(zip(rows["finding"], rows["statistic"], strict=True))
    finding = grouped("Finding", [f"F{declared(name).number}" for name in rows["finding"]])
    dataset = where_several("Data set", rows["dataset"])
    columns = [
        finding,
        dataset,
        text("Architecture", [in_titles(name, titles) for name in rows["architecture"]]),
        text("Statistic", [known[name].get(one, one.replace("_", " ")) for name, one in pairs]),
        text("Reported", rows["reported"]),
        numbers("Ours", rows["estimate"], missing="not estimable"),
        interval("95 % interval", rows["low"], rows["high"]),
        text("Verdict", rows["verdict"]),
        where_several("Reason", rows["reason"], each=True),
    ]
    reasons = rows["reason"].dropna().unique()
    parts = [
        f"{BESIDE}. Intervals are where the number of one study of the paper's size would lie; "
        "of what the paper says in words they are our own.",
        *([f"Of each row: {reasons[0]}."] if len(reasons) == 1 else []),
    ]
    return paper_table(PAPER, " ".join(parts), columns)


def class_hazards(rows: pd.DataFrame, titles: Titles) -> PaperTable:
    """Return the hazard of each class in each architecture; rows: of F4."""
    hazards = rows[rows["statistic"] == OF_CLASSES]
    hazards = hazards.assign(class_name=class_names(hazards))
    keys = [pd.factorize(hazards[name])[0] for name in ("architecture", "class_name", "dataset")]
    hazards = hazards.iloc[np.lexsort(keys)]
    dataset = where_several("Data set", hazards["dataset"])
    columns = [
        dataset,
        grouped("Class", hazards["class_name"], dataset),
        text("Architecture", [titled(name, titles) for name in hazards["architecture"]]),
        counts("n", hazards["n"]),
        numbers("Hazard", hazards["estimate"], 3, "not estimable"),
        interval("95 % interval", hazards["low"], hazards["high"], 3),
        numbers("All samples", hazards["chance"], 3),
        text("Note", hazards["note"]),
    ]
    caption = (
        f"Hazard of each class ({', '.join(hazards['dataset'].unique())}): forgetting events over epochs at risk, mean over "
        "the runs. n counts the class's samples that were at risk. The last number is that of all samples together."
    )
    return paper_table(CLASSES, caption, columns)


def accuracy(runs: Sequence[Mapping], titles: Titles, controls: Sequence[str] = ()) -> PaperTable:
    """Return accuracies on held-out samples, mean ± deviation over the runs.

    The treatment `random` comes first. Controls, architectures and arms whose scores are shuffled, are named and come last.
    """
    shuffled = {run["treatment"] for run in runs if "shuffle" in run["treatment_definition"]}

    def place(run: Mapping) -> tuple[bool, bool, bool]:
        name = run["treatment"]
        return run["architecture"] in controls, name in shuffled, name != RANDOM

    def told(name: str) -> str:
        return titled(name, titles) + " (control)" * (name in shuffled or name in controls)

    found = accuracies(sorted(runs, key=place))
    keys = [pd.factorize(found[name])[0] for name in ("architecture", "dataset")]
    found = found.iloc[np.lexsort(keys)]
    dataset = grouped("Data set", found["dataset"])
    architectures = [told(name) for name in found["architecture"]]
    columns = [
        dataset,
        grouped("Architecture", architectures, dataset),
        text("Treatment", [told(name) for name in found["treatment"]]),
        text("Pretrained", found["pretrained"].map({True: "yes", False: "no"}).fillna("not known")),
        counts("Runs", found["runs"]),
        _over_runs("Accuracy at epoch 0", found, "initial_test_accuracy"),
        _over_runs("Accuracy", found, "final_test_accuracy"),
        _over_runs("Balanced accuracy", found, "final_test_balanced_accuracy"),
    ]
    caption = "Accuracy on held-out samples: mean over the runs ± their standard deviation."
    return paper_table(ACCURACY, caption, columns)


def _over_runs(heading: str, found: pd.DataFrame, metric: str) -> Column:
    mean, deviation = found[f"{metric}_mean"], found[f"{metric}_deviation"]
    printed = [
        NONE if pd.isna(one) else number(one, 3) + ("" if pd.isna(by) else f" ± {number(by, 3)}")
        for one, by in zip(mean, deviation, strict=True)
    ]
    values = {heading: list(mean), f"{heading}, standard deviation": list(deviation)}
    return Column(heading, values, printed, is_number=True)


def of_data(data: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]) -> PaperTable:
    """Return what the data sets hold."""
    found = data_sets(data)
    columns = [
        text("Data set", found["dataset"]),
        counts("Classes", found["classes"]),
        counts("Training images", found["training"]),
        counts("Held-out images", found["held_out"]),
        numbers("Largest class over smallest", found["imbalance"], 1),
        counts("Same pixels in both", found["same_pixels"]),
    ]
    caption = "Data sets. The last column counts groups of images with the same pixels that lie on both sides of the split."
    return paper_table(DATA, caption, columns)
