"""Rows of findings that are written by hand, as their tables hold them."""

import pandas as pd

from retention.measuring.paired import JUDGED
from retention.measuring.table import COLUMNS
from retention.reporting.study_tables import study_tables

MORE = ("forgotten_in_both", "expected_in_both", "split", "size", "metric", "baseline")
MORE += ("score", "source")


def rows_of(finding: str, *rows: dict, dataset: str = "d") -> pd.DataFrame:
    """Return rows of a finding as `finish` leaves them; what a row does not say is missing."""
    named = {"finding": finding, "dataset": dataset, "treatment": "random"}
    table = pd.DataFrame([named | row for row in rows]).reindex(columns=[*COLUMNS, *MORE, *JUDGED])
    table["p_corrected"] = table["p_corrected"].astype(float)
    table["note"] = table["note"].astype(object)  # as text, though no row has one
    return table.assign(p=table["p"].fillna(table["p_corrected"]))


def overlap(first: str, second: str, estimate: float, p: float, **columns: object) -> dict:
    """Return a row of F1; chance is 0.05, and enough are forgotten."""
    within = {"architecture": first} if first == second else {}
    told = {"estimate": estimate, "p_corrected": p, "chance": 0.05, "n": 100}
    told |= {"expected_in_both": 30.0, "forgotten_in_both": 40.0}
    return {
        "statistic": "jaccard",
        "comparison": f"{first} vs {second}",
        **within,
        **told,
        **columns,
    }


def agreement(name: str, estimate: float, p: float, **columns: object) -> list[dict]:
    """Return the rows of F3 that sentences tell of an architecture."""
    shared = {"comparison": name, "architecture": name, "n": 100}
    told = {"estimate": estimate, "p_corrected": p, "chance": 0.0, "expected_in_both": 30.0}
    return [
        {"statistic": "spearman", **shared, **told, **columns},
        {"statistic": "split_half", "estimate": 0.5, "chance": 0.1, **shared},
        {"statistic": "seeds_needed", "estimate": 3.0, **shared},
    ]


def hazards(name: str, *estimates: float) -> list[dict]:
    """Return F4's rows of classes, called 0, 1, …"""
    return [
        {"statistic": "class_hazard", "comparison": f"{name}: {number}", "architecture": name}
        | {"estimate": estimate, "n": 10, "chance": 0.05}
        for number, estimate in enumerate(estimates)
    ]


def comparison(
    of: str, against: str, verdict: str, estimate: float = 0.02, p: float = 0.5, **columns: object
) -> dict:
    """Return a row of F7 with a verdict, of the network vit."""
    told = {"estimate": estimate, "p_corrected": p, "margin": 0.01, "smallest_detectable": 0.05}
    told |= {"low": estimate - 0.01, "high": estimate + 0.01, "n": 3, "chance": 0.0}
    told |= {"low_90": estimate - 0.005, "high_90": estimate + 0.005, "p_equivalence": 0.3}
    told |= {"low_bonferroni": estimate - 0.02, "high_bonferroni": estimate + 0.02}
    names = {
        "comparison": f"vit: {of} minus {against}",
        "architecture": "vit",
        "baseline": against,
        "treatment": of,
    }
    return (
        {"statistic": "difference", "metric": "accuracy", "verdict": verdict}
        | names
        | told
        | columns
    )


def run_of(architecture: str, seed: int, treatment: str = "random", **told: object) -> dict:
    """Return what run.yaml says of a sound run."""
    run = {"study": "s", "dataset": "d", "architecture": architecture, "treatment": treatment}
    run |= {
        "seed": seed,
        "treatment_definition": {},
        "recipe": {"epochs": 8, "learning_rate": 1e-3},
    }
    run |= {"pretrained": True, "train_samples": 1200, "test_samples": 300, "classes": 7}
    run |= {"initial_train_accuracy": 0.5, "final_train_accuracy": 0.9}
    run |= {"initial_test_accuracy": 0.4, "final_test_accuracy": 0.8}
    return run | {"final_test_balanced_accuracy": 0.7} | told


STABLE = rows_of(
    "seed_stability",
    *agreement("cnn", 0.41322, 0.058, low=-0.037, high=0.746),
    *agreement("vit", 0.60409, 0.00002, low=0.367, high=0.771),
)


def table_of(name, *tables, **given):
    (found,) = (
        one
        for one in study_tables(pd.concat(tables, ignore_index=True), **given)
        if one.name == name
    )
    return found
