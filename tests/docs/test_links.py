"""What the documentation links to and names is there, and what is there is named."""

import re

import pytest
from additions import checklists_of
from sources import ROOT

from retention.common.parts import load_part, part_names
from retention.measuring.figures import figure_homes

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
LINES_OF_A_PAGE = 100
LINES_OF_THE_README = 80
FINDINGS = ROOT / "docs/findings"
PARTS = ["What is computed", "How to read it", "When it fails"]
OF_THE_METHOD = {
    "What is recorded and derived per sample",
    "Conventions of others",
    "Retention traces and decay curves",
    "Another definition",
    "R² and its null",
    "Why `aligned` × `exponential`, with the hazard beside it",
    "Speed of the fits",
    "Findings",
    "Figures of the runs",
    "Intervals",
    "F1 architecture overlap",
    "F2 fit quality",
    "F3 seed stability",
    "F4 class forgetting",
    "F5 early loss",
    "F6 ensemble coverage",
    "F7 treatment comparison",
    "F8 pruning transfer",
    "Joint test of the multiverse",
    "Audits",
    "Summary and tables",
    "Calibration",
    "Speed of the findings",
}


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
    added = {
        file.split("/")[-2]
        for file in checklists_of("A finding")[0]
        if "retention/findings/" in file
    }
    known = {
        "measure_finding": {*part_names("retention.findings")} | added,
        "draw_figure": {*figure_homes()},
    }
    for command, word in re.findall(r"(measure_finding|draw_figure)\.py ([a-z_]+)", text):
        assert word in known[command], f"{command}.py {word}"


def statistics_of(finding):
    """Return the names with an underscore in the second column of the table that a finding's measure tells of itself."""
    told = load_part("retention.findings", finding, "measure").__doc__
    cells = re.findall(r"^\| (?!comparison|---).*? \| (.*?) \|", told, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"[a-z]+(?:_[a-z0-9<>]+)+", cell)}


def test_every_finding_has_a_number_of_its_own_and_its_page():
    findings = {
        n: load_part("retention.findings", n).FINDING for n in part_names("retention.findings")
    }
    numbers = sorted(finding.number for finding in findings.values())
    assert numbers == list(range(1, len(numbers) + 1))
    pages = {page.name: page.read_text(encoding="utf-8") for page in FINDINGS.glob("f*.md")}
    assert {*pages} == {f"f{finding.number}_{name}.md" for name, finding in findings.items()}
    for name, finding in findings.items():
        text = pages[f"f{finding.number}_{name}.md"]
        title = f"# F{finding.number} {name.replace('_', ' ')}"
        assert text.startswith(f"{title}\n\n**Question.** {finding.question}\n")
        assert [one.name for one in finding.figures if f"`{one.name}`" not in text] == []
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS
        rows = statistics_of(name)
        assert rows and [one for one in rows if f"`{one}`" not in text] == []


def test_links_into_the_method_lead_on():
    """The page was long once. Links from outside find each of its headings, and below it where the part went."""
    text = (ROOT / "docs/method.md").read_text(encoding="utf-8")
    parts = dict(re.findall(r"^##+ (.+)\n\n(.*)$", text, re.MULTILINE))
    assert len(parts) == len(OF_THE_METHOD) and {*parts} == OF_THE_METHOD
    assert [part for part, below in parts.items() if "](" not in below] == []


def test_every_adapter_is_in_the_table():
    text = (ROOT / "docs/data.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?`) \| .* \| .* \|$", text, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == {*part_names("retention.data.adapters")}


def test_every_curve_and_retention_trace_is_in_its_table():
    text = (ROOT / "docs/decay.md").read_text(encoding="utf-8")
    part = text.split("\n## Retention traces\n")[1].split("\n## How a curve is fitted\n")[0]
    named = {
        name
        for row in re.findall(r"^\| (.*?) \|", part, re.M)
        for name in re.findall(r"`(\w+)`", row)
    }
    rooms = ("retention.dynamics.curves", "retention.dynamics.retention")
    assert named == {name for room in rooms for name in part_names(room)}


def test_the_readme_is_short():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LINES_OF_THE_README


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
