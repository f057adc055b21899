"""Sentences for a reader: said once, controls named and last, numbers as print has them, titles for raw names."""

import re

import numpy as np
import pandas as pd
import pytest
from epoch_counts import TOLD, counts
from finding_rows import agreement, comparison, hazards, overlap, rows_of, run_of
from no_paper import NO_PAPER

from retention.common.parts import load_part, part_names
from retention.reporting.brief import FOUND, FURTHER, ONLY_CONTROLS, SCALES, in_short
from retention.reporting.controls import is_control, with_controls
from retention.reporting.latex import as_latex
from retention.reporting.naming import in_audit, with_titles
from retention.reporting.said_once import HEADING, Told, said_once
from retention.reporting.study_tables import study_tables
from retention.reporting.summary import UNCORRECTED, write
from retention.reporting.words import as_printed, number, p_equals

AUDIT = pd.DataFrame({"check": ["a"], "verdict": ["coherent"]})
JARGON = re.compile(r"[ρτλφ]|R²|\bW\b|\bJ\b|Jaccard|Kendall|Spearman")


RUNS = [run_of(name, seed) for name in ("cnn", "vit") for seed in range(3)]


def short(*tables, runs=()):
    return "\n\n".join(in_short(pd.concat(tables), list(runs)))  # rows of equal index


def found_lines(*tables):
    text = short(*tables)
    return text.partition(FOUND)[2].partition("\n\nStill open")[0]


def every_claim(finding):
    """Yield tables of a finding in which one row, of each kind that it tells of, is told from chance."""
    shared = {"comparison": "a", "architecture": "a", "p_corrected": 0.01, "chance": 0.2}
    kinds = {
        "architecture_overlap": [overlap("a", "b", 0.3, 0.01)],
        "fit_quality": [{"statistic": name} for name in ("excess_r_squared", "difference_excess")],
        "seed_stability": agreement("a", 0.4, 0.01)[:1],
        "class_forgetting": [
            {"statistic": name}
            for name in ("kendalls_w", "similarity_spearman", "family_share_forgetting")
        ],
        "early_loss": [{"statistic": name} for name in ("spearman", "spearman_across_seeds")],
        "ensemble_coverage": [
            {"statistic": "difference_any_from_better", "definition": "a member is right; a"}
            | {"split": "test", "size": 2}
        ],
        "treatment_comparison": [comparison("reviews", "random", "better", 0.03, 0.01)],
        "pruning_transfer": [
            comparison("keep", "random", "better", 0.03, 0.01)
            | {"statistic": name, "source": "next_seed", "keep": "most_forgotten", "keep_fraction": 0.5}
            for name in ("gain_over_random", "transfer_loss")
        ],
    }  # fmt: skip
    for row in kinds[finding]:
        for estimate in (0.4, -0.4):
            table = rows_of(finding, {**shared, **row, "estimate": estimate})
            yield table.assign(**{k: [v] for k, v in row.items() if k not in table})


@pytest.mark.parametrize("finding", part_names("retention.findings"))
def test_what_was_found_is_told_without_jargon_and_with_its_number(finding):
    for table in every_claim(finding):
        lines = found_lines(table)
        assert "- **F" in lines and not JARGON.search(lines), lines
        assert re.search(r"0\.40|40 %", lines), lines
        of_scale = re.search(
            "correlation|overlap|agreement|goodness of fit", lines.split("\n\n")[1]
        )
        assert (SCALES in lines) == bool(of_scale)


def test_pruning_is_told_by_who_says_what_is_kept():
    gain, loss = (found_lines(table) for table in list(every_claim("pruning_transfer"))[::2])
    assert (
        "with keep (the images that a run of another seed forgot most) than with random (vit, by"
        in gain
    )
    assert (
        "with keep (the images that the run itself forgot most) than with random (the images that a run of another seed forgot most)"
        in loss
    )


