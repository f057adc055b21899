"""What the summary says of every analytic choice: counts, the choice that moves most, the joint test."""

from math import nan

import pandas as pd
import pytest

from retention.commands import write_summary
from retention.common.compared import COMPARED
from retention.common.csv_tables import read_csv, write_csv
from retention.common.errors import UserError
from retention.reporting.every_choice import BESIDE_THE_PAPER, every_choice

KNOWN = {"finding": "seed_stability", "dataset": "d", "statistic": "spearman"}


def table_of(*comparisons):
    """Return rows of multiverse.csv: (comparison, estimates); the last is a fault's."""
    return pd.DataFrame(
        {
            **KNOWN,
            "comparison": comparison,
            "combination": number,
            "kind": "fault" if number == len(estimates) else "crossed",
            "estimate": estimate,
        }
        for comparison, estimates in comparisons
        for number, estimate in enumerate(estimates, start=1)
    )


def shares_of(**comparisons):
    """Return multiverse_shares.csv from counts: all, distinguishable, with the sign, significant; totals by choice."""
    rows = []
    for comparison, (every, distinct, same, significant, totals) in comparisons.items():
        known = KNOWN | {"comparison": comparison.replace("_", " "), "dimension": ""}
        rows.append(known | {"share": "combinations", "value": every, "of": every})
        rows.append(known | {"share": "distinguishable", "value": distinct, "of": every})
        for share, count in (("same_sign", same), ("same_sign_significant", significant)):
            if count is not None:
                rows.append(known | {"share": share, "value": count / distinct, "of": distinct})
        for name, value in totals.items():
            row = known | {"dimension": name, "of": every}
            rows += [row | {"share": "total", "value": value}]
            rows += [row | {"share": "first_order", "value": 0.99}]
    return pd.DataFrame(rows)


def joint_of(*tests):
    """Return multiverse_joint.csv: (comparison, version, p, note)."""
    names = ["comparison", "version", "p_corrected", "note"]
    return pd.DataFrame([KNOWN | dict(zip(names, test, strict=True)) for test in tests])


TOTALS = {"trace": 0.2, "curve": 0.613}
BOTH = shares_of(net=(90, 61, 58, 12, TOTALS), other_net=(90, 61, 40, 7, {"trace": 0.5}))


def line(*tables):
    heading, text = every_choice(tables)
    assert heading == "## Every analytic choice (d)"
    introduction, blank, told = text.split("\n")
    assert blank == "" and "no count is a probability" in introduction
    return told


def test_counts_and_the_choice_that_moves_most_are_told():
    table = table_of(("net", [0.5, -0.096, nan, 9.0]), ("other net", [0.1, 0.2, 0.3, -9.0]))
    assert line(table, BOTH) == (
        "- **F3, Spearman's ρ**: of 61 distinguishable combinations the study's own sign holds in 58 for net "
        "(p < 0.05 in 12; −0.10 to 0.50) and 40 for other net (p < 0.05 in 7; 0.10 to 0.30). What moves the number most "
        "is curve for net (total share of its variance 0.61) and trace for other net (0.50)."
    )


def test_one_choice_for_all_is_told_once_and_without_a_table_no_range():
    shares = shares_of(a=(20, 18, 9, None, {"flat": 0.4}), b=(20, 16, 16, None, {"flat": 0.45}))
    assert line(shares) == (
        "- **F3, Spearman's ρ**: of 16 to 18 distinguishable combinations the study's own sign holds in 9 for a and 16 "
        "for b. What moves the number most is R² of flat traces (total share of its variance 0.40 to 0.45)."
    )


def test_what_is_known_of_the_paper_narrows_what_is_told():
    left = shares_of(net=(20, 18, 9, 2, {"flat": 0.4})).assign(known="curve power (p. 4)")
    ends = [{"share": "least", "value": -0.041}, {"share": "greatest", "value": 0.3}]
    row = KNOWN | {"comparison": "net", "dimension": "", "of": 18, "known": "curve power (p. 4)"}
    left = pd.concat([left, pd.DataFrame([row | end for end in ends])])
    whole = shares_of(net=(90, 61, 58, 12, TOTALS))
    assert line(whole, left) == line(whole) + (
        " By what is known of the paper, of 18 distinguishable combinations the study's own sign holds "
        "in 9 for net (p < 0.05 in 2; −0.04 to 0.30)."
    )
    introduction = every_choice([whole, left])[1].split("\n")[0]
    assert introduction.endswith(" The paper tells of these choices: curve power (p. 4).")
    assert "The paper tells" not in every_choice([whole])[1]
    nothing = shares_of(net=(0, 0, None, None, {})).assign(known="trace lag (p. 4)", of=0)
    assert line(whole, nothing).endswith(
        " By what is known of the paper, none of its combinations is left."
    )
    assert line(whole, whole.assign(known="top_fraction 0.1")) == line(whole)  # it leaves all
    assert line(whole, left.assign(finding="early_loss")) == line(whole)


def test_many_comparisons_are_told_by_their_ends():
    names = {name: (30, 20, same, same - 1, TOTALS) for same, name in enumerate("abcd", start=5)}
    assert line(shares_of(**names)).startswith(
        "- **F3, Spearman's ρ**: of 20 distinguishable combinations the study's own sign holds in 5 to 8, over 4 "
        "comparisons, with p < 0.05 in 4 to 7. What moves the number most is curve (total share"
    )


def known_of(shares, **counts):
    """Return shares with how many combinations have a value by chance, by comparison."""
    rows = [
        KNOWN
        | {"comparison": name, "dimension": "", "share": "with_chance", "value": count, "of": 20}
        for name, count in counts.items()
    ]
    return pd.concat([shares, pd.DataFrame(rows)])


