"""Names in any script come through where the locale has another encoding."""

import os
import subprocess
import sys

import pandas as pd
import pytest
import yaml
from configurations import CONFIG
from no_paper import NO_PAPER
from sources import ROOT

from retention.common.csv_tables import write_csv
from retention.common.errors import UserError
from retention.common.parquet_tables import read_metadata
from retention.workflow.configuration import load_study
from retention.workflow.recipes import merged

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def run(*words, **environment) -> subprocess.CompletedProcess:
    """Run a script as a terminal without UTF-8 does."""
    command = [sys.executable, ROOT / "scripts" / words[0], *words[1:]]
    return subprocess.run(command, env={**os.environ, **ASCII, **environment}, capture_output=True)


def test_tables_and_figures_of_a_class_in_another_script_are_made(tmp_path):
    columns = {"finding": "class_forgetting", "dataset": "鳥", "architecture": "net"}
    columns |= {"statistic": "class_hazard", "estimate": [0.1, 0.2], "low": 0.1, "high": 0.3}
    columns |= {"comparison": ["net: 日本", "net: köln"], "target": "new runs", "n": 9.0}
    columns |= {"chance": 0.1, "ceiling": None, "p_corrected": None}
    write_csv(tmp_path / "表.csv", pd.DataFrame(columns))
    audit, paper = tmp_path / "c.csv", tmp_path / "p.csv"
    write_csv(paper, NO_PAPER)
    write_csv(audit, pd.DataFrame({"dataset": ["鳥"], "value": [0.5]}))
    tables = ["--findings", tmp_path / "表.csv", "--paper", paper, "--coherence", audit]
    done = run("write_summary.py", *tables, "--output", tmp_path / "summary.md")
    assert done.returncode == 0, done.stderr
    assert "köln" in (tmp_path / "summary.md").read_text(encoding="utf-8")
    figure = ["--finding", tmp_path / "表.csv", "--output", tmp_path / "図.svg"]
    done = run("draw_figure.py", "class_forgetting", *figure)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "図.svg").stat().st_size > 5000


def test_what_an_encoding_lacks_is_printed_as_an_escape(tmp_path):
    rows = {"finding": ["early_loss", "seed_stability"], "dataset": "鳥", "architecture": "網"}
    rows |= {"statistic": ["spearman_across_seeds", "spearman"], "comparison": "網"}
    rows |= {"estimate": [0.5, 0.1], "low": 0.0, "high": 0.6, "ceiling": None}
    write_csv(tmp_path / "f.csv", pd.DataFrame(rows).assign(definition="decay_constant"))
    words = ["--findings", tmp_path / "f.csv", "--output", tmp_path / "c.csv"]
    done = run("audit_coherence.py", *words, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert b"\\u7db2" in done.stdout


def test_a_name_that_the_locale_can_not_pass_on_is_told_with_the_way_out(tmp_path):
    traces = {"sample_index": [0] * 3, "epoch": [0, 1, 2], "correct": [1, 0, 1]}
    pd.DataFrame(traces).to_parquet(tmp_path / "t.parquet")
    words = ["--traces", tmp_path / "t.parquet", "--output", tmp_path / "s.parquet"]
    done = run("describe_samples.py", *words, "--dataset", "鳥")
    assert done.returncode == 1
    (line,) = done.stderr.decode("ascii").splitlines()
    assert line.startswith(
        "error: a name has letters that the locale's encoding, ascii, can not pass"
    )
    assert line.endswith("set PYTHONUTF8=1 before the command")
    done = run("describe_samples.py", *words, "--dataset", "鳥", PYTHONUTF8="1")
    assert done.returncode == 0, done.stderr
    assert read_metadata(tmp_path / "s.parquet")["dataset"] == "鳥"


def test_a_configuration_beyond_the_locale_s_letters_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "iso8859-1")
    assert load_study(CONFIG, ROOT)["findings"]
    with pytest.raises(UserError) as caught:
        load_study(merged(CONFIG, yaml.safe_load("dataset_definitions: {鳥: {}}")), ROOT)
    assert str(caught.value) == (
        "the locale's encoding is iso8859-1, and the configuration has letters beyond ASCII; start with "
        "PYTHONUTF8=1 snakemake, or in a UTF-8 locale (LC_ALL=C.UTF-8)"
    )