def test_what_several_findings_say_stands_once_and_is_named_from_there():
    sections = [
        Told("F1", "d", ["- own", "- both"]),
        Told("F1", "e", ["- both"]),
        Told("F3", "d", ["- all", "- both", "- all"]),
        Told("F5", "d", ["- all"]),
    ]
    before, left = said_once(sections)
    assert before == [
        f"## {HEADING} (d)",
        "- **Note 1**, for F1 and F3: both\n- **Note 2**, for F3 and F5: all",
    ]
    assert left == [
        ["- own", f'- Note 1 holds here, too (see "{HEADING}").'],
        ["- both"],
        [f'- Notes 1 and 2 hold here, too (see "{HEADING}").'],
        [f'- Note 2 holds here, too (see "{HEADING}").'],
    ]
    assert said_once([Told("F1", "d", ["- a"]), Told("F2", "d", ["- b"])]) == (
        [],
        [["- a"], ["- b"]],
    )


def test_no_line_stands_twice_in_the_findings_of_a_summary():
    tables = [
        rows_of("architecture_overlap", overlap("vit", "vit", 0.3, 0.01)),
        rows_of("seed_stability", *agreement("vit", 0.5, 0.01)),
        rows_of("class_forgetting", *hazards("vit", 0.1, 0.2, np.nan)),
        rows_of("treatment_comparison", comparison("reviews", "random", "undecided")),
        rows_of("pruning_transfer", comparison("half", "random", "undecided") | {"statistic": "gain_over_random"}),
    ]  # fmt: skip
    of = [("d", "vit", counts(0, 1, 3))]
    text = write(pd.concat(tables), NO_PAPER, AUDIT, [], {}, counts=of)
    assert text.count(TOLD) == 1
    before, findings = text.partition("## F1")[0], text.partition("## F1")[2]
    assert "**Note 1**, for F1, F3 and F4: Of the forgetting events" in before
    assert "**Note 2**, for F7 and F8: The smallest detectable difference" in before
    lines = [line for line in findings.partition("## Findings held")[0].split("\n") if line]
    twice = {line for line in lines if lines.count(line) > 1}
    assert all(line.startswith("- Note ") for line in twice)
    assert "- " not in lines


def test_controls_are_named_and_come_after_the_treatments():
    rows = rows_of(
        "treatment_comparison",
        comparison("shuffled", "random", "better", 0.008, 0.009),
        comparison("reviews", "random", "undecided"),
        comparison("reviews", "shuffled", "undecided"),
    )
    assert [is_control(row) for _, row in with_controls(rows).iterrows()] == [False, False, True]
    tell = load_part("retention.findings", "treatment_comparison", "sentences").sentences
    told = [line for line in tell(rows) if "vit:" in line]
    assert [line.startswith("- Control, **vit: shuffled") for line in told] == [False, False, True]
    (line,) = (line for line in found_lines(rows).split("\n") if "F7" in line)
    assert line == (
        f"- **F7**: {ONLY_CONTROLS}. Of a control, final accuracy is higher with shuffled than with random (vit, by 0.008, "
        "less than the margin of 0.01)."
    )
    alone = rows_of(
        "treatment_comparison", comparison("shuffled", "random", "better", 0.008, 0.009)
    )
    assert not with_controls(alone)["is_control"].any()  # nothing is held against it


def test_pruning_by_shuffled_scores_is_a_control():
    rows = [
        comparison("half", "random", "undecided") | {"source": source}
        for source in ("next_seed, shuffled", "next_seed")
    ]
    found = with_controls(rows_of("pruning_transfer", *rows))
    assert found["source"].tolist() == ["next_seed", "next_seed, shuffled"]
    assert found["is_control"].tolist() == [False, True]


def test_control_architectures_are_named_and_last_among_accuracies():
    runs = [run_of(name, 0) for name in ("a_plain", "vit")]
    rows = rows_of("seed_stability", *agreement("vit", 0.5, 0.01))
    text = write(rows, NO_PAPER, AUDIT, runs, {}, controls=["a_plain"])
    table = text.partition("## Accuracy")[2].partition("\n## ")[0]
    names = re.findall(r"^\| d \| (.*?) \|", table, re.MULTILINE)
    assert names == ["vit", "a_plain (control)"]


