"""What is made again in an adoption, held against what there is, and put in its place."""

import os
from pathlib import Path

import pandas as pd
import pytest
from adoption import job

from retention.common.errors import UserError
from retention.common.parquet_tables import write_parquet
from retention.workflow.adoption.comparison import difference, gained
from retention.workflow.adoption.records import put_in_place
from retention.workflow.adoption.remaking import remake_all

COPY = """
import argparse, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--from"), parser.add_argument("--output")
given = vars(parser.parse_args())
text = pathlib.Path(given["from"]).read_text()
pathlib.Path(given["output"]).write_text(CHANGED)
"""


def test_a_table_that_gains_a_column_takes_the_place_of_that_without(tmp_path, monkeypatch):
    """What is made later is made from the new one; times stay."""
    monkeypatch.chdir(tmp_path)
    Path("scripts").mkdir()
    more = "text.replace('n\\n', 'n,more\\n').replace('7\\n', '7,1\\n')"
    Path("scripts/describe_samples.py").write_text(COPY.replace("CHANGED", more))
    Path("scripts/schedule_reviews.py").write_text(COPY.replace("CHANGED", "text"))
    for name in ("traces.csv", "samples.csv", "reviews.csv"):
        Path(name).write_text("n\n7\n")
        os.utime(name, ns=(1, 2_000_000_000))
    jobs = [
        job(rule, rule, {"from": made_from, "output": made}, output={"made": made})
        for rule, made_from, made in (
            ("schedule_reviews", "samples.csv", "reviews.csv"),
            ("describe_samples", "traces.csv", "samples.csv"),
        )
    ]
    lines: list[str] = []
    places = remake_all(jobs, tmp_path, tmp_path / "scratch", 1, lines.append)
    assert set(places) == {"samples.csv", "reviews.csv"}
    assert lines[0] == "checked describe_samples: 1 made again, the same; 1 table(s) gain more"
    assert Path("samples.csv").read_text() == "n\n7\n"
    for one in jobs:
        put_in_place(one, places)
    for name in ("samples.csv", "reviews.csv"):
        assert Path(name).read_text() == "n,more\n7,1\n"
        assert os.stat(name).st_mtime_ns == 2_000_000_000
    again = remake_all(jobs, tmp_path, tmp_path / "scratch", 1, lines.append)
    assert again == {}


def test_a_table_of_another_value_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("scripts").mkdir()
    Path("scripts/split_dataset.py").write_text(COPY.replace("CHANGED", "text.replace('7', '8')"))
    for name in ("images.csv", "index.csv"):
        Path(name).write_text("n\n7\n")
    options = {"from": "images.csv", "output": "index.csv"}
    split = job("split_dataset", "split_dataset", options, output={"index": "index.csv"})
    with pytest.raises(
        UserError, match=r"index\.csv: this version makes it otherwise, first in column n"
    ):
        remake_all([split], tmp_path, tmp_path / "scratch", 1, print)
    assert Path("index.csv").read_text() == "n\n7\n"


def test_only_tables_gain(tmp_path):
    (tmp_path / "a.yaml").write_text("a: 1")
    (tmp_path / "b.yaml").write_text("b: 1")
    assert gained(tmp_path / "a.yaml", tmp_path / "b.yaml") == []


def test_a_table_gains_words_of_its_metadata_too(tmp_path):
    """What F3 holds a split half against stands there."""
    table = pd.DataFrame({"a": [1, 2]})
    write_parquet(tmp_path / "old.parquet", table, {"epochs": "3"})
    write_parquet(tmp_path / "new.parquet", table, {"epochs": "3", "split_half_chance": "-0.1"})
    files = tmp_path / "old.parquet", tmp_path / "new.parquet"
    assert difference(*files) == ""
    assert gained(*files) == ["split_half_chance"]
    assert gained(*reversed(files)) == []
