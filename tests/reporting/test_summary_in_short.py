"""What the summary begins with: true of tables written by hand, in every corner."""

import re

import numpy as np
import pandas as pd
import pytest
from finding_rows import agreement, comparison, hazards, overlap, rows_of, run_of

from retention.common.compared import COMPARED
from retention.common.parts import load_part, part_names
from retention.reporting.brief import (
    FOUND,
    MOST,
    NO_PROOF,
    NOTHING_FOUND,
    OPEN,
    claims_of,
    in_short,
)
from retention.reporting.summary import write
from retention.reporting.trained import span, trained
from retention.reporting.verdicts import verdict_of

RUNS = [run_of(name, seed) for name in ("cnn", "vit") for seed in range(3)]


def told(*tables, runs=(), **options):
    return "\n\n".join(in_short(pd.concat(tables, ignore_index=True), list(runs), **options))


def lines_of(text, heading):
    """Return the lines of a list below the paragraph that introduces it."""
    parts = text.split("\n\n")
    return parts[parts.index(heading) + 1].split("\n") if heading in parts else []


def open_in(text):
    """Return what the line of open findings says of each, by number; it is one line."""
    lines = [line for line in text.split("\n") if line.startswith(OPEN)]
    assert len(lines) == 1 and lines[0].endswith(f". {NO_PROOF}")
    return dict(re.findall(r"\*\*(F\d+)\*\* \((.*?)\)(?:,| and|\.) ", lines[0]))


def test_what_was_trained_is_counted_from_the_runs():
    others = [run_of(name, seed, "reviews") for name in ("cnn", "vit") for seed in (0, 1)]
    text = trained(pd.DataFrame(), [*RUNS, *others, run_of("vit", 0, "half", train_samples=600)])
    assert text == (
        "**cnn** and **vit** were fine-tuned on **d** (1,200 training and 300 held-out images of 7 classes). "
        "6 runs of 8 epochs, seeds 0, 1 and 2, show the images in random order. "
        "5 further runs follow 2 other treatments."
    )


def test_one_run_is_told_as_one():
    text = trained(pd.DataFrame(), [run_of("vit", 4, pretrained=False)])
    assert text.startswith("**vit** was trained from random weights on **d** (")
    assert "1 run of 8 epochs, seed 4, shows the images" in text


def test_several_data_sets_recipes_and_controls_are_told_apart():
    far = {"dataset": "e", "train_samples": 50, "classes": 1, "recipe": {"epochs": 20}}
    runs = [*RUNS, run_of("cnn", 0, **far), run_of("plain", 0, pretrained=False)]
    text = trained(pd.DataFrame(), runs, controls=["plain"])
    assert "**cnn** and **vit** were fine-tuned on **d** (" in text
    assert "and **e** (50 training and 300 held-out images of 1 class)." in text
    assert "8 runs of 8 to 20 epochs" in text
    assert text.endswith("**plain** is a control, of which no finding tells.")
    mixed = trained(pd.DataFrame(), runs)
    assert "**plain** were trained, some from random weights, on" in mixed


def test_runs_of_an_earlier_version_and_tables_alone_are_told_as_far_as_they_are_known():
    bare = {key: RUNS[0][key] for key in ("dataset", "architecture", "treatment", "seed", "study")}
    bare |= {"initial_train_accuracy": 0.5, "final_train_accuracy": 0.9}
    assert trained(pd.DataFrame(), [bare]) == (
        "**cnn** was fine-tuned on **d**. 1 run, seed 0, shows the images in random order."
    )
    table = rows_of("seed_stability", *agreement("cnn", 0.5, 0.01), *agreement("vit", 0.5, 0.01))
    assert trained(table, []) == "These are findings on runs of **cnn** and **vit** on d."


@pytest.mark.parametrize(
    ("seeds", "text"),
    [([3], "3"), ([0, 1], "0 and 1"), ([0, 1, 2], "0, 1 and 2"), ([0, 1, 2, 3], "0 to 3"), ([0, 2, 4, 6], "0, 2, 4 and 6")],
)  # fmt: skip
def test_seeds_are_listed_or_spanned(seeds, text):
    assert span(seeds) == text


