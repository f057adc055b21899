"""The study in plain sentences, written from its tables."""

from collections.abc import Mapping, Sequence

import pandas as pd

from retention.presentation.sentences import SENTENCES
from retention.presentation.words import number

TITLES = {
    "architecture_overlap": "F1. Do two architectures forget the same samples?",
    "fit_quality": "F2. Is forgetting an exponential decay?",
    "seed_stability": "F3. Is it the same samples in the next run?",
    "class_forgetting": "F4. Which classes are forgotten?",
    "early_loss": "F5. Does the early loss tell?",
    "ensemble_coverage": "F6. Do different architectures hold different samples?",
    "treatment_comparison": "F7. Does it help to present what is forgotten more often?",
    "pruning_transfer": "F8. Does one run's forgetting tell what another needs?",
}


def write(
    findings: pd.DataFrame,
    paper: pd.DataFrame,
    coherence: pd.DataFrame,
    runs: Sequence[Mapping],
    data: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]],
    left_out: Mapping[str, str] | None = None,
) -> str:
    """Return summary.md from the findings, the two audits, the runs' run.yaml and the data sets.

    runs, data: may be empty, and what is told of them is then left out; data: per data set its
    classes.csv and its duplicates.csv; left_out: findings that the study can not
    make, and why.
    """
    named = ", ".join(sorted(findings["dataset"].unique()))
    parts = [f"# Study {runs[0]['study']}" if runs else f"# Findings on {named}"]
    parts += ["## Data", _data(data)] if data else []
    parts += _accuracy(runs) if runs else []
    for finding, title in TITLES.items():
        chosen = findings[findings["finding"] == finding]
        for dataset, table in chosen.groupby("dataset"):
            parts += [f"## {title} ({dataset})", "\n".join(SENTENCES[finding](table))]
    for finding, reason in (left_out or {}).items():
        parts += [f"## {TITLES[finding]}", f"Left out: {reason}."]
    parts += ["## Findings held against each other", _table(coherence)]
    parts += ["## Beside the paper (arXiv 2604.11508)", _table(paper)]
    return "\n\n".join(parts) + "\n"


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
    text = f"{len(table)} runs of the treatment random, seeds {', '.join(map(str, sorted(table['seed'].unique())))}."
    return [text, "## Accuracy on held-out samples, mean over seeds", _table(lines)]


def _table(table: pd.DataFrame) -> str:
    shown = table.copy()
    for name in shown.select_dtypes("float"):
        shown[name] = shown[name].map(number)
    shown = shown.fillna("").astype(str)
    lines = [list(shown.columns), ["---"] * shown.shape[1], *shown.to_numpy().tolist()]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
