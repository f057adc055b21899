"""Every finding that has an interval or a p, and the audit that holds them together, of a simulated study.

Beside the traces: what each run says of the classes at its last epoch (the label when it is right, some other class
when it is not, by a margin that tells nothing), class centroids and families of classes that know nothing of
forgetting, and as two treatments the runs of the two architectures, which are alike.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from simulated_training import ARCHITECTURES, Study

from retention.audits.coherence import audit
from retention.findings.architecture_overlap import measure as architecture_overlap
from retention.findings.class_forgetting import measure as class_forgetting
from retention.findings.early_loss import measure as early_loss
from retention.findings.ensemble_coverage import measure as ensemble_coverage
from retention.findings.fit_quality import measure as fit_quality
from retention.findings.seed_stability import measure as seed_stability
from retention.findings.treatment_comparison import measure as treatment_comparison
from retention.runs.members import Members
from retention.runs.reading import Run
from retention.runs.treated import TreatedRun

WIDTH = 16  # features of a centroid
FAMILIES = 3
TREATMENTS = {"random": {"sampler": "random"}, "other": {"sampler": "class_balanced"}}
CHECK = "coherence"


def measured(study: Study, statistics: Mapping, draws: np.random.Generator) -> pd.DataFrame:
    """Return the tables of all findings together, with a row per check of the audit: p = 0 where it says incoherent."""
    runs = study.runs
    tables = [
        architecture_overlap.measure(runs, statistics),
        fit_quality.measure(runs, statistics),
        seed_stability.measure(runs, statistics),
        class_forgetting.measure(runs, statistics, study.confusions, *_of_classes(runs, draws)),
        early_loss.measure(runs, statistics),
        ensemble_coverage.measure(_members(runs, draws), statistics),
        treatment_comparison.measure(_treated(runs), statistics),
    ]
    findings = pd.concat(tables, ignore_index=True)
    return pd.concat([findings, _checks(findings, statistics["top_fraction"])], ignore_index=True)


def _of_classes(
    runs: list[Run], draws: np.random.Generator
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    names = np.unique(runs[0].samples["class_name"])
    centroids = {name: draws.normal(size=(len(names), WIDTH)) for name in ARCHITECTURES}
    families = draws.permuted(np.arange(len(names)) % FAMILIES)
    return centroids, {
        name: f"family {family}" for name, family in zip(names, families, strict=True)
    }


def _members(runs: list[Run], draws: np.random.Generator) -> Members:
    """Return the runs with the probabilities of their last epoch."""
    samples = runs[0].samples[["split", "sample_index", "label", "group"]]
    right = np.stack([run.samples["learned_for_good"].notna() for run in runs], axis=1)
    labels = samples["label"].to_numpy()
    probabilities = [_probabilities(labels, one, draws) for one in right.T]
    architectures, seeds = [run.architecture for run in runs], [run.seed for run in runs]
    return Members("simulated", "random", architectures, seeds, samples, right, probabilities)


def _probabilities(labels: np.ndarray, right: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """Return float16 [1, N, C]: the first class has 0.5 to 1, another one all the rest."""
    number, rows = labels.max() + 1, np.arange(len(labels))
    other = (labels + draws.integers(1, number, len(labels))) % number
    most = draws.uniform(0.51, 1.0, len(labels))
    found = np.zeros((1, len(labels), number), dtype=np.float16)
    found[0, rows, np.where(right, labels, other)] = most
    found[0, rows, np.where(right, other, labels)] = 1 - most
    return found


def _treated(runs: list[Run]) -> list[TreatedRun]:
    """Return the runs as runs of one architecture under two treatments; the samples are held out."""
    names = dict(zip(ARCHITECTURES, TREATMENTS, strict=True))
    return [_under(run, names[run.architecture]) for run in runs]


def _under(run: Run, treatment: str) -> TreatedRun:
    held_out = run.samples[["sample_index", "label", "group"]].copy()
    held_out["right"] = run.samples["learned_for_good"].notna()
    of_class = held_out.groupby("label")["right"].mean()
    metrics = {
        "balanced_accuracy": float(of_class.mean()),
        "accuracy": float(held_out["right"].mean()),
        "train_accuracy": float(held_out["right"].mean()),
        "forgetting_events": float(run.samples["forgetting_events"].mean()),
        "mean_retention": float(run.samples["mean_retention"].mean()),
    }
    definition = TREATMENTS[treatment]
    return TreatedRun(
        "simulated", "a", treatment, run.seed, definition, metrics, len(held_out), 0.0, held_out
    )


def _checks(findings: pd.DataFrame, top_fraction: float) -> pd.DataFrame:
    checks = audit(findings, top_fraction)
    ours = checks[checks["source"] == "ours"]
    return pd.DataFrame(
        {
            "finding": CHECK,
            "comparison": ours["architecture"],
            "statistic": ours["check"].str.replace(" ", "_"),
            "estimate": ours["value"] - ours["bound"],
            "p": np.where(ours["verdict"] == "incoherent", 0.0, 1.0),
        }
    )
