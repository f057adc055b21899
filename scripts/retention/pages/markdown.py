"""A study's summary.md as parts of a page: its first words, and a section per heading."""

import re
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markupsafe import Markup

HEADING = re.compile(r"^## +(.*)$", re.MULTILINE)
TITLE = re.compile(r"^# +.*$", re.MULTILINE)


@dataclass(frozen=True)
class Section:
    """What stands under a heading of the second level, as HTML; title: the heading, as HTML without a paragraph."""

    title: Markup
    text: str
    body: Markup


def sections_of(summary: str) -> tuple[Markup, list[Section]]:
    """Return what stands before the first heading of the second level, and the sections, in their order.

    HTML in the text stays text: names of classes and files are in it.
    """
    parts = HEADING.split(summary)
    lead = TITLE.sub("", parts[0], count=1)
    headings, bodies = parts[1::2], parts[2::2]
    sections = [
        Section(_inline(title), title, _html(body))
        for title, body in zip(headings, bodies, strict=True)
    ]
    return _html(lead), sections


def _html(text: str) -> Markup:
    html = _renderer().render(text)
    return Markup(
        html.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    )


def _inline(text: str) -> Markup:
    return Markup(_renderer().renderInline(text))


def _renderer() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")
