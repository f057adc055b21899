"""The site's table of contents: the sections and lists of docs/README.md, which a code host shows as it stands."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ENTRY = re.compile(r"^- \[(?P<title>.+?)\]\((?P<target>[^)\s]+)\): (?P<text>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Entry:
    """A line of the contents: what it is called, where it leads, as the page writes it, and what is there."""

    title: str
    target: str
    text: str

    @property
    def is_page(self) -> bool:
        """Whether it leads to a whole page, not to a part of one."""
        return "#" not in self.target


@dataclass(frozen=True)
class Section:
    """A heading of the contents with its lines."""

    title: str
    entries: Sequence[Entry]

    @property
    def name(self) -> str:
        """The section's page, without its suffix."""
        return self.title.lower().replace(" ", "_")


def read_contents(path: Path) -> list[Section]:
    """Return the sections of a page of contents, in its order; raise ValueError for a list line that is no entry."""
    _, *parts = re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [_section(path, part) for part in parts]


def _section(path: Path, part: str) -> Section:
    title, _, body = part.partition("\n")
    entries = [Entry(**found.groupdict()) for found in ENTRY.finditer(body)]
    listed = [line for line in body.splitlines() if line.strip()]
    if len(entries) != len(listed):
        raise ValueError(
            f"{path}: section {title} holds a line that is no entry; write - [title](page): sentence"
        )
    return Section(title.strip(), entries)


def toctree(entries: Sequence[tuple[str, str]], hidden: bool = True) -> str:
    """Return a toctree as MyST writes it; entries: (title, page without suffix)."""
    option = ":hidden:\n" if hidden else ":maxdepth: 1\n"
    lines = "\n".join(f"{title} <{page}>" for title, page in entries)
    return f"```{{toctree}}\n{option}\n{lines}\n```\n"
