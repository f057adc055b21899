"""In which order the summary's first section tells what was found."""

import pandas as pd
from finding_rows import agreement, comparison, rows_of

from retention.reporting.brief import FOUND, in_short


def lines_of(*tables):
    """Return the lines of what was found with confidence."""
    parts = in_short(pd.concat(tables, ignore_index=True), [])
    told = "\n\n".join(parts).split("\n\n")
    return told[told.index(FOUND) + 1].split("\n")


def test_what_only_rules_out_comes_last_and_controls_alone_before_it():
    falls = {"statistic": "excess_r_squared", "comparison": "vit", "architecture": "vit"}
    falls |= {"estimate": -0.1, "p_corrected": 0.01}
    control = comparison("shuffled", "random", "better", 0.03, 0.01)
    tables = [
        rows_of("seed_stability", *agreement("vit", 0.5, 0.01)),
        rows_of("treatment_comparison", comparison("reviews", "shuffled", "undecided"), control),
    ]
    first = lines_of(rows_of("fit_quality", falls), *tables)
    assert [line[4:6] for line in first] == ["F3", "F7", "F2"]
    assert "**F2**: Images are relearned; no decay is there to fit. " in first[-1]
    rises = rows_of("fit_quality", falls | {"estimate": 0.1})
    assert [line[4:6] for line in lines_of(rises, *tables)] == ["F2", "F3", "F7"]
