"""Tables in Markdown: a column's cells are text that Markdown may hold as it is."""

import pandas as pd

from retention.reporting.words import as_text


def markdown_table(cells: pd.DataFrame, to_the_right: frozenset[str] = frozenset()) -> str:
    """Return a table of texts as lines of Markdown, each cell as it is written; columns named are set to the right."""
    shown = [list(map(as_text, line)) for line in [list(cells.columns), *cells.to_numpy().tolist()]]
    rule = ["---:" if name in to_the_right else "---" for name in cells.columns]
    lines = [shown[0], rule, *shown[1:]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
