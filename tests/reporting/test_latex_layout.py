"""How tables in LaTeX fill a page: by their widths, and by LaTeX itself where it is installed."""

import re
import shutil
import subprocess

import pandas as pd
import pytest
from finding_rows import overlap, rows_of
from hostile import NAMES
from latex_cells import cells_of, shown

from retention.reporting.latex import (
    BETWEEN,
    LINE,
    SMALLER,
    WORD,
    columns_of,
    in_pieces,
    latex_table,
    widths_of,
)
from retention.reporting.study_tables import study_tables

LATIN = [name for name in NAMES if name.isascii()] + [
    "",
    "naïve Ångström " * 12,
    "a\nb\tc \x1b[31m",
]
NUMBERS = frozenset(["Estimate", "n"])


def table(rows: int, note: str) -> pd.DataFrame:
    """Return a table of texts with a note in each row."""
    row = {"Comparison": "ResNet vs ViT", "Statistic": "overlap of different seeds"}
    return pd.DataFrame([row | {"Estimate": "0.31", "n": "511", "Note": note}] * rows)


def test_a_word_that_no_hyphenation_breaks_has_places_for_the_end_of_a_line():
    name = "x" * 45 + "_%"
    written = in_pieces(f"of {name} alone")
    assert max(map(len, re.split(r"\\allowbreak\{\}| ", written))) <= 14
    assert shown(written) == f"of {name} alone"
    assert in_pieces("distinguishable") == "distinguishable"


def test_a_column_of_texts_has_room_for_its_longest_word():
    cells = table(3, "a note of many words that are not distinguishable " * 3)
    widths = widths_of(cells, NUMBERS, LINE)
    for name in ("Comparison", "Statistic", "Note"):
        words = " ".join([name, *cells[name]]).split()
        assert widths[name] - BETWEEN >= min(WORD, max(map(len, words)))
    assert sum(widths.values()) <= LINE
    assert widths["Note"] == max(widths.values())


def test_a_table_whose_rows_have_many_lines_goes_over_pages():
    short, tall = (latex_table(table(15, note), NUMBERS, "c", "l") for note in ("", "note " * 60))
    assert r"\begin{table}" in short and r"\begin{longtable}" in tall
    assert r"\setlength{\LTcapwidth}{\linewidth}" in tall
    assert len(cells_of(tall)) == len(cells_of(short)) == 16


def test_columns_that_do_not_fit_are_set_smaller():
    wide = pd.DataFrame({f"distinguishable{k}": ["x " * 20] for k in range(8)})
    text = latex_table(wide, frozenset(), "c", "l")
    assert r"\scriptsize" in text and r"\footnotesize" not in text
    assert r"\footnotesize" in latex_table(table(2, "x"), NUMBERS, "c", "l")
    shares = re.findall(r"p\{([\d.]+)", " ".join(columns_of(wide, frozenset())))
    assert sum(map(float, shares)) == pytest.approx(8 * WORD / (LINE * SMALLER), abs=0.05)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs LaTeX: texlive-latex-extra")
def test_latex_sets_every_name_on_the_page(tmp_path):
    rows = [
        {"statistic": "class_hazard", "comparison": f"{net}: {name}", "architecture": net}
        | {"estimate": 0.1, "low": 0.05, "high": 0.2, "n": 10, "chance": 0.05}
        for net in ("cnn", "vit")
        for name in [*LATIN, *(f"a species of bird {k}" for k in range(30))]
    ]
    overlaps = [overlap(name or "e", "vit", 0.3, 0.01, note=f"of {name}") for name in LATIN]
    findings = [rows_of("class_forgetting", *rows), rows_of("architecture_overlap", *overlaps)]
    tables = study_tables(pd.concat(findings), titles={"cnn": LATIN[1], "vit": "y" * 120})
    body = "\n\\clearpage\n".join(one.as_latex() for one in tables)
    head = r"\documentclass{article}\usepackage[a4paper,margin=25mm]{geometry}"
    head += r"\usepackage{booktabs,array,longtable}\begin{document}"
    (tmp_path / "t.tex").write_text(f"{head}\n{body}\n\\end{{document}}\n", encoding="utf-8")
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]
    beyond = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt", done.stdout)]
    assert max(beyond, default=0) < 20  # a finger's breadth of a page
    assert "Float too large" not in done.stdout and "Missing character" not in done.stdout