def test_numbers_are_written_as_print_has_them():
    assert [number(x) for x in (-0.5, -0.0001, 6e-5, -2.4e-7, -1e-12)] == [
        "−0.50",
        "−0.0001",
        "6 × 10⁻⁵",
        "−2 × 10⁻⁷",
        "0.00",
    ]
    assert [p_equals(p) for p in (0.2, 0.00012, 6e-5)] == ["p = 0.2", "p = 0.00012", "p < 0.0001"]
    assert as_printed("p < 1e-45, ρ -0.3 to -.2, seed-1, 2.5e-07") == (
        "p < 10⁻⁴⁵, ρ −0.3 to −.2, seed-1, 2.5 × 10⁻⁷"
    )
    assert as_printed(3) == 3 and as_printed("a1e5b x-2") == "a1e5b x-2"
    assert as_latex("6 × 10⁻⁵") == r"6 $\times$ 10$^{-}$$^{5}$"


def test_verdicts_on_treatments_write_small_numbers_as_print_has_them():
    row = comparison("reviews", "random", "undecided", 0.02, 1e-7, low=6e-5, p_equivalence=2e-9)
    tell = load_part("retention.findings", "treatment_comparison", "sentences").sentences
    first = next(iter(tell(rows_of("treatment_comparison", row))))
    assert "95 % interval 6 × 10⁻⁵ to 0.030" in first
    assert "corrected p < 0.0001" in first and "tests: p < 0.0001)" in first
    assert not re.search(r"\de-\d|(?<![\w-])-\d", first.removeprefix("- "))


def test_notes_and_audits_say_titles():
    rows = pd.DataFrame(
        {
            "comparison": ["a"] * 3,
            "note": ["fewer than 5 + 5 runs (3 of a and 3 of ab)", "up to 3 of 51 places", np.nan],
        }
    )
    told = with_titles(rows, {"a": "ab", "ab": "Net"})
    assert told["note"].tolist()[:2] == [
        "fewer than 5 + 5 runs (3 of ab and 3 of Net)",
        "up to 3 of 51 places",
    ]
    assert pd.isna(told["note"][2])
    audit = pd.DataFrame(
        {"architecture": ["a"], "explanation": ["a: keep 0.5 minus random: better"]}
    )
    assert in_audit(audit, {"a": "Net"})["explanation"].tolist() == [
        "Net: keep 0.5 minus random: better"
    ]


def test_classes_that_agree_no_more_than_chance_are_one_line():
    def row(name, p, statistic="kendalls_w"):
        return {
            "statistic": statistic,
            "comparison": name,
            "estimate": 0.4,
            "chance": 0.5,
            "n": 9,
        } | {
            "p_corrected": p,
            "note": "over the 9 of 10 classes that every run learned",
        }

    tell = load_part("retention.findings", "class_forgetting", "sentences").sentences
    rows = [row("a", 0.2), row("b", 0.01), row("c", 0.9)]
    lines = [line for line in tell(rows_of("class_forgetting", *rows)) if "W =" in line]
    assert len(lines) == 2 and lines[0].startswith("- Class rankings of b agree with W = 0.40")
    assert lines[1] == (
        "- Class rankings, over the 9 of 10 classes that every run learned, agree with W = 0.40 for a (0.50) and 0.40 for c "
        "(0.50); in brackets when labels are permuted. None of the 2 is distinguishable from chance (smallest corrected "
        "p = 0.2)."
    )
    near = [row(name, p, "similarity_spearman") for name, p in (("a", 0.2), ("b", 0.9))]
    off = [row(name, p, "similarity_spearman_partial") for name, p in (("a", 0.3), ("b", 0.01))]
    lines = [line for line in tell(rows_of("class_forgetting", *near, *off)) if "earness" in line]
    assert len(lines) == 2 and "b: nearness" in lines[0] and "taken off at 0.40" in lines[0]
    assert "0.40 for a over 9 classes (0.40 with class size taken off). It is not" in lines[1]


def test_classes_never_at_risk_are_told_in_the_line_of_their_network():
    tell = load_part("retention.findings", "class_forgetting", "sentences").sentences
    lines = list(tell(rows_of("class_forgetting", *hazards("vit", 0.1, 0.2, np.nan))))
    assert lines[0].endswith(" 1 class was never at risk in a run and is not ranked.")
    assert len(lines) == 2
    none = list(tell(rows_of("class_forgetting", *hazards("vit", np.nan, np.nan))))
    assert none[0] == "- **vit**: no class was at risk in every run, so none is ranked."


