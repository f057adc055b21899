"""Which share of the forgetting events lies between epoch 0 and epoch 1, as findings tell it."""

import pandas as pd
import pytest
import yaml
from epoch_counts import TOLD, counts
from finding_rows import agreement, rows_of
from no_paper import NO_PAPER

from retention.commands import write_summary
from retention.commands._runs import NEEDED
from retention.common.csv_tables import write_csv
from retention.common.errors import UserError
from retention.common.parts import load_part, part_names
from retention.reporting.first_step import first_step, first_step_in_brief
from retention.reporting.summary import write


def test_shares_are_of_the_training_events_of_all_runs_of_an_architecture():
    of = [
        ("d", "net", counts(0, 6, 1, 1)),
        ("d", "net", counts(0, 0, 1, 1)),
        ("d", "vit", counts(0, 1, 99)),
        ("other", "net", counts(0, 7, 0)),
    ]
    (line,) = first_step(of, "d")
    assert (
        line
        == f"- Of the forgetting events of these training samples, 60 % (net) and 1 % (vit) {TOLD}"
    )
    (line,) = first_step(of, "other")
    assert "100 % (net) lie" in line


def test_runs_without_an_epoch_0_or_without_events_say_nothing():
    assert list(first_step([("d", "net", counts(0, 6, 1, first=1))], "d")) == []
    assert list(first_step([("d", "net", counts(0, 0, 0))], "d")) == []
    assert list(
        first_step([("d", "net", counts(0, 6, 1, first=1)), ("d", "vit", counts(0, 1))], "d")
    ) == [f"- Of the forgetting events of these training samples, 100 % (vit) {TOLD}"]
    assert list(first_step([], "d")) == []


def test_names_are_text_and_not_marks():
    (line,) = first_step([("a*b", "<i>net</i>", counts(0, 1, 1))], "a\\*b")
    assert "50 % (\\<i>net\\</i>) lie" in line


def summary(*findings, of):
    audit = pd.DataFrame({"check": ["a"], "verdict": ["coherent"]})
    return write(pd.concat(findings), NO_PAPER, audit, [], {}, counts=of, titles={"vit": "ViT"})


def test_findings_that_rest_on_events_tell_it_in_their_section_and_others_do_not():
    rows = rows_of("seed_stability", *agreement("vit", 0.5, 0.01))
    text = summary(rows, of=[("d", "vit", counts(0, 1, 3))])
    section = text.partition("## F3")[2].partition("\n## ")[0]
    assert f"- Of the forgetting events of these training samples, 25 % (ViT) {TOLD}" in section
    assert text.count(TOLD) == 1
    assert TOLD not in summary(rows, of=[])
    resting = {
        name
        for name in part_names("retention.findings")
        if getattr(load_part("retention.findings", name, "sentences"), "TELLS_OF_EVENTS", False)
    }
    assert {"seed_stability", "class_forgetting"} <= resting
    assert not resting & {"ensemble_coverage", "fit_quality", "pruning_transfer"}


def test_the_command_reads_them_beside_their_runs(tmp_path):
    rows_of("seed_stability", *agreement("vit", 0.5, 0.01)).to_csv(tmp_path / "f.csv", index=False)
    write_csv(tmp_path / "paper.csv", NO_PAPER)
    coherence = pd.DataFrame({"check": ["a"], "verdict": ["coherent"]})
    write_csv(tmp_path / "coherence.csv", coherence)
    run = dict.fromkeys(NEEDED, 0.5) | {"dataset": "d", "architecture": "vit", "seed": 0}
    run |= {"treatment": "random", "treatment_definition": {}, "study": "s", "pretrained": True}
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run.yaml").write_text(yaml.safe_dump(run))
    write_csv(tmp_path / "run/epoch_counts.csv", counts(0, 1, 1))
    words = ["--findings", "f.csv", "--paper", "paper.csv", "--coherence", "coherence.csv"]
    words = [str(tmp_path / w) if w.endswith("csv") else w for w in words]
    words += ["--output", str(tmp_path / "summary.md"), "--runs", str(tmp_path / "run/run.yaml")]
    write_summary.main([*words, "--epoch-counts", str(tmp_path / "run/epoch_counts.csv")])
    assert "50 % (vit) lie between epoch 0" in (tmp_path / "summary.md").read_text()
    with pytest.raises(UserError, match=r"lies beside no run.yaml of --runs; name that, too"):
        write_summary.main([*words, "--epoch-counts", str(tmp_path / "f.csv")])
    write_csv(tmp_path / "run/epoch_counts.csv", pd.DataFrame({"split": ["train"]}))
    with pytest.raises(UserError, match="lacks the column"):
        write_summary.main([*words, "--epoch-counts", str(tmp_path / "run/epoch_counts.csv")])


def test_a_newcomer_is_told_how_much_came_with_the_first_epoch():
    of = [("d", "net", counts(0, 6, 1, 1)), ("d", "vit", counts(0, 1, 3))]
    (line,) = first_step_in_brief(of)
    assert line.startswith(
        "Of all forgetting events of training images, 75 % (net) and 25 % (vit) came with the first epoch:"
    )
    lines = list(first_step_in_brief([*of, ("e", "net", counts(0, 1, 0))]))
    assert [line.split(",")[0] for line in lines] == [
        "Of all forgetting events of training images on d",
        "Of all forgetting events of training images on e",
    ]
    assert list(first_step_in_brief([("d", "net", counts(0, 6, 1, first=1))])) == []
