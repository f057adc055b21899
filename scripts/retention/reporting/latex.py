"""Tables in LaTeX, as booktabs sets them; texts are set as they are written."""

import math
import re
from collections.abc import Mapping
from unicodedata import normalize

import jinja2  # noqa: F401 - pandas writes LaTeX with it: a command that lacks it says so by its name
import pandas as pd

from retention.common.escapes import escaped
from retention.reporting.words import ASCII_MINUS, RAISED

LONGEST = 40  # lines of a table that still goes on one page
LINE = 100  # letters of a line of a page, and what stands between columns
BETWEEN = 2
SMALLER = 1.15  # letters of the smaller size in the place of one
# Rows of several lines stand apart, and the caption from the rule below it.
SMALL = "\\setlength{\\tabcolsep}{3pt}\n\\setlength{\\extrarowheight}{2pt}\n\\setlength{\\belowcaptionskip}{4pt}\n"
LONG = "\\setlength{\\LTcapwidth}{\\linewidth}\n"
# What LaTeX takes for a command, and letters that its text fonts lack.
SPELLED = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"{\char34}",
    "`": r"\textasciigrave{}",
    "[": "{[}",  # at the head of a line it would be an option of the one before
    "*": "{*}",  # likewise
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
    **{chr(raised): f"$^{{{chr(plain)}}}$" for plain, raised in RAISED.items()},
    "ρ": r"$\rho$",
    "τ": r"$\tau$",
    "λ": r"$\lambda$",
    "α": r"$\alpha$",
    "φ": r"$\varphi$",
    "²": r"\textsuperscript{2}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "−": r"$-$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "√": r"$\surd$",
    "∞": r"$\infty$",
    "→": r"$\rightarrow$",
    "…": r"\ldots{}",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
}
DASHES = re.compile("-(?=-)")  # several would be drawn as one long dash
LEAST, WORD = (
    10,
    14,
)  # letters that a text's column has, however little room there is: its longest word within these
UNBROKEN = 20  # letters of a word that no hyphenation breaks
CENTRED = "\\centering\n"
# \hspace lets TeX break the first word of a cell, too.
BROKEN = r">{\ragged%s\arraybackslash\hspace{0pt}}p{%.2f\linewidth}"
PACKAGES = "% needs \\usepackage{booktabs,array,longtable}; letters of other scripts than Latin need XeLaTeX or LuaLaTeX and a font that has them"


def as_latex(text: str) -> str:
    """Return a text so that LaTeX sets it as it is written, in one line."""
    # an accent of its own is a letter that pdfLaTeX does not know
    printed = normalize("NFC", escaped(" ".join(text.splitlines())))
    return DASHES.sub("-{}", "".join(SPELLED.get(letter, letter) for letter in printed))


def number_as_latex(text: str) -> str:
    """Return numbers, written as text, with minus signs."""
    return ASCII_MINUS.sub("$-$", as_latex(text))


def in_pieces(text: str) -> str:
    """Return a text as `as_latex` does, words that no hyphenation breaks with places where a line may end."""
    words = normalize("NFC", " ".join(text.splitlines())).split(" ")
    return " ".join(
        as_latex(word)
        if len(word) <= UNBROKEN
        else r"\allowbreak{}".join(
            as_latex(word[first : first + LEAST]) for first in range(0, len(word), LEAST)
        )
        for word in words
    )


def latex_table(cells: pd.DataFrame, to_the_right: frozenset[str], caption: str, label: str) -> str:
    """Return a table of texts, each column that is named set to the right; long ones go over several pages.

    caption: text; label: what `\\ref` names, letters and signs that LaTeX leaves alone.
    """
    told = {
        name: cells[name].map(number_as_latex if name in to_the_right else in_pieces)
        for name in cells
    }
    line = line_of(cells, to_the_right)
    widths = widths_of(cells, to_the_right, line)
    is_long = _lines(cells, widths) > LONGEST
    styled = pd.DataFrame(told).rename(columns=as_latex).style.hide(axis="index")
    text = styled.to_latex(
        environment="longtable" if is_long else None,
        column_format="".join(columns_of(cells, to_the_right)),
        hrules=True,
        position=None if is_long else "tbp",
        position_float=None if is_long else "centering",
        caption=as_latex(caption),
        label=label,
    )
    small = ("\\footnotesize\n" if line == LINE else "\\scriptsize\n") + SMALL
    if is_long:
        return f"{PACKAGES}\n{{{small}{LONG}{text}}}\n"
    return f"{PACKAGES}\n{text.replace(CENTRED, CENTRED + small, 1)}"


def columns_of(cells: pd.DataFrame, to_the_right: frozenset[str]) -> list[str]:
    """Return the kind of each column: where the table is wider than a page, headings of numbers and texts break lines."""
    line = line_of(cells, to_the_right)
    whole, widths = _whole(cells), widths_of(cells, to_the_right, line)
    return [
        ("r" if name in to_the_right else "l")
        if widths[name] >= whole[name]
        else BROKEN % ("left" if name in to_the_right else "right", (widths[name] - BETWEEN) / line)
        for name in cells
    ]


def line_of(cells: pd.DataFrame, to_the_right: frozenset[str]) -> float:
    """Return how many letters a line has: more, of a smaller size, where not even the longest words fit."""
    return LINE if sum(_narrow(cells, to_the_right).values()) <= LINE else LINE * SMALLER


def widths_of(cells: pd.DataFrame, to_the_right: frozenset[str], line: float) -> dict[str, float]:
    """Return how many letters each column has room for, with what stands between columns."""
    whole, narrow = _whole(cells), _narrow(cells, to_the_right)
    if sum(whole.values()) <= line:
        return dict(whole)
    widths: dict[str, float] = {name: narrow[name] for name in cells if name in to_the_right}
    texts = sorted(whole.keys() - widths.keys(), key=lambda name: whole[name] - narrow[name])
    # what no text needs for its longest word goes to those that are longest
    room = line - sum(narrow.values())
    for left, name in zip(range(len(texts), 0, -1), texts, strict=True):
        more = min(whole[name] - narrow[name], max(room, 0.0) / left)
        widths[name] = narrow[name] + more
        room -= more
    return widths


def _lines(cells: pd.DataFrame, widths: Mapping[str, float]) -> int:
    """Return how many lines the rows take."""
    of_cells = [
        [math.ceil(len(cell) / (widths[name] - BETWEEN)) for cell in cells[name]] for name in cells
    ]
    return sum(max(1, *of_row) for of_row in zip(*of_cells, strict=True))


def _whole(cells: pd.DataFrame) -> dict[str, float]:
    """Return how wide each column is that breaks no line."""
    return {name: float(max(map(len, [name, *cells[name]])) + BETWEEN) for name in cells}


def _narrow(cells: pd.DataFrame, to_the_right: frozenset[str]) -> dict[str, float]:
    """Return how wide each column is at least: of texts its longest word, as far as these are not broken themselves."""
    return {
        name: float(
            BETWEEN
            + (
                _least(name, cells[name])
                if name in to_the_right
                else min(WORD, max(map(len, " ".join([name, *cells[name]]).split()), default=0))
            )
        )
        for name in cells
    }


def _least(heading: str, cells: pd.Series) -> int:
    """Return how wide a column of numbers must be whose heading may break between words."""
    return max(map(len, [*heading.split(), *cells]))