def test_controls_are_named_and_last_in_tables_for_a_paper():
    shuffled = {"treatment_definition": {"shuffle": "within_class"}}
    runs = [
        run_of("a_plain", 0),
        run_of("vit", 0, "b_shuffled", **shuffled),
        run_of("vit", 0, "reviews"),
        run_of("vit", 0),
    ]
    rows = rows_of(
        "treatment_comparison",
        comparison("b_shuffled", "random", "better", 0.008, 0.009),
        comparison("reviews", "random", "undecided"),
        comparison("reviews", "b_shuffled", "undecided"),
    )
    of_finding, accuracy = study_tables(
        rows,
        None,
        runs,
        titles={"b_shuffled": "Shuffled", "a_plain": "Plain"},
        controls=["a_plain"],
    )
    assert accuracy.values["Treatment"].tolist() == [
        "random",
        "reviews",
        "Shuffled (control)",
        "random",
    ]
    assert accuracy.values["Architecture"].tolist() == ["vit", "vit", "vit", "Plain (control)"]
    assert of_finding.values["Comparison"].tolist() == [
        "vit: reviews minus random",
        "vit: reviews minus Shuffled",
        "Control, vit: Shuffled minus random",
    ]


def test_runs_that_went_wrong_are_told_by_their_titles():
    wrong = run_of("vit", 3, "reviews", final_train_accuracy=0.2)
    rows = rows_of("treatment_comparison", comparison("reviews", "random", "undecided"))
    titles = {"vit": "ViT-B", "reviews": "Spaced reviews"}
    text = write(rows, NO_PAPER, AUDIT, [run_of("vit", 3), wrong], {}, titles=titles)
    assert "- d, ViT-B, Spaced reviews, seed 3: " in text
    assert "that this rests on went wrong: ViT-B Spaced reviews seed 3." in text
    assert "reviews, seed" not in text.replace("Spaced reviews", "")


def test_a_table_for_a_paper_has_no_majority_of_two():
    def row(size, rule):
        kind = " + ".join("ab"[: size - 1] + "b")
        return {
            "statistic": f"coverage_{rule}",
            "comparison": kind,
            "size": size,
            "split": "test",
            "estimate": 0.5,
        }

    rows = [row(size, rule) for size in (2, 3) for rule in ("any", "majority")]
    (table,) = study_tables(rows_of("ensemble_coverage", *rows))
    assert table.values[["Comparison", "Statistic"]].to_numpy().tolist() == [
        ["a + b", "a member is right"],
        ["a + b + b", "a member is right"],
        ["a + b + b", "most of three are right"],
    ]


def test_an_interval_that_leaves_chance_out_of_an_undecided_test_is_explained_once():
    wide, narrow = {"low": 0.01, "high": 0.5}, {"low": 0.1, "high": 0.5}
    of_f1 = rows_of("architecture_overlap", overlap("cnn", "vit", 0.3, 0.2, **narrow))
    of_f3 = rows_of("seed_stability", *agreement("cnn", 0.3, 0.2, **narrow))
    text = write(pd.concat([of_f1, of_f3]), NO_PAPER, AUDIT, [], {})
    assert text.count(UNCORRECTED) == 1 and f"## {HEADING}\n\n{UNCORRECTED}" in text
    inside = rows_of("architecture_overlap", overlap("cnn", "vit", 0.3, 0.2, **wide))
    decided = rows_of("seed_stability", *agreement("cnn", 0.3, 0.01, **narrow))
    assert UNCORRECTED not in write(pd.concat([inside, decided]), NO_PAPER, AUDIT, [], {})


def test_tests_beside_those_of_the_question_that_found_something_are_named():
    rows = rows_of("architecture_overlap", overlap("cnn", "vit", 0.3, 0.4))
    assert FURTHER not in short(rows)
    within = rows.assign(statistic="jaccard_beyond_class", p=0.001, p_corrected=0.004)
    assert short(rows, within).endswith(f"{FURTHER} **F1**.")
    assert FURTHER not in short(rows, within.assign(p_corrected=0.06))
    wrong = run_of("vit", 3, final_train_accuracy=0.2)
    assert FURTHER not in short(rows, within, runs=[*RUNS, wrong])
