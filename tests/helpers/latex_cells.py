"""A reader of the tables that we write in LaTeX: what a page would show of each cell."""

import re

SHOWN = {
    "allowbreak": "",
    "textbackslash": "\\",
    "textasciitilde": "~",
    "textasciicircum": "^",
    "textless": "<",
    "textgreater": ">",
    "textbar": "|",
    "textasciigrave": "`",
    "textendash": "–",
    "textemdash": "—",
    "char34": '"',
    "ldots": "…",
    "rho": "ρ",
    "varphi": "φ",
    "tau": "τ",
    "lambda": "λ",
    "alpha": "α",
    "pm": "±",
    "times": "×",
    "geq": "≥",
    "leq": "≤",
    "surd": "√",
    "infty": "∞",
    "rightarrow": "→",
}
TOKEN = re.compile(r"\\[A-Za-z]+(?:34)?|\\.|.", re.DOTALL)


def cells_of(text: str) -> list[list[str]]:
    """Return the cells of a table's lines, heading first, as a page shows them."""
    heading = re.search(r"\\toprule\n(.*?)\\midrule\n", text, re.DOTALL)[1]
    is_long = r"\begin{longtable}" in text
    body = r"\\endlastfoot\n(.*?)\\end\{longtable\}" if is_long else r"\\midrule\n(.*?)\\bottomrule"
    lines = [heading, *re.search(body, text, re.DOTALL)[1].split("\\\\\n")[:-1]]
    for line in lines[1:]:
        assert not line.startswith(("[", "*")), f"{line}: an option of the line before"
    cells = [split(line.removesuffix("\\\\\n")) for line in lines]
    assert {len(line) for line in cells} == {len(cells[0])}
    return [[shown(cell.strip()) for cell in line] for line in cells]


def split(line: str) -> list[str]:
    """Return a line's parts between the & that are no letters."""
    return re.split(r"(?<!\\)&", line)


def shown(text: str) -> str:
    """Return what a page shows; raise where TeX would stop or would take a letter for a command."""
    out, depth, maths, raised, before = "", 0, False, False, ""
    for token in TOKEN.findall(text):
        assert maths or (before, token) != ("-", "-"), f"{text}: drawn as one long dash"
        before = token
        if token == "{":
            depth += 1
        elif token == "}":
            depth -= 1
            raised = False
            assert depth >= 0, f"{text}: a brace too many"
        elif token == "$":
            maths = not maths
        elif token == r"\textsuperscript":
            raised = True
        elif token[0] == "\\" and len(token) > 1:
            name = token[1:]
            out += SHOWN[name] if name.isalnum() else name
            assert name.isalnum() or name in "&%$#_{}", f"{text}: {token}"
        else:
            assert token not in "&%#_^~\\", f"{text}: {token} is a command to TeX"
            out += "²" if raised and token == "2" else token
    assert depth == 0 and not maths, f"{text}: does not end"
    return out