def test_a_row_is_found_where_its_corrected_p_says_so_and_open_else():
    draws = np.random.default_rng(0)
    ps = [*draws.uniform(0, 0.1, 12).tolist(), 0.05, 0.049999]
    names = [f"net{place}" for place in range(len(ps))]
    rows = [row for name, p in zip(names, ps, strict=True) for row in agreement(name, 0.4, p)]
    text = told(rows_of("seed_stability", *rows))
    clear = [name for name, p in zip(names, ps, strict=True) if p < 0.05]
    (line,) = lines_of(text, FOUND)
    first, more = clear[:4], len(clear) - 4
    assert line == (
        "- **F3**: Images that one run forgets much, runs of other seeds forget much, too: "
        + ", ".join(f"{name} (rank correlation 0.40)" for name in first)
        + f" and {more} more."
    )
    assert open_in(text) == {"F3": f"{14 - len(clear)} of 14"}


def test_the_direction_is_that_of_the_estimate():
    table = rows_of(
        "architecture_overlap",
        overlap("cnn", "cnn", 0.3, 0.001),
        overlap("vit", "vit", 0.01, 0.001, note="degenerate: up to 6 of 10 places given by lot"),
        overlap("cnn", "vit", 0.06, 0.5),
    )
    (line,) = lines_of(told(table), FOUND)
    assert line == (
        "- **F1**: Two runs have more of their most forgotten images in common than by chance: two seeds of cnn (overlap "
        "0.30, by chance 0.05). Two runs have fewer of their most forgotten images in common than by chance: two seeds of "
        "vit (overlap 0.01, by chance 0.05; up to 6 of 10 places given by lot)."
    )
    below = told(rows_of("seed_stability", *agreement("vit", -0.4, 0.01)))
    words = "Images that one run forgets much, runs of other seeds tend to hold"
    assert f"{words}: vit (rank correlation −0.40)" in below


def test_every_finding_s_words_say_what_its_row_says():
    shared = {"comparison": "vit", "architecture": "vit", "p_corrected": 0.01, "chance": 0.2}
    said = {}
    for finding, statistic, sign in [
        ("fit_quality", "excess_r_squared", 0.4), ("fit_quality", "excess_r_squared", -0.4),
        ("fit_quality", "difference_excess", -0.4),
        ("class_forgetting", "kendalls_w", 0.4), ("class_forgetting", "kendalls_w", 0.1),
        ("class_forgetting", "similarity_spearman", 0.4), ("class_forgetting", "similarity_spearman", -0.4),
        ("class_forgetting", "family_share_forgetting", 0.4), ("class_forgetting", "family_share_forgetting", 0.1),
        ("early_loss", "spearman", 0.4), ("early_loss", "spearman_across_seeds", -0.4),
    ]:  # fmt: skip
        table = rows_of(finding, {"statistic": statistic, "estimate": sign, **shared})
        (line,) = lines_of(told(table), FOUND)
        said[statistic, sign] = line.partition(": ")[2]
    assert said["excess_r_squared", 0.4] == (
        "A forgetting curve (exponential decay) fits images' histories better than the same ones with their epochs shuffled: "
        "vit (goodness of fit 0.40 higher)."
    )
    assert said["excess_r_squared", -0.4].endswith(
        "worse than the same ones with their epochs shuffled: vit (goodness of fit 0.40 lower)."
    )
    assert said["difference_excess", -0.4].endswith(
        "in some networks than in others: vit (goodness of fit −0.40)."
    )
    assert (
        said["kendalls_w", 0.4]
        == "Runs agree more than by chance on which classes are forgotten: vit (agreement 0.40, by chance 0.20)."
    )
    assert said["kendalls_w", 0.1].startswith("Runs agree less than by chance")
    assert (
        said["similarity_spearman", 0.4]
        == "Classes that look like another class to the network before fine-tuning are forgotten more: vit (rank correlation 0.40)."
    )
    assert "forgotten less" in said["similarity_spearman", -0.4]
    assert (
        "more often than by chance: vit (40 %, by chance 20 %)."
        in said["family_share_forgetting", 0.4]
    )
    assert "less often than by chance" in said["family_share_forgetting", 0.1]
    assert (
        said["spearman", 0.4]
        == "Images with a larger loss before the first epoch are forgotten faster in the same run: vit (rank correlation 0.40)."
    )
    assert "forgotten slower in runs of other seeds" in said["spearman_across_seeds", -0.4]


