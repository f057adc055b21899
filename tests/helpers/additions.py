"""What CONTRIBUTING.md tells to add: its code and its checklists, read from the page."""

import re
from pathlib import Path

from sources import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^`([^`\n]+)`(?:, in `(\w+)`)?\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def files_of(section: str) -> dict[str, str]:
    """Return the new files of a section by their names, each with what it holds."""
    return {name: text for name, place, text in BLOCK.findall(SECTIONS[section]) if not place}


def inserted_by(section: str) -> dict[tuple[str, str], str]:
    """Return what a section inserts, by the file and the key below which it stands."""
    return {(name, place): text for name, place, text in BLOCK.findall(SECTIONS[section]) if place}


def checklists_of(section: str) -> list[list[str]]:
    """Return the files that each numbered list of a section names."""
    lists: list[list[str]] = []
    for number, name in re.findall(r"^(\d+)\. `([^`]+)`", SECTIONS[section], re.MULTILINE):
        if number == "1":
            lists.append([])
        lists[-1].append(name)
        assert int(number) == len(lists[-1])
    return lists


def add(folder: Path, section: str) -> None:
    """Write the new files of a section below a folder, and insert what it inserts."""
    for name, text in files_of(section).items():
        file = folder / name
        assert not file.exists(), f"{name} is there: the page needs another example"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    for (name, key), text in inserted_by(section).items():
        insert_below(folder / name, f"\n{key}:\n", text)


def insert_below(file: Path, line: str, text: str) -> None:
    """Insert a text below the only place of a line."""
    before = file.read_text(encoding="utf-8")
    assert before.count(line) == 1
    file.write_text(before.replace(line, line + text), encoding="utf-8")
