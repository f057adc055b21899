"""What a person should know of a data set goes from whoever learns it to terminal and summary."""

import logging
from types import SimpleNamespace

import pandas as pd
import pytest
from no_paper import NO_PAPER

from retention.audits.tables import COLUMNS
from retention.commands import write_summary
from retention.common.notes import collected, read_notes, tell, write_notes
from retention.workflow.adoption.remaking import new_files
from retention.workflow.notes import new_notes, noted


def test_notes_are_collected_once_each_and_printed(tmp_path, capsys):
    tell("nobody listens")
    with collected("own") as lines:
        logging.getLogger("retention.notes").info("two %s", "words")
        tell("a name with a\nline break, and 100 %")
        tell("two words")
    tell("nobody listens any more")
    assert lines == ["own: two words", "own: a name with a\\nline break, and 100 %"]
    assert capsys.readouterr().out == "".join(f"note: {line}\n" for line in lines)
    write_notes(tmp_path / "notes.txt", lines)
    assert read_notes(tmp_path / "notes.txt") == lines
    write_notes(tmp_path / "notes.txt", [])
    assert (tmp_path / "notes.txt").read_bytes() == b""


@pytest.mark.parametrize("place", ["data/index/own", "data/cache/own/32", "results/s/own"])
def test_a_run_tells_the_notes_that_it_wrote(tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path)
    for name in ("data/index/own", "data/cache/own/32", "results/s/own", "data/index/other"):
        write_notes(tmp_path / name / "notes.txt", [f"own: an old one in {name}"])
    before = noted("results/s", ["own", "never made"])
    assert len(before) == 3
    assert list(new_notes(before, noted("results/s", ["own"]))) == []
    write_notes(tmp_path / place / "notes.txt", ["own: new", "own: new"])
    assert list(new_notes(before, noted("results/s", ["own"]))) == ["note: own: new"]
    (tmp_path / place / "notes.txt").unlink()
    assert list(new_notes(before, noted("results/s", ["own"]))) == []


def test_the_summary_lists_notes_under_a_heading_of_their_own(tmp_path):
    coherence = pd.DataFrame(columns=["check"])
    coherence.to_csv(tmp_path / "t.csv", index=False)
    NO_PAPER.to_csv(tmp_path / "p.csv", index=False)
    pd.DataFrame(columns=COLUMNS).to_csv(tmp_path / "findings.csv", index=False)
    for number in (0, 1):
        write_notes(tmp_path / f"{number}.txt", ["own: the same", f"own: number {number}"])
    tables = ["--findings", "findings.csv", "--paper", "p.csv", "--coherence", "t.csv"]
    words = [f"{tmp_path}/{word}" if "." in word else word for word in tables]
    output = tmp_path / "summary.md"
    notes = ["--notes", *(f"{tmp_path}/{number}.txt" for number in (0, 1))]
    write_summary.main([*words, *notes, "--output", str(output)])
    text = output.read_text(encoding="utf-8")
    assert "## Notes on the data\n\n- own: the same\n- own: number 0\n- own: number 1\n\n" in text
    write_summary.main([*words, "--output", str(output)])
    assert "Notes on the data" not in output.read_text(encoding="utf-8")


def test_what_only_tells_of_a_data_set_is_not_compared_when_a_study_is_adopted(tmp_path):
    outputs = {"images": tmp_path / "a", "quarantine": tmp_path / "b", "notes": tmp_path / "c"}
    for path in outputs.values():
        path.write_text("x")
    job = SimpleNamespace(output={name: str(path) for name, path in outputs.items()})
    assert new_files(job) == {str(tmp_path / "b"), str(tmp_path / "c")}