def test_verdicts_of_treatments_are_told_by_what_they_say():
    table = rows_of(
        "treatment_comparison",
        comparison("reviews", "random", "better", 0.031, 0.01),
        comparison("reviews", "shuffled", "worse", -0.021, 0.01, note="smaller than the margin"),
        comparison("shuffled", "random", "equivalent", 0.002),
        comparison("same", "random", "identical", 0.0, np.nan),
        comparison("other", "random", "undecided"),
    )
    text = told(table)
    (line,) = lines_of(text, FOUND)
    assert line.split(": ", 1)[1].split(". ") == [
        "Final accuracy is higher with reviews than with random (vit, by 0.031)",
        "Final accuracy is lower with reviews than with shuffled (vit, by 0.021, smaller than the margin)",
        "Final accuracy is the same in every seed with same and with random (vit)",
        "Of a control, final accuracy differs by less than 0.01 between shuffled and random (vit, by 0.002, not corrected "
        "for several tests).",
    ]
    assert open_in(text) == {"F7": "1 of 5"}


def test_mixed_ensembles_are_told_of_held_out_pairs_and_of_what_is_tested():
    shared = {"statistic": "difference_any_from_better", "comparison": "a + b minus a + a"}
    shared |= {"definition": "a member is right; a is the more accurate"}
    rows = [
        {"split": "test", "size": 2, "estimate": -0.02, "p_corrected": 0.01},
        {"split": "train", "size": 2, "estimate": 0.01, "p_corrected": 0.3},
        {"split": "test", "size": 3, "estimate": 0.01},  # of too few seeds
    ]
    both_right = "difference_majority_from_better"
    rows += [{"split": "test", "size": 2, "estimate": 0.5, "statistic": both_right}]
    text = told(rows_of("ensemble_coverage", *(shared | row for row in rows)))
    (line,) = lines_of(text, FOUND)
    assert (
        "Networks of different kinds together get fewer images right than as many of the more accurate kind: "
        in line
    )
    assert line.endswith(
        "a + b minus a + a (held-out samples, where a member is right: a share of −0.020)."
    )
    assert open_in(text) == {"F6": "1 of 2"}


def test_nothing_forgotten_claims_nothing():
    none = {"expected_in_both": 0.0, "forgotten_in_both": 0.0}
    tables = [
        rows_of("architecture_overlap", overlap("cnn", "vit", np.nan, np.nan, **none)),
        rows_of("seed_stability", *agreement("cnn", np.nan, np.nan, **none)),
        rows_of("class_forgetting", *hazards("cnn", 0.0, 0.0), *hazards("vit", 0.0, np.nan)),
    ]
    text = told(*tables)
    assert "No run of **cnn** and **vit** forgot any sample that it had learned." in text
    assert NOTHING_FOUND in text and FOUND not in text
    few = "1 of 1, too few forgotten to tell"
    assert open_in(text) == {"F1": few, "F3": few, "F4": "nothing tested"}


@pytest.mark.parametrize("estimates", [(1.0, 1.0), (0.0, 0.01), (np.nan, np.nan)])
def test_what_was_forgotten_or_never_learned_is_not_said_to_be_held(estimates):
    assert "forgot any" not in told(rows_of("class_forgetting", *hazards("cnn", *estimates)))


def test_too_few_forgotten_goes_before_a_small_p():
    few = {"expected_in_both": 2.9}
    text = told(
        rows_of("seed_stability", *agreement("cnn", 0.9, 0.001, **few), *agreement("vit", 0.9, 0.2))
    )
    assert NOTHING_FOUND in text
    assert open_in(text) == {"F3": "2 of 2, 1 too few forgotten to tell"}


