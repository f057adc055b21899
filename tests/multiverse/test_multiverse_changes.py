"""What a user changes of the multiverse's choices, and what is refused of it in one line."""

import json

import pytest
from listed_combinations import listed, study_of

from retention.commands import measure_multiverse
from retention.common.errors import UserError
from retention.multiverse.options import (
    complete_options,
    options_without_defaults,
    read_multiverse,
)
from retention.workflow.multiverse import keep_what_is_said
from retention.workflow.recipes import merged
from retention.workflow.refused import refused_targets


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"add": {"curves": ["power"]}},
            "multiverse.add: there is no dimension 'curves'; known are class_value",
        ),
        (
            {"add": {"curve": ["expo"]}},
            "multiverse.add.curve: there is no level 'expo'; known are exponential",
        ),
        ({"fix": {"curve": "powr"}}, "did you mean power?"),
        (
            {"fix": {"top_fraction": 2}},
            "there is no level '2'; known are 0.05, 0.1, 0.2, or another share between 0 and 1",
        ),
        (
            {"add": {"ties": ["file_order"]}},
            "multiverse.add.ties: file_order is an error that others could make",
        ),
        (
            {"drop": {"curve": ["exponential"]}},
            "multiverse.drop.curve: exponential is the study's own choice in",
        ),
        (
            {"drop": {"top_fraction": [0.1]}},
            "multiverse.drop.top_fraction: 0.1 is the study's own choice in",
        ),
        (
            {"fix": {"class_value": "mean_score"}},
            "multiverse.fix.class_value: architecture_overlap has no such choice",
        ),
        (
            {"add": {"trace": ["raw", "lag"]}, "drop": {"trace": ["raw"]}},
            "multiverse.add.trace: adds raw, which drop leaves out; name a level in one of them",
        ),
        (
            {"add": {"top_fraction": [0.3]}, "drop": {"top_fraction": ["0.30"]}},
            "multiverse.add.top_fraction: adds 0.3, which drop leaves out",
        ),
        (
            {"fix": {"curve": "power"}, "add": {"curve": ["power"]}},
            "multiverse.fix.curve: add changes its levels, too",
        ),
        (
            {"fix": {"start": "kept", "trace": "raw", "score": "decay_constant"}},
            "multiverse: nothing is left of architecture_overlap, every combination is excluded (These traces do not begin",
        ),
        (
            {"fix": {"start": "kept", "trace": "raw"}},
            "multiverse: no combination of architecture_overlap has all that is fixed, trace raw, start kept (These traces do",
        ),
        (
            {"most": 20},
            "multiverse: architecture_overlap has 315 crossed combinations, more than 20 (most); fix or drop",
        ),
    ],
)
def test_a_change_that_can_not_be_is_one_line(changes, told):
    with pytest.raises(UserError) as error:
        listed("architecture_overlap", **changes)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_every_fault_of_the_changes_is_told():
    with pytest.raises(UserError) as error:
        listed("early_loss", add={"trace": ["x"]}, drop={"y": []}, fix={"pairs": "z"})
    assert len(str(error.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ('{"fix": {"trace": []}}', "fix.trace: is [], expected one level, such as exact"),
        ('{"fix": {"trace": ["raw"]}}', "fix.trace: is ['raw'], expected one level, such as exact"),
        ('{"fix": {"start": false}}', "fix.start: is False, expected one level, such as exact"),
        ('{"add": {"trace": []}}', "add.trace: has 0 entries, expected at least 1"),
        (
            '{"add": {"trace": "raw"}}',
            "add.trace: is 'raw', expected a list of levels, such as [raw",
        ),
        ('{"drop": {"trace": [["raw"]]}}', "drop.trace.0: is ['raw'], expected one level, such"),
        ('{"drop": {"trace": [null]}}', "drop.trace.0: is None, expected one level, such as exact"),
        ('{"drop": {"trace": ["raw", "raw"]}}', "drop.trace: names raw more than once; each entry"),
    ],
)
def test_levels_that_are_written_otherwise_are_one_line(given, told):
    for read in (
        lambda: read_multiverse("--multiverse", given),
        lambda: study_of(f"multiverse: {given}"),
    ):
        with pytest.raises(UserError) as error:
            read()
        (line,) = str(error.value).splitlines()
        assert line.startswith((f"--multiverse: {told}", f"multiverse.{told}")), line


