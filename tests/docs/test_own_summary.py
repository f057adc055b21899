"""From traces of one's own to the summary and the figures, by the commands that the docs show."""

import numpy as np
import pandas as pd
import pytest
from finding_rows import hazards, rows_of, run_of
from no_paper import NO_PAPER
from told import title_of

from retention.commands import (
    audit_coherence,
    compare_with_paper,
    describe_samples,
    draw_figure,
    measure_finding,
    write_summary,
)
from retention.common.errors import UserError
from retention.reporting.summary import write
from retention.reporting.trained import trained

SAMPLES, EPOCHS = 120, 10
FINDINGS = (
    "architecture_overlap",
    "fit_quality",
    "seed_stability",
    "class_forgetting",
    "early_loss",
)


def command(module, *words):
    module.main([str(word) for word in words])


@pytest.fixture(params=["{}", '{"shuffles": 0, "fits": []}'], ids=["default", "no null"])
def samples(tmp_path, request):
    """Described runs of two networks; the labels are words, one class has a single sample."""
    draws = np.random.default_rng(1)
    label = np.array(["gull", "tern", "auk"])[np.arange(SAMPLES) % 3]
    label[-1] = "dodo"
    index = {"sample_index": np.arange(SAMPLES), "label": label, "class_name": label}
    index |= {"group": np.arange(SAMPLES) // 2}
    pd.DataFrame(index).to_parquet(tmp_path / "index.parquet")
    paths = []
    for run, (name, seed) in enumerate(
        (name, seed) for name in ("net", "vit") for seed in range(3)
    ):
        correct = draws.random((EPOCHS, SAMPLES)) < 0.7
        table = {"sample_index": np.tile(np.arange(SAMPLES), EPOCHS), "correct": correct.ravel()}
        table |= {
            "epoch": np.repeat(np.arange(EPOCHS), SAMPLES),
            "loss": draws.random(correct.size),
        }
        pd.DataFrame(table).to_parquet(tmp_path / "traces.parquet")
        paths.append(tmp_path / f"{run}.parquet")
        words = ["--traces", tmp_path / "traces.parquet", "--index", tmp_path / "index.parquet"]
        words += ["--output", paths[-1], "--dataset", "birds", "--architecture", name]
        words += ["--dynamics", request.param]
        command(describe_samples, *words, "--seed", seed)
    return paths


def test_own_traces_end_in_a_summary(samples, tmp_path):
    tables = [tmp_path / f"{name}.csv" for name in FINDINGS]
    for finding, table in zip(FINDINGS, tables, strict=True):
        options = ["--statistics", '{"resamples": 99, "tie_breaks": 5}', "--output", table]
        command(measure_finding, finding, "--samples", *samples, *options)
    coherence, paper, summary = (tmp_path / name for name in ("c.csv", "p.csv", "summary.md"))
    command(audit_coherence, "--findings", *tables, "--output", coherence)
    command(compare_with_paper, "--findings", *tables, "--output", paper)
    audits = ["--coherence", coherence, "--paper", paper]
    command(write_summary, "--findings", *tables, *audits, "--output", summary)
    for name in ("fit_quality", "seed_stability"):
        words = ["--finding", tmp_path / f"{name}.csv", "--output", tmp_path / f"{name}.svg"]
        command(draw_figure, name, *words)
    text = summary.read_text()
    assert text.startswith("# Findings on birds\n")
    for finding in FINDINGS:
        assert f"## {title_of(finding)} (birds)" in text
    reasons = pd.read_csv(paper)
    assert (reasons["verdict"] == "not comparable").all()
    assert (reasons["reason"] == "not a data set of the paper").all()
    assert (pd.read_csv(coherence)["source"] == "ours").all()


def test_what_is_no_finding_is_named_in_one_line(tmp_path):
    empty = tmp_path / "empty.csv"
    empty.touch()
    other = tmp_path / "other.csv"
    other.write_text("finding,estimate\nx,1\n")
    output = ["--output", tmp_path / "out.csv"]
    for path, told in (
        (tmp_path / "none.csv", "none.csv: there is no such file"),
        (empty, "empty.csv: is not a CSV table"),
        (other, r"other.csv: lacks the column\(s\) dataset, architecture"),
    ):
        with pytest.raises(UserError, match=told):
            command(audit_coherence, "--findings", path, *output)
    with pytest.raises(UserError, match="no such file"):
        command(draw_figure, "seed_stability", "--finding", tmp_path / "none.csv", *output)
    for option, told in (("{}", "--reported: lacks architectures"), ("x", "--reported: 'x' is no")):
        with pytest.raises(UserError, match=told):
            command(compare_with_paper, "--findings", other, "--reported", option, *output)
    with pytest.raises(UserError, match=r"--comparable: '\[\]' is no JSON map"):
        command(compare_with_paper, "--findings", other, "--comparable", "[]", *output)


def test_where_nothing_can_be_estimated_the_figure_says_so(tmp_path):
    """Samples none of which is forgotten are no fault: the study's other figures are still drawn."""
    table, picture = tmp_path / "table.csv", tmp_path / "figure.svg"
    names = ["spearman", "split_half", "variance_of_ranks_class"]
    rows = pd.DataFrame({"statistic": names, "estimate": np.nan, "architecture": "net"})
    rows.to_csv(table, index=False)
    command(draw_figure, "seed_stability", "--finding", table, "--output", picture)
    assert "Nothing could be estimated: spearman" in picture.read_text()
    rows.assign(statistic="jaccard").to_csv(table, index=False)
    with pytest.raises(UserError, match="has no row of spearman"):
        command(draw_figure, "seed_stability", "--finding", table, "--output", picture)


@pytest.mark.parametrize(
    ("seeds", "said"),
    [((4,), "1 run of 8 epochs, seed 4, is described."), ((4, 5), "seeds 4 and 5, are compared.")],
)
def test_one_run_of_ones_own_is_compared_with_none(seeds, said):
    own = {"own_traces": {"file": "net_4.parquet"}}
    assert said in trained(pd.DataFrame(), [run_of("net", seed) | own for seed in seeds])


@pytest.mark.parametrize(
    ("sizes", "said"), [((30, 30), "1 : 1"), ((13, 9), "1.4 : 1"), ((303, 9), "30 : 1")]
)
def test_classes_that_differ_in_size_are_not_called_equal(sizes, said):
    classes = pd.DataFrame({"class_name": ["a", "b"], "train": sizes, "test": [1, 1]})
    data = {"birds": (classes, pd.DataFrame({"across_splits": [True]}))}
    findings = rows_of("class_forgetting", *hazards("net", 0.1, 0.2), dataset="birds")
    assert f"| birds | 2 | {sum(sizes)} | 2 | {said} | 1 |" in write(findings, NO_PAPER, pd.DataFrame(), [], data)  # fmt: skip
