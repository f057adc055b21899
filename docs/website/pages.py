"""The site's sources: each page of the repository with its links as the site needs them, and the pages that are made."""

import posixpath
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from . import commands, findings, library, options
from .contents import Section, read_contents, toctree
from .links import FILES, moved

CONTENTS = "docs/README.md"
FRONT = "index.md"
# Pages at the root of the repository → pages of the site.
OF_ROOT = {
    "README.md": FRONT,
    CONTENTS: FRONT,
    "CHANGELOG.md": "changelog.md",
    "ARCHITECTURE.md": "map.md",
    "CONTRIBUTING.md": "contributing.md",
}
# Sources → the page that is made of them; a link to the source leads to the page. Folders may stand for a page, too.
MADE: Mapping[str, tuple[str, Callable[[Path], str]]] = {
    "scripts/retention/commands": ("reference/commands.md", commands.page),
    "scripts/retention/schemas/config.schema.json": ("reference/configuration.md", options.study),
    "scripts/retention/schemas/datasets.schema.json": ("reference/data_sets.md", options.data_sets),
    "slurm/site.yaml": ("reference/cluster.md", options.cluster),
    "scripts/retention/findings": ("reference/findings.md", findings.page),
    "scripts/retention": ("reference/python.md", library.page),
}
# Pages that have the other pages of their folder below them: whoever adds one lists it nowhere else.
OF_FOLDERS = ("docs/decisions/README.md", "docs/findings/README.md")


def stage(root: Path, folder: Path) -> None:
    """Write the site's sources into a folder, made anew; raise ValueError for a link that leads to no page and no file."""
    shutil.rmtree(folder, ignore_errors=True)
    places, files = places_of(root), set()
    sections = read_contents(root / CONTENTS)
    for page, place in places.items():
        if page in MADE or page == CONTENTS:
            continue
        text, linked = moved((root / page).read_text(encoding="utf-8"), page, places, root)
        files |= linked
        _write(folder / place, text + _more(root, page, sections))
    for section in sections:
        page = f"{section.name}.md"
        if page in places.values():
            raise ValueError(f"{CONTENTS}: section {section.title} would take the place of {page}")
        _write(folder / page, _moved_section(section, places, root))
    for file in sorted(files):
        target = folder / FILES / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / file, target)
    for place, make in MADE.values():
        _write(folder / place, make(root))
    library.write_rooms(root, folder / "reference/python")


def places_of(root: Path) -> dict[str, str]:
    """Return path in the repository → page of the site, of every page and of every source that has one."""
    places = dict(OF_ROOT)
    places |= {source: place for source, (place, _) in MADE.items()}
    for folder in ("docs", "examples", "published"):
        for path in sorted((root / folder).rglob("*.md")):
            page = path.relative_to(root).as_posix()
            place = posixpath.join(posixpath.dirname(page), path.name.replace("README", "index"))
            places.setdefault(page, place.removeprefix("docs/"))
    return places


def _more(root: Path, page: str, sections: list[Section]) -> str:
    """Return what a page has on the site alone: the contents of all or, of a folder that lists itself, the list of its pages."""
    if page == "README.md":
        listed = "".join(
            f"- [{section.title}]({section.name}.md): {_titles(section)}\n" for section in sections
        )
        tree = toctree([(section.title, section.name) for section in sections])
        return f"\n## Pages of this site\n\n{listed}\n{tree}"
    if page in OF_FOLDERS:
        files = pages_of_folder(root / page)
        return "\n" + toctree([(_title(file), file.stem) for file in files], hidden=False)
    return ""


def pages_of_folder(page: Path) -> list[Path]:
    """Return the pages beside a folder's own page, in the order of the number in their names."""
    files = {file for file in page.parent.glob("*.md") if file != page}
    return sorted(files, key=lambda file: (int(re.search(r"\d+", file.stem)[0]), file.stem))


def _title(file: Path) -> str:
    return file.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


def _titles(section: Section) -> str:
    titles = [entry.title for entry in section.entries]
    return ", ".join([titles[0], *(title[0].lower() + title[1:] for title in titles[1:])]) + "."


def _moved_section(section: Section, places: Mapping[str, str], root: Path) -> str:
    """Return the page of a section: its lines, and the pages that they lead to in its navigation."""
    own = {**places, CONTENTS: f"{section.name}.md"}
    lines = "".join(f"- [{one.title}]({one.target}): {one.text}\n" for one in section.entries)
    text, _ = moved(lines, CONTENTS, own, root)
    pages = [
        (entry.title, posixpath.splitext(places[posixpath.normpath(f"docs/{entry.target}")])[0])
        for entry in section.entries
        if entry.is_page
    ]
    return f"# {section.title}\n\n{text}\n{toctree(pages)}"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