def test_of_how_many_combinations_chance_is_known_is_told_and_signs_of_these_alone():
    shares = shares_of(a=(20, 18, None, None, {}), b=(20, 18, None, None, {}))
    found = table_of(("a", [-0.5, 0.1, 9.0]), ("b", [0.1, 0.2, 9.0]))
    told = line(found, known_of(shares, a=1, b=0))
    assert told == (
        "- **F3, Spearman's ρ**: a (chance known of 1 of 18; −0.50 to 0.10) and b (chance known of 0 of 18; 0.10 to 0.20) have "
        "no sign to compare."
    )
    some = shares_of(a=(20, 18, None, None, {}), b=(20, 16, 12, None, {}))
    row = some["share"] == "same_sign"
    some.loc[row, ["value", "of"]] = [9 / 12, 12]
    assert line(known_of(some, a=1, b=12)) == (
        "- **F3, Spearman's ρ**: of 16 distinguishable combinations the study's own sign holds in 9 of 12 whose chance is "
        "known for b; a (chance known of 1 of 18) has no sign to compare."
    )


def test_what_can_not_be_estimated_is_said():
    lacking = shares_of(a=(20, 18, None, None, {}), b=(20, 18, 6, 0, {}))
    assert line(lacking) == (
        "- **F3, Spearman's ρ**: of 18 distinguishable combinations the study's own sign holds in 6 for b (p < 0.05 in 0); "
        "no own estimate for a."
    )
    nothing = shares_of(a=(20, 0, None, None, {}))
    assert line(nothing).endswith(": the study's own number could not be estimated.")


@pytest.mark.parametrize(
    ("tests", "told"),
    [
        (
            [("", "", 0.0021, ""), ("net", "", 0.5, ""), ("", "within class", 0.03, "")],
            "(0.50); joint test: p = 0.0021 (within class 0.03), corrected over the findings.",
        ),
        (
            [("", "", 3e-7, "")],
            "; joint test: p < 0.0001, corrected over the findings.",
        ),
        (
            [("", "within class", 0.02, "")],
            "; joint test (within class): p = 0.02, corrected over the findings.",
        ),
        (
            [("", "", nan, "not testable: it takes 5 + 5 runs")],
            "; no joint test: it takes 5 + 5 runs.",
        ),
    ],
)
def test_the_joint_test_is_told_where_there_is_one(tests, told, tmp_path):
    write_csv(tmp_path / "joint.csv", joint_of(*tests))
    assert line(BOTH, read_csv(tmp_path / "joint.csv")).endswith(told)


def test_each_data_set_has_a_section_of_its_own():
    sections = every_choice([BOTH, BOTH.assign(dataset="e*")])
    assert sections[::2] == ["## Every analytic choice (d)", "## Every analytic choice (e\\*)"]
    assert sections[1] == sections[3]
    assert every_choice([]) == []


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ([BOTH, pd.DataFrame({"finding": ["x"]})], "takes multiverse.csv, multiverse_shares.csv"),
        ([table_of(("net", [0.5, 1.0]))], "names no multiverse_shares.csv"),
    ],
)
def test_other_tables_are_refused_in_one_line(tables, told):
    with pytest.raises(UserError, match=f"^--multiverse: {told}") as error:
        every_choice(tables)
    assert "\n" not in str(error.value)


def test_the_summary_holds_it_before_the_audits_and_points_to_it_beside_the_paper(tmp_path):
    names = ("finding", "paper", "coherence", "table", "shares")
    paths = {name: tmp_path / f"{name}.csv" for name in names}
    found = {"finding": "seed_stability", "dataset": "d", "architecture": "net", "note": ""}
    numbers = {"estimate": nan, "low": nan, "high": nan, "chance": nan, "p_corrected": nan}
    rows = [
        found | numbers | {"comparison": "net", "statistic": statistic, "target": ""}
        for statistic in ("spearman", "split_half", "seeds_needed")
    ]
    write_csv(paths["finding"], pd.DataFrame(rows))
    compared = dict.fromkeys(COMPARED, "net") | {"finding": "seed_stability", "reported": "0.01"}
    write_csv(paths["paper"], pd.DataFrame([compared | {"estimate": 0.4, "low": 0.1, "high": 0.6}]))
    write_csv(paths["coherence"], pd.DataFrame({"check": ["c"]}))
    write_csv(paths["table"], table_of(("net", [0.5, 0.1, 9.0]), ("other net", [0.1, 0.2, 9.0])))
    write_csv(paths["shares"], BOTH)
    words = ["--findings", paths["finding"], "--paper", paths["paper"]]
    words += ["--coherence", paths["coherence"], "--output", tmp_path / "summary.md"]
    write_summary.main([*map(str, words)])
    plain = (tmp_path / "summary.md").read_text()
    words += ["--multiverse", paths["table"], paths["shares"]]
    write_summary.main([*map(str, words)])
    text = (tmp_path / "summary.md").read_text()
    assert text.index("## F3") < text.index("## Every analytic choice (d)")
    assert text.index("## Every analytic choice") < text.index("## Findings held against")
    assert f"(arXiv 2604.11508)\n\n{BESIDE_THE_PAPER}\n\nIntervals are" in text
    section = "\n\n".join(every_choice([read_csv(paths["table"]), read_csv(paths["shares"])]))
    assert text.replace(f"{section}\n\n", "").replace(f"{BESIDE_THE_PAPER}\n\n", "") == plain
