"""In which order the summary's first section tells what was found."""

import pandas as pd
from finding_rows import agreement, comparison, rows_of

from retention.common.parts import load_part
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


def test_f2_says_in_plain_words_first_of_which_networks_there_is_no_decay():
    tell = load_part("retention.findings", "fit_quality", "sentences").sentences
    rows = [
        {"comparison": name, "architecture": name, "chance": -0.03, "p_corrected": p}
        | {"statistic": statistic, "estimate": estimate}
        for name, estimate, p in (("a", -0.1, 0.01), ("b", -0.1, 0.2), ("c", 0.1, 0.01))
        for statistic in ("mean_r_squared", "excess_r_squared", "constant_fraction")
    ]
    first, *rest = tell(rows_of("fit_quality", *rows))
    assert first == "- In plain words: images are relearned, and no decay is there to fit, for a."
    assert not [line for line in rest if "plain words" in line]
    others = [row for row in rows if row["architecture"] != "a"]
    assert next(tell(rows_of("fit_quality", *others))).startswith("- **b**: mean R²")
