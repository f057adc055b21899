"""The study in plain sentences, written from its tables."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import pandas as pd

from retention.common.described import definition_in
from retention.common.lists import plural
from retention.common.parts import load_part
from retention.common.treatment_names import RANDOM
from retention.reporting.collapsed import caveat, warning
from retention.reporting.every_choice import BESIDE_THE_PAPER, every_choice
from retention.reporting.matched import sentences
from retention.reporting.words import as_text, number

# Columns of paper_arithmetic.csv that are told.
ARITHMETIC = ("claim", "implies", "verdict", "resolved_by")
NAMES = ("dataset", "comparison", "architecture", "treatment", "baseline")  # columns of findings

OF_ABSTRACT = (
    "Arithmetic on the numbers of the paper's abstract alone, without this study's. It says what follows from them, and "
    "which fact would settle it."
)


def write(
    findings: pd.DataFrame,
    paper: pd.DataFrame,
    coherence: pd.DataFrame,
    runs: Sequence[Mapping],
    data: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]],
    left_out: Mapping[str, str] = MappingProxyType({}),
    controls: Sequence[str] = (),
    notes: Sequence[str] = (),
    arithmetic: pd.DataFrame | None = None,
    matches: pd.DataFrame | None = None,
    multiverse: Sequence[pd.DataFrame] = (),
) -> str:
    """Return summary.md from the findings, the audits, the runs' run.yaml and the data sets.

    runs: those that findings read; data: per data set its classes.csv and its duplicates.csv. Both may be
    empty, and what is told of them is then left out. left_out: findings that the study can not make, and why.
    controls: architectures that are in no finding. notes: sentences on the data sets. arithmetic: what reported numbers
    say of each other, None to leave it out; matches: which definitions give them, likewise. multiverse: tables as
    `every_choice` takes them.
    """
    findings = _with_names_as_text(findings)
    named = ", ".join(sorted(findings["dataset"].unique()))
    parts = [f"# Study {runs[0]['study']}" if runs else f"# Findings on {named}"]
    parts += ["## Data", _data(data)] if data else []
    parts += [_trained(runs)] if runs else []
    if notes:
        parts += ["## Notes on the data", "\n".join(f"- {as_text(line)}" for line in notes)]
    parts += ["## Accuracy on held-out samples, mean over seeds", _accuracy(runs)] if runs else []
    parts += warning(runs)
    compared = [run for run in runs if run["architecture"] not in controls]
    for name in _by_number(findings["finding"].unique()):
        for dataset, table in findings[findings["finding"] == name].groupby("dataset"):
            rests_on = [run for run in compared if as_text(run["dataset"]) == dataset]
            lines = [*_told(name, table), *_defined(table), *_caveat(name, rests_on)]
            parts += [f"## {_title(name)} ({dataset})", "\n".join(lines)]
    for name in _by_number(left_out):
        parts += [f"## {_title(name)}", f"Left out: {left_out[name]}."]
    parts += every_choice(multiverse)
    parts += ["## Findings held against each other", _table(coherence)]
    if arithmetic is not None:
        parts += ["## What the reported numbers say of each other", OF_ABSTRACT]
        parts += [_table(arithmetic[list(ARITHMETIC)])]
    parts += ["## Beside the paper (arXiv 2604.11508)"]
    parts += [BESIDE_THE_PAPER] if len(multiverse) else []
    parts += [_table(paper)]
    if matches is not None:
        parts += ["\n".join(f"- {line}" for line in sentences(matches))]
    return "\n\n".join(parts) + "\n"


def _with_names_as_text(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the findings with names that the sentences may hold as they are."""
    told = {
        name: findings[name].map(as_text, na_action="ignore") for name in NAMES if name in findings
    }
    return findings.assign(**told)


def _by_number(names: Iterable[str]) -> list[str]:
    """Return names of findings in the order of their numbers."""
    return sorted(names, key=lambda name: load_part("retention.findings", name).FINDING.number)


def _title(name: str) -> str:
    return load_part("retention.findings", name).FINDING.title


def _told(name: str, table: pd.DataFrame) -> Iterable[str]:
    return load_part("retention.findings", name, "sentences").sentences(table)


def _defined(table: pd.DataFrame) -> list[str]:
    if not (definition := definition_in(table.get("note", []))):
        return []
    return [
        f"- Another definition: these samples were described by {as_text(definition)}. What is said of curves and of "
        "constant traces here is about this project's own."
    ]


def _caveat(name: str, runs: Sequence[Mapping]) -> list[str]:
    return caveat(load_part("retention.findings", name).FINDING.treatments, runs)


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


def _trained(runs: Sequence[Mapping]) -> str:
    baseline = [run for run in runs if run["treatment"] == RANDOM]
    seeds = sorted({run["seed"] for run in baseline})
    named = f"{'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds))}"
    return f"{plural(len(baseline), 'run')} of the treatment random, {named}."


def _accuracy(runs: Sequence[Mapping]) -> str:
    table = pd.DataFrame(run for run in runs if run["treatment"] == RANDOM)
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
    return _table(lines)


def _table(table: pd.DataFrame) -> str:
    shown = table.copy()
    for name in shown.select_dtypes("float"):
        shown[name] = shown[name].map(number)
    shown = shown.fillna("").astype(str).map(as_text)
    lines = [list(shown.columns), ["---"] * shown.shape[1], *shown.to_numpy().tolist()]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