def test_what_all_comparisons_have_in_common_is_said_of_all():
    rows = [comparison(f"arm{place}", "random", "undecided") for place in range(3)]
    assert open_in(told(rows_of("treatment_comparison", *rows))) == {"F7": "3 of 3"}
    none = rows_of("seed_stability", *agreement("a", 0.1, 0.5), *agreement("b", 0.1, 0.5))
    assert open_in(told(none)) == {"F3": "2 of 2"}


def test_one_run_leaves_open_what_takes_two():
    text = told(
        rows_of(
            "fit_quality",
            {
                "statistic": "excess_r_squared",
                "estimate": 0.2,
                "comparison": "a",
                "architecture": "a",
            },
        )
    )
    assert NOTHING_FOUND in text and open_in(text) == {"F2": "1 of 1, not tested"}


def test_what_rests_on_runs_that_went_wrong_is_not_found():
    wrong = run_of("vit", 3, final_train_accuracy=0.2)
    elsewhere = rows_of("seed_stability", *agreement("vit", 0.8, 0.001), dataset="e")
    here = rows_of("seed_stability", *agreement("vit", 0.8, 0.001))
    text = told(here, elsewhere, runs=[*RUNS, wrong])
    (line,) = lines_of(text, FOUND)
    assert line.endswith("vit (rank correlation 0.80) on e.")
    assert "**Of 7 runs 1 went wrong; nothing that rests on them is told as found.**" in text
    assert open_in(text) == {"F3": "1 of 2, on runs that went wrong"}
    as_control = told(
        here, runs=[*RUNS, run_of("plain", 3, final_train_accuracy=0.2)], controls=["plain"]
    )
    assert FOUND in as_control  # a control is in no finding
    pruned = run_of(
        "vit", 3, "half", final_train_accuracy=0.2, treatment_definition={"keep_fraction": 0.5}
    )
    assert FOUND in told(here, runs=[*RUNS, pruned])  # F3 reads no pruned run


def test_many_undecided_comparisons_are_one_line_that_names_their_table():
    rows = [comparison(f"arm{place}", "random", "undecided", place / 1000) for place in range(20)]
    rows[3] |= {"estimate": np.nan, "smallest_detectable": np.nan}
    rows += [comparison("reviews", "random", "better", 0.031, 0.01)]
    tell = load_part("retention.findings", "treatment_comparison", "sentences").sentences
    lines = list(tell(rows_of("treatment_comparison", *rows)))
    assert lines[0].startswith(
        "- **vit: reviews minus random**: **better**; final accuracy differs by 0.031"
    )
    assert lines[1] == (
        "- 20 comparisons are **undecided**: final accuracy differs by 0.000 to 0.019, the smallest detectable difference is "
        "0.050; each stands in findings/treatment_comparison.csv."
    )
    assert "arm1" not in "".join(lines)
    few = list(tell(rows_of("treatment_comparison", *rows[4:9])))
    assert sum("**undecided**" in line for line in few) == 5


def test_pruned_comparisons_are_folded_likewise_and_without_numbers_where_there_are_none():
    shared = {"statistic": "gain_over_random", "estimate": np.nan, "smallest_detectable": np.nan}
    rows = [comparison(f"arm{place}", "random", "undecided") | shared for place in range(6)]
    tell = load_part("retention.findings", "pruning_transfer", "sentences").sentences
    first = next(iter(tell(rows_of("pruning_transfer", *rows))))
    assert (
        first == "- 6 comparisons are **undecided**; each stands in findings/pruning_transfer.csv."
    )