def test_null_takes_back_what_another_file_says():
    """Snakemake merges configurations, so an empty map changes nothing."""
    said = {"fix": {"curve": "power", "start": "kept"}, "drop": {"trace": ["raw"]}}
    back = {"fix": {"curve": None}, "drop": {"trace": None}}
    whole = complete_options(merged(said, back))
    assert (whole["fix"], whole["drop"]) == ({"start": "kept"}, {})
    assert options_without_defaults({"fix": {"curve": None}}) == {}
    assert study_of("multiverse: {fix: {curve: null}}")["multiverse"] == {}
    config = {"multiverse": {"fix": {"curve": None}}}
    keep_what_is_said(config)
    assert config == {}


def test_where_nothing_is_evaluated_no_change_is_wrong():
    fixed = "multiverse: {findings: [], fix: {estimator: exact, class_value: mean_score}}"
    assert study_of(fixed)["multiverse"]["findings"] == []
    with pytest.raises(UserError, match=r"^--multiverse\.findings: is \[\], so there is nothing"):
        options = json.dumps({"findings": []})
        words = ["--traces", "t", "--samples", "s", "--output", "o", "--shares", "h"]
        measure_multiverse.main([*words, "--multiverse", options])


def test_the_configuration_is_checked_for_the_findings_that_the_study_makes():
    """What the study does not evaluate has no choices: else a rule would stop where the check did not."""
    text = "{findings: [seed_stability], multiverse: {fix: {flat: one}}}"
    with pytest.raises(UserError) as error:
        study_of(text)
    assert str(error.value) == (
        "multiverse.fix.flat: seed_stability has no such choice; leave it out, or name another finding"
    )
    with pytest.raises(UserError, match="seed_stability, early_loss have no such choice"):
        study_of("{findings: [seed_stability, early_loss], multiverse: {fix: {flat: one}}}")
    assert study_of("{findings: [seed_stability], multiverse: {fix: {class: adjusted}}}")


def test_a_level_whose_need_is_fixed_or_dropped_away_is_not_tried():
    """A failed fit is a choice of an optimiser alone."""
    assert {"zero", "start"} <= {one.levels["failed"] for one in listed("seed_stability")}
    fixed = listed("seed_stability", fix={"estimator": "exact", "start": "left_out"})
    optimised = [one for one in fixed if one.levels["estimator"] not in ("", "exact")]
    assert {one.named for one in optimised} == {"unbounded_three_parameters"}
    free = ["curve_fit_free", "curve_fit_bounded"]
    one_left = listed("seed_stability", drop={"estimator": free})
    failed = {
        one.levels["estimator"] for one in one_left if one.levels["failed"] in ("zero", "start")
    }
    assert failed == {"curve_fit_ones"}
    none = listed("seed_stability", drop={"estimator": [*free, "curve_fit_ones"]})
    assert not {"zero", "start"} & {one.levels["failed"] for one in none}
    ever = listed("seed_stability", fix={"samples": "ever_forgotten"})
    assert not {one.levels["never_learned"] for one in ever if not one.own} - {"", "left_out"}


@pytest.mark.parametrize(
    ("target", "evaluated", "told"),
    [
        (
            "multiverse",
            [],
            "multiverse: multiverse.findings names no finding that this study makes",
        ),
        ("early_loss", [], "early_loss: no head"),
        (
            "results/s/d/figures/multiverse_fit_quality.pdf",
            ["seed_stability"],
            "results/s/d/figures/multiverse_fit_quality.pdf: multiverse.findings names seed_stability alone; name "
            "fit_quality, too",
        ),
        (
            "multiverse_fit_quality",
            [],
            "multiverse_fit_quality: multiverse.findings names no finding; name fit_quality",
        ),
        (
            "multiverse_early_loss",
            [],
            "multiverse_early_loss: the study does not make early_loss; name it in findings",
        ),
        ("multiverse_fit_quality", ["fit_quality"], None),
        ("multiverse", ["fit_quality"], None),
        ("multiverse_fit_quality.yaml", [], None),
        ("multiverse_x", [], None),
        ("--cores", [], None),
    ],
)
def test_a_target_that_can_not_be_made_says_why(target, evaluated, told):
    made = ["seed_stability", "fit_quality"]
    lines = list(refused_targets([target], made, {"early_loss": "no head"}, evaluated))
    assert lines == ([told] if told else [])


def test_what_is_fixed_may_apply_to_some_of_the_combinations():
    """A level that other fixed levels leave no choice of is no contradiction: another finding may need it."""
    for finding, fix in (
        ("class_forgetting", {"samples": "r_squared_positive"}),
        ("seed_stability", {"score": "hazard", "curve": "power"}),
        ("seed_stability", {"never_learned": "large_number", "samples": "all"}),
    ):
        assert listed(finding, fix=fix)
    fixed = listed("class_forgetting", fix={"samples": "r_squared_positive"})
    assert "r_squared_positive" in {one.levels["samples"] for one in fixed}
