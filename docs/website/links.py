"""Links between pages: as the repository writes them, and as the site needs them."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

LINK = re.compile(r"(?<=\]\()(?P<target>[^)\s]+)(?=[)\s])")
FENCE = re.compile(r"^(`{3,}).*?^\1`*[ ]*$", re.MULTILINE | re.DOTALL)
FILES = "files"  # the folder of the site that holds files of the repository


def links_of(text: str) -> Iterator[str]:
    """Yield the targets of a page's links that lead into the repository, as they are written."""
    for found in LINK.finditer(FENCE.sub("", text)):
        if "://" not in found["target"] and not found["target"].startswith("mailto:"):
            yield found["target"]


def resolved(page: str, target: str) -> tuple[str, str]:
    """Return (file, anchor) of a link of the page `page`; paths are relative to what holds all pages."""
    path, _, anchor = target.partition("#")
    file = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
    return file, anchor


def moved(text: str, page: str, places: Mapping[str, str], root: Path) -> tuple[str, set[str]]:
    """Return a page's text with its links as the site needs them, and the files that must lie beside the pages.

    page: the page's path in the repository. places: path in the repository → page of the site.
    Raises ValueError for a link that leads to nothing, or to a folder that no page stands for.
    """
    files: set[str] = set()
    here = posixpath.dirname(places[page])

    def of_site(found: re.Match) -> str:
        target = found["target"]
        if "://" in target or target.startswith(("#", "mailto:")):
            return target
        file, anchor = resolved(page, target)
        if file not in places:
            if not (root / file).is_file():
                raise ValueError(f"{page}: links to {target}, which is no page and no file")
            files.add(file)
        place = places.get(file, f"{FILES}/{file}")
        return posixpath.relpath(place, here or ".") + (f"#{anchor}" if anchor else "")

    pieces, end = [], 0
    for fence in FENCE.finditer(text):  # code stays as it is
        pieces += [LINK.sub(of_site, text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*pieces, LINK.sub(of_site, text[end:])]), files


def anchors_of(text: str) -> set[str]:
    """Return the anchors of a page's headings, as code hosts and MyST name them."""
    seen: dict[str, int] = {}
    anchors = set()
    for heading in re.findall(r"^#{1,6} (.+?) *#*$", FENCE.sub("", text), re.MULTILINE):
        plain = re.sub(r"\[(.+?)\]\(.+?\)", r"\1", heading).replace("`", "").strip().lower()
        name = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        seen[name] = seen.get(name, -1) + 1
        anchors.add(f"{name}-{seen[name]}" if seen[name] else name)
    return anchors
