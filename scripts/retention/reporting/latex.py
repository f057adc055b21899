"""Tables in LaTeX, as booktabs sets them; texts are set as they are written."""

import re
from unicodedata import normalize

import jinja2  # noqa: F401 - pandas writes LaTeX with it: a command that lacks it says so by its name
import pandas as pd

from retention.common.escapes import escaped

LONGEST = 40  # lines of a table that still goes on one page
LINE = 100  # letters of a line of a page, and what stands between columns
BETWEEN = 2
SMALL = "\\footnotesize\n\\setlength{\\tabcolsep}{3pt}\n"
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
MINUS = re.compile(r"(?<![\w-])-(?=[\d.])")
LEAST = 10  # letters that a text's column has, however little room there is
CENTRED = "\\centering\n"
BROKEN = r">{\ragged%s\arraybackslash}p{%.2f\linewidth}"
PACKAGES = "% needs \\usepackage{booktabs,array,longtable}; letters of other scripts than Latin need XeLaTeX or LuaLaTeX and a font that has them"


def as_latex(text: str) -> str:
    """Return a text so that LaTeX sets it as it is written, in one line."""
    # an accent of its own is a letter that pdfLaTeX does not know
    printed = normalize("NFC", escaped(" ".join(text.splitlines())))
    return DASHES.sub("-{}", "".join(SPELLED.get(letter, letter) for letter in printed))


def number_as_latex(text: str) -> str:
    """Return numbers, written as text, with minus signs."""
    return MINUS.sub("$-$", as_latex(text))


def latex_table(cells: pd.DataFrame, to_the_right: frozenset[str], caption: str, label: str) -> str:
    """Return a table of texts, each column that is named set to the right; long ones go over several pages.

    caption: text; label: what `\\ref` names, letters and signs that LaTeX leaves alone.
    """
    told = {
        name: cells[name].map(number_as_latex if name in to_the_right else as_latex)
        for name in cells
    }
    is_long = len(cells) > LONGEST
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
    small = f"{{{SMALL}{text}}}\n" if is_long else text.replace(CENTRED, CENTRED + SMALL, 1)
    return f"{PACKAGES}\n{small}"


def columns_of(cells: pd.DataFrame, to_the_right: frozenset[str]) -> list[str]:
    """Return the kind of each column: where the table is wider than a page, headings of numbers and texts break lines."""
    whole = {name: max(map(len, [name, *cells[name]])) + BETWEEN for name in cells}
    if sum(whole.values()) <= LINE:
        return ["r" if name in to_the_right else "l" for name in cells]
    narrow = {name: _least(name, cells[name]) + BETWEEN for name in cells if name in to_the_right}
    kinds = {
        name: "r" if width == whole[name] else BROKEN % ("left", (width - BETWEEN) / LINE)
        for name, width in narrow.items()
    }
    texts = sorted(whole.keys() - narrow.keys(), key=lambda name: whole[name])
    room = float(LINE - sum(narrow.values()))
    for left, name in zip(range(len(texts), 0, -1), texts, strict=True):
        share = max(room / left, LEAST)
        width = min(whole[name], share)
        kinds[name] = "l" if whole[name] <= share else BROKEN % ("right", (width - BETWEEN) / LINE)
        room -= width
    return [kinds[name] for name in cells]


def _least(heading: str, cells: pd.Series) -> int:
    """Return how wide a column of numbers must be whose heading may break between words."""
    return max(map(len, [*heading.split(), *cells]))
