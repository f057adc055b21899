"""Every column that a person meets is explained in the documentation, and the glossary holds what it promises."""

import re

import numpy as np
import pandas as pd
from sample_columns import FIT_COLUMNS, KEYS, OWN, UNCERTAINTY
from sources import ROOT

from retention.audits import coherence
from retention.common.compared import COMPARED
from retention.common.few import IN_BOTH
from retention.common.parts import load_part, part_names
from retention.data.splits import class_counts, duplicates
from retention.dynamics.description import confusions, epoch_counts
from retention.dynamics.trace_table import read_traces
from retention.measuring import paired, table
from retention.training.results import EPOCH_COLUMNS
from retention.training.tracking import TRACES as TRACES_SCHEMA

GLOSSARY = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
SAMPLES_PAGE = (ROOT / "docs/samples.md").read_text(encoding="utf-8")
# From which a section of columns is read.
SAMPLES = "Columns of samples.parquet"
FINDINGS, TABLES, TRACES = (
    "Columns of a finding's table",
    "Columns of other tables",
    "Columns of `traces.parquet`",
)


def section(text, heading):
    return text.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def explained(text, cell):
    """Return the names in code in a cell of a page's rows of tables, and what `_odd` is short for."""
    names = set()
    for line in re.findall(r"^\|(.*)\|$", text, re.MULTILINE):
        cells = [re.findall(r"`([\w./*]+)`", one) for one in line.split("|")]
        found = cells[cell]
        names |= {
            *found,
            *(found[0].removesuffix("_from_1") + one for one in found if one[0] == "_"),
        }
    return names


def test_every_column_of_samples_is_explained():
    told = explained(section(SAMPLES_PAGE, SAMPLES), 0)
    first = GLOSSARY.split("\n## Images, samples and runs\n")[1].split("\n- **Family")[0]
    told |= {
        *re.findall(r"`(\w+)`", first),
        *(one.lower() for one in re.findall(r"\*\*(\w+)\*\*", first)),
    }
    assert len(KEYS | OWN) > 25
    assert (KEYS | OWN) - told == set()
    assert {*FIT_COLUMNS, *UNCERTAINTY} - explained(section(GLOSSARY, TRACES), 0) == set()


def test_every_column_of_a_findings_table_is_explained():
    measures = [
        load_part("retention.findings", n, "measure") for n in part_names("retention.findings")
    ]
    more = {name for measure in measures for name in getattr(measure, "MORE", ())}
    columns = {*table.COLUMNS, *more, *paired.JUDGED, *IN_BOTH}
    assert len(columns) > 35
    assert columns - explained(section(GLOSSARY, FINDINGS), 0) == set()


def test_the_stored_tables_have_no_other_columns():
    told = explained(section(GLOSSARY, FINDINGS), 0)
    for name in ("overlap", "fit_quality", "seed_stability"):
        columns = pd.read_csv(ROOT / f"docs/{name}_example.csv", nrows=0).columns
        assert {*columns} - told == set()


def test_every_column_of_other_tables_is_explained(tmp_path):
    rows = [(0, 0, True, 0), (0, 1, False, 1), (0, 2, True, 0)]
    traces = pd.DataFrame(rows, columns=["sample_index", "epoch", "correct", "predicted"])
    traces.to_parquet(tmp_path / "traces.parquet")
    read = read_traces(tmp_path / "traces.parquet")
    index = pd.DataFrame(
        {"label": [0], "class_name": ["x"], "split": ["train"], "digest": ["d"], "sample_id": ["a"]}
    )
    series = [
        load_part("retention.series", name, "measure") for name in part_names("retention.series")
    ]
    columns = {
        *coherence.COLUMNS,
        *COMPARED,
        *EPOCH_COLUMNS,
        *confusions(read, np.array([0])).columns,
        *epoch_counts(read).columns,
        *class_counts(index).columns,
        *duplicates(index).columns,
        *(name for one in series for name in getattr(one, "COLUMNS", ())),
    }
    assert columns - explained(section(GLOSSARY, TABLES), 1) == set()


def test_every_column_of_traces_is_explained():
    assert {*TRACES_SCHEMA.names} - explained(section(GLOSSARY, TRACES), 0) == set()


def test_a_column_without_a_word_is_found():
    assert explained("| `a`, `b` | `c` |\n| `decay_from_1`, `_odd` | d |\n", 0) == {
        *("a", "b", "decay_from_1", "_odd", "decay_odd"),
    }


def test_whoever_is_named_stands_among_the_sources():
    text, sources = GLOSSARY.split("\n## Sources\n")
    named = {
        (name, year)
        for bracket in re.findall(r"\(([^()]*\d{4}[^()]*)\)", text)
        for name, year in re.findall(r"([A-ZÄÖÜ]\w+)[^;()]*? (\d{4})", bracket)
    }
    assert len(named) >= 15
    missing = [
        one for one in named if not re.search(rf"^- {one[0]}\b.*? {one[1]}: ", sources, re.M)
    ]
    assert missing == []
    listed = re.findall(r"^- (\w+).*? (\d{4}): ", sources, re.MULTILINE)
    assert {*listed} == named and [name for name, _ in listed] == sorted(name for name, _ in listed)


def test_an_entry_is_a_sentence_or_two():
    """A term in bold and what it is; no sentence has more than 40 words."""
    entries = re.findall(r"^- (.*)$", GLOSSARY.split("\n## Sources\n")[0], re.MULTILINE)
    assert len(entries) > 80
    assert [entry for entry in entries if not entry.startswith("**")] == []
    sentences = [one for entry in entries for one in re.split(r"(?<=[.?]) ", entry)]
    assert [one for one in sentences if len(one.split()) > 40] == []
    assert [entry for entry in entries if len(re.split(r"(?<=[.?]) ", entry)) > 5] == []
