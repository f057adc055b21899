"""The page of findings: which rows the table of each has, as its measure says."""

import ast
from pathlib import Path

from retention.common.parts import load_part, part_names

from .library import as_markdown

ROOM = "retention.findings"
INTRODUCTION = """# Rows of each finding's table

`findings/<finding>.csv` has a row for each comparison and statistic. A and B are architectures. [Its columns](../glossary.md#columns-of-a-findings-table)
are the same for all findings; [the findings](../findings/index.md) tell what is computed and why.
"""


def page(root: Path) -> str:
    """Return the page, as Markdown: each finding's question, and the table of its rows."""
    findings = {name: load_part(ROOM, name).FINDING for name in part_names(ROOM)}
    text = INTRODUCTION
    for name, finding in sorted(findings.items(), key=lambda entry: entry[1].number):
        source = root / "scripts/retention/findings" / name / "measure.py"
        told = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
        _, _, rest = told.partition("\n")
        text += f"\n## F{finding.number}: {finding.question}\n\n`{name}.csv`\n\n{as_markdown(rest.strip())}\n"
    return text
