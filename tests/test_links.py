"""What the documentation links to and names is there, and what is there is named."""

import re

import pytest
from additions import checklists_of
from conftest import ROOT

from retention.common.parts import load_part, part_names
from retention.measuring.figures import figure_homes

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
LINES_OF_A_PAGE = 100


def name(page):
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_to_files_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    files = [link for link in links if "://" not in link]
    assert [link for link in files if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_are_there(page):
    text = page.read_text(encoding="utf-8")
    files = re.findall(r"python ((?:scripts|benchmarks)/[a-z_]+\.py)", text)
    assert [file for file in files if not (ROOT / file).is_file()] == []
    added = {file.split("/")[-2] for file in checklists_of("A finding")[0] if "/findings/" in file}
    known = {
        "measure_finding": {*part_names("retention.findings")} | added,
        "draw_figure": {*figure_homes()},
    }
    for command, word in re.findall(r"(measure_finding|draw_figure)\.py ([a-z_]+)", text):
        assert word in known[command], f"{command}.py {word}"


def test_every_finding_has_a_number_of_its_own_and_its_section():
    findings = {
        n: load_part("retention.findings", n).FINDING for n in part_names("retention.findings")
    }
    numbers = sorted(finding.number for finding in findings.values())
    assert numbers == list(range(1, len(numbers) + 1))
    text = (ROOT / "docs/method.md").read_text(encoding="utf-8")
    sections = re.findall(r"^### F(\d+) ([\w ]+)$", text, re.MULTILINE)
    assert {(int(n), title.replace(" ", "_")) for n, title in sections} == {
        (finding.number, name) for name, finding in findings.items()
    }


def test_every_adapter_is_in_the_table():
    text = (ROOT / "docs/data.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?`) \| .* \| .* \|$", text, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == {*part_names("retention.data.adapters")}


def test_every_curve_and_retention_trace_is_in_its_table():
    text = (ROOT / "docs/method.md").read_text(encoding="utf-8")
    part = text.split("\n## Retention traces and decay curves\n")[1].split("\n### ")[0]
    named = {
        name
        for row in re.findall(r"^\| (.*?) \|", part, re.M)
        for name in re.findall(r"`(\w+)`", row)
    }
    rooms = ("retention.dynamics.curves", "retention.dynamics.retention")
    assert named == {name for room in rooms for name in part_names(room)}


def test_the_map_is_one_page_and_names_every_room():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LINES_OF_A_PAGE
    rooms = {path.parent.name for path in (ROOT / "scripts/retention").glob("*/__init__.py")}
    drawn = {
        word
        for line in re.findall(r"^    ([a-z| ]+?)(?:  |$)", text, re.M)
        for word in line.split(" | ")
    }
    assert rooms <= {word.strip() for word in drawn}