@pytest.mark.parametrize(("number", "others"), [(5, 1), (20, 1), (20, 0)])
def test_many_undecided_rows_of_an_audit_are_one_line(number, others):
    verdicts = ["coherent"] * others + ["undecided"] * number
    audit = pd.DataFrame(
        {"check": [f"row {place}" for place in range(len(verdicts))], "verdict": verdicts}
    )
    paper = pd.DataFrame(columns=COMPARED)
    text = write(rows_of("seed_stability", *agreement("vit", 0.5, 0.01)), paper, audit, [], {})
    told = text.partition("## Findings held against each other")[2].partition("## Beside")[0]
    folds = number > 5
    assert told.count("| row ") == (others if folds else others + number)
    assert (f"{number} rows are undecided; each stands in coherence.csv." in told) == folds


def test_no_finding_and_those_left_out_are_told():
    empty = rows_of("seed_stability", *agreement("vit", 0.8, 0.001))[:0]
    text = told(
        empty, runs=RUNS, left_out={"pruning_transfer": "why", "treatment_comparison": "why"}
    )
    assert NOTHING_FOUND in text
    assert open_in(text) == {"F7": "not made", "F8": "not made"}


def test_at_most_five_findings_have_a_sentence():
    shared = {
        "comparison": "vit",
        "architecture": "vit",
        "p_corrected": 0.01,
        "estimate": 0.3,
        "chance": 0.1,
    }
    statistics = {
        "fit_quality": "excess_r_squared",
        "class_forgetting": "kendalls_w",
        "early_loss": "spearman",
    }
    tables = [
        rows_of(finding, {"statistic": name, **shared}) for finding, name in statistics.items()
    ]
    tables += [rows_of("architecture_overlap", overlap("cnn", "vit", 0.3, 0.01))]
    tables += [rows_of("seed_stability", *agreement("vit", 0.5, 0.01))]
    tables += [
        rows_of("treatment_comparison", comparison("reviews", "random", "better", 0.03, 0.01))
    ]
    lines = lines_of(told(*tables), FOUND)
    assert [line[2:8] for line in lines[:MOST]] == [f"**F{n}**" for n in range(1, 6)]
    assert lines[MOST:] == ["- More is told below: **F7**."]


def test_data_sets_are_named_where_there_are_several():
    one = rows_of("seed_stability", *agreement("vit", 0.5, 0.01))
    both = told(one, rows_of("seed_stability", *agreement("vit", 0.6, 0.01), dataset="e"))
    assert "vit (rank correlation 0.50) on d and vit (rank correlation 0.60) on e." in both
    assert "vit (rank correlation 0.50)." in told(one)


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ({"estimate": 1, "p_corrected": 0.049}, "distinguishable from chance"),
        ({"estimate": 1, "p_corrected": 0.05}, "not distinguishable from chance"),
        ({"estimate": 1, "p_corrected": np.nan}, "not tested"),
        ({"estimate": np.nan, "p_corrected": np.nan}, "not estimable"),
        ({"estimate": np.nan, "p_corrected": np.nan, "expected_in_both": 0.0}, "too few forgotten to tell"),
        ({"estimate": 1, "p_corrected": 0.001, "expected_in_both": 2.0}, "too few forgotten to tell"),
        ({"estimate": 1, "p_corrected": 0.001, "verdict": "worse"}, "worse"),
        ({"estimate": 1, "p_corrected": 0.001, "verdict": np.nan}, "distinguishable from chance"),
    ],
)  # fmt: skip
def test_a_row_has_one_verdict(row, verdict):
    assert verdict_of(pd.Series(row)) == verdict


def test_every_finding_says_which_rows_answer_its_question():
    for name in part_names("retention.findings"):
        sentences = load_part("retention.findings", name, "sentences")
        assert callable(sentences.claims) and callable(sentences.in_brief), name


def test_a_finding_without_words_of_its_own_is_told_by_its_statistic(monkeypatch):
    sentences = load_part("retention.findings", "seed_stability", "sentences")
    monkeypatch.delattr(sentences, "claims")
    monkeypatch.delattr(sentences, "in_brief")
    table = rows_of("seed_stability", *agreement("vit", 0.5, 0.01))
    assert [claim.outcome for claim in claims_of("seed_stability", table, [])] == [
        "distinguishable from chance"
    ]
    assert "**F3**: spearman is distinguishable from chance: vit." in told(table)
