"""A study's summary.md as parts of a page: its first words, and a section per heading."""

import re
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt
from markupsafe import Markup, escape

HEADING = re.compile(r"^## +(.*)$", re.MULTILINE)
# A number and its sign, and what a number is of, that no line break may part.
PER_CENT = re.compile(r"(?<=\d) (?=%)")
EQUALS = re.compile(r"(\b[\wρφτλ]) (=|&lt;|&gt;) (?=[\d−])")
# A point of a list that says what may not be concluded, as findings write it.
LIMIT = re.compile(
    r"<li>(\s*(?:<p>)?)(?=(?:<em>|[^<\s])(?:(?!</li>|<li>).)*?(?:\bmay not\b|\bis no ceiling\b|\bnothing is said\b))",
    re.DOTALL,
)
TITLE = re.compile(r"^# +.*$", re.MULTILINE)


@dataclass(frozen=True)
class Section:
    """What stands under a heading of the second level, as HTML; title: the heading, as HTML without a paragraph."""

    title: Markup
    text: str
    body: Markup

    def with_limits_marked(self) -> "Section":
        """Return the section with a mark on each point that says what may not be concluded.

        Such a point is known by its words, and no result: results begin with what they are of, in bold.
        """
        marked = LIMIT.sub(r'<li class="limit">\1<b>May not be concluded.</b> ', str(self.body))
        return replace(self, body=Markup(marked))

    def linked(self, where: str, words: str, address: str) -> "Section":
        """Return the section with a link on `words` wherever its body says `where`, which holds them."""
        said = str(escape(where)).replace("&#34;", "&quot;")
        link = said.replace(words, f'<a href="{address}">{words}</a>')
        return replace(self, body=Markup(str(self.body).replace(said, link)))


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
    html = PER_CENT.sub("\u00a0", _renderer().render(text))
    html = EQUALS.sub("\\1\u00a0\\2\u00a0", html)
    return Markup(
        html.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    )


def _inline(text: str) -> Markup:
    return Markup(_renderer().renderInline(text))


def _renderer() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")
