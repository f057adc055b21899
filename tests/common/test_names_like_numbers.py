"""Names that look like numbers, dates or missing values come through every table as they are written."""

import numpy as np
import pandas as pd
import pytest
from described_study import command, write_study
from simulated_runs import write_run

from retention.commands import (
    audit_coherence,
    compare_with_paper,
    draw_figure,
    measure_finding,
    write_summary,
)
from retention.common.csv_tables import read_csv, write_csv
from retention.common.options import defaults
from retention.common.parquet_tables import read_metadata, read_parquet, write_parquet
from retention.findings.class_forgetting import measure as class_forgetting
from retention.measuring.figures import figure_homes

CLASSES = ["007", "1e5", "NA", "None", "True", "inf", "nan", "null", "2024-01-02", "-1"]
DATASET, ARCHITECTURES = "2024", ("18", "NA")
OF_RUNS = (
    "architecture_overlap",
    "fit_quality",
    "seed_stability",
    "class_forgetting",
    "early_loss",
    "ensemble_coverage",
)
OF_TREATMENTS = {"class_balanced": "treatment_comparison", "keep_50_same_seed": "pruning_transfer"}


def test_text_comes_back_as_it_was_written_and_numbers_as_numbers(tmp_path):
    table = pd.DataFrame({"class_name": CLASSES, "train": 3, "estimate": np.nan, "p": np.inf})
    table.loc[0, "estimate"], table["note"] = 0.5, ""
    write_csv(tmp_path / "t.csv", table)
    found = read_csv(tmp_path / "t.csv")
    assert found["class_name"].tolist() == CLASSES
    assert found["train"].dtype == int and np.isinf(found["p"]).all()
    assert found["estimate"].isna().tolist() == [False] + [True] * (len(CLASSES) - 1)
    assert found["note"].isna().all() and found["note"].dtype == "str"


@pytest.fixture
def study(tmp_path):
    """Described runs of two networks on a data set, whose names all look like something else."""
    return write_study(tmp_path / DATASET, CLASSES, ARCHITECTURES, range(3))


def treated_runs(folder):
    """Write runs of a baseline, another sampler and two prunings, of both architectures."""
    draws = np.random.default_rng(4)
    names = {"dataset": DATASET}
    return [
        write_run(folder, treatment, seed, draws.random(40) < 0.7, name, **names)
        for name in ARCHITECTURES
        for treatment in ("random", "class_balanced", "keep_50_random", "keep_50_same_seed")
        for seed in range(3)
    ]


def test_every_table_figure_and_sentence_says_names_as_they_are_written(study, tmp_path):
    runs = sorted(study.glob("runs/*/*/samples.parquet"))
    beside = {
        name: [run.with_name(name) for run in runs] for name in ("confusions.csv", "run.yaml")
    }
    stored = [run.with_name("probabilities.npy") for run in runs]
    more = {
        "class_forgetting": ["--confusions", *beside["confusions.csv"]],
        "ensemble_coverage": ["--probabilities", *stored],
    }
    tables = {name: tmp_path / f"{name}.csv" for name in (*OF_RUNS, *OF_TREATMENTS.values())}
    treated = treated_runs(tmp_path / "treated")
    for finding, table in tables.items():
        files = ["--runs", *treated] if finding in OF_TREATMENTS.values() else ["--samples", *runs]
        options = ["--statistics", '{"resamples": 99, "tie_breaks": 5}', "--output", table]
        command(measure_finding, finding, *files, *more.get(finding, []), *options)
    of_findings = [item for item in figure_homes().items() if item[1][0] == "retention.findings"]
    for figure, (_, finding) in of_findings:
        output = tmp_path / f"{figure}.svg"
        command(draw_figure, figure, "--finding", tables[finding], "--output", output)
    paper, coherence, summary = (tmp_path / name for name in ("p.csv", "c.csv", "summary.md"))
    for audit, output in ((audit_coherence, coherence), (compare_with_paper, paper)):
        command(audit, "--findings", *tables.values(), "--output", output)
    words = ["--paper", paper, "--coherence", coherence, "--classes", study / "classes.csv"]
    words += ["--duplicates", study / "duplicates.csv", "--runs", *beside["run.yaml"]]
    command(write_summary, "--findings", *tables.values(), *words, "--output", summary)

    assert read_csv(study / "classes.csv")["class_name"].tolist() == CLASSES
    hazards = read_csv(tables["class_forgetting"])
    hazards = hazards[hazards["statistic"] == "class_hazard"]["comparison"]
    assert set(hazards) == {f"{a}: {name}" for a in ARCHITECTURES for name in CLASSES}
    for path in (*tables.values(), paper, coherence):
        table = read_csv(path)
        assert set(table["dataset"].dropna()) <= {DATASET, "octdl", "cub200"}
        assert set(ARCHITECTURES) <= set(table["architecture"]), path
    ours = read_csv(coherence)
    assert (ours.loc[ours["source"] == "ours", "dataset"] == DATASET).all()
    text = summary.read_text(encoding="utf-8")
    assert "| 2024 | 10 | 90 | 30 |" in text
    for name in ARCHITECTURES:
        assert f"| 2024 | {name} | no | 3 |" in text
        assert f"**{name}**" in text


def test_labels_that_are_words_stay_words_in_confusions(study):
    """In traces of others a label may be the class's name."""
    runs = sorted(study.glob("runs/18/*/samples.parquet"))
    for run in runs:
        samples = read_parquet(run)
        samples["label"] = np.array(CLASSES)[samples["label"]]
        write_parquet(run, samples, read_metadata(run))
        table = read_csv(run.with_name("confusions.csv"))
        for name in ("label", "predicted"):
            table[name] = np.array(CLASSES)[table[name]]
        write_csv(run.with_name("confusions.csv"), table)
    found = class_forgetting.read(runs, [run.with_name("confusions.csv") for run in runs])
    assert set(found["confusions"]["18"]["label"]) == set(CLASSES)
    table = class_forgetting.measure(
        **found, statistics={**defaults("statistics"), "resamples": 99}
    )
    (row,) = table[table["statistic"] == "confusion_agreement"].to_dict("records")
    assert row["n"] == len(CLASSES)  # each is taken for the next one
