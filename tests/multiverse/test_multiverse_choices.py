"""What the multiverse consists of: the declared file, the user's changes, the list of combinations."""

from collections import Counter
from copy import deepcopy
from itertools import product

import pytest
from configurations import CONFIG
from listed_combinations import CHOICES, listed, study_of

from retention.common.errors import UserError
from retention.common.options import defaults
from retention.common.paper import known_choices, read_paper, slots
from retention.common.parts import part_names
from retention.common.resources import read_resource
from retention.dynamics.definition import Definition, problems
from retention.multiverse.choices import FILE, choices_of, plans_of
from retention.multiverse.combinations import counts, reduced
from retention.multiverse.options import (
    complete_options,
    options_without_defaults,
    read_multiverse,
    schema,
)
from retention.workflow.multiverse import keep_what_is_said, multiverse_digest

DEFINITION = ("trace", "start", "smoothing", "curve", "estimator", "failed", "r_squared", "flat")


def levels_of(combinations, kind="crossed"):
    return [one.levels for one in combinations if one.kind == kind]


@pytest.mark.parametrize("changed", [("trace", "start", "smoothing"), ("curve", "estimator")])
@pytest.mark.parametrize("more", [("failed", "estimator"), ("r_squared", "flat"), ("smoothing",)])
def test_the_file_excludes_the_definitions_that_there_are_not(changed, more):
    """What applies and is not excluded is a definition, and the other way round."""
    names = [name for name in DEFINITION if name in {*changed, *more}]
    ours = {name: one.ours for name, one in CHOICES.dimensions.items()}
    for chosen in product(*(CHOICES.dimensions[name].levels for name in names)):
        asked = dict(zip(names, chosen, strict=True))
        levels = reduced(CHOICES, {**{name: ours[name] for name in DEFINITION}, **asked})
        # a level of a dimension that does not apply means nothing; only ours is harmless
        meant = all(levels[name] or asked[name] == ours[name] for name in names)
        found = meant and not CHOICES.excluded(levels)
        assert found == (problems(Definition(**asked)) == ""), asked


def test_the_levels_are_parts_and_every_definition_can_be_made():
    for name, room in (("trace", "retention"), ("curve", "curves"), ("estimator", "estimators")):
        assert set(CHOICES.dimensions[name].levels) <= {*part_names(f"retention.dynamics.{room}")}
    for finding in CHOICES.findings:
        for one in listed(finding):
            Definition.of(
                {n: level for n, level in one.levels.items() if n in DEFINITION and level}
            )


def test_the_papers_slots_have_these_levels_and_fix_them():
    of_analysis = {name: slot for name, slot in slots().items() if slot["of"] == "analysis"}
    assert {*of_analysis} == {*CHOICES.dimensions} - {"split"}
    for name, slot in of_analysis.items():
        if name != "top_fraction":
            levels = slot["properties"]["value"]["enum"] if "properties" in slot else slot["enum"]
            assert {*levels} == {*CHOICES.dimensions[name].levels}
    known = {
        "curve": {"value": "power", "source": "p. 4"},
        "start": {"value": "kept", "source": "p. 4"},
    }
    fixed = listed("architecture_overlap", fix=known_choices(read_paper(known)))
    assert {(one["curve"], one["start"], one["top_fraction"]) for one in levels_of(fixed)} == {
        ("power", "kept", "0.1"),
        ("", "", "0.1"),
    }


def test_ours_are_the_defaults_of_a_definition():
    ours = Definition()
    for name in (*DEFINITION, "epoch_0", "epochs"):
        assert getattr(ours, name) == CHOICES.dimensions[name].ours


@pytest.mark.parametrize("finding", CHOICES.findings)
def test_combinations_are_numbered_from_the_studys_own_and_stand_once(finding):
    found = listed(finding)
    assert [one.number for one in found] == list(range(1, len(found) + 1))
    assert [one.own for one in found] == [True] + [False] * (len(found) - 1)
    assert found[0].named == "ours" and found[0].kind == "crossed"
    assert max(Counter(tuple(one.levels.values()) for one in found).values()) == 1
    assert found == listed(finding)
    assert 100 <= counts(found)["crossed"] <= 500
    assert {one.kind for one in found} >= {"crossed", "alone"}
    assert [one.named for one in found].count("unbounded_three_parameters") == 1


def test_the_factorial_is_what_counting_by_hand_gives():
    """F3: 32 definitions and 3 other scores; all samples with two, the ever-forgotten with no way to take the never-learned."""
    crossed = levels_of(listed("seed_stability"))
    assert len(crossed) == (4 * 2 * 2 * 2 + 3) * (2 + 1) * 2
    assert {one["never_learned"] for one in crossed if one["samples"] == "ever_forgotten"} == {""}
    assert {one["trace"] for one in crossed if one["score"] == "hazard"} == {""}


def test_what_is_tried_alone_differs_in_one_choice_and_what_that_needs():
    found = listed("architecture_overlap")
    own = found[0].levels
    for one in levels_of(found, "alone"):
        changed = {name for name in own if one[name] != own[name]}
        needed = {"failed": {"estimator"}}
        derived = {name for name in changed if not one[name] or not own[name]}
        assert len(changed - derived) <= 1 or changed <= {"failed", *needed["failed"]}, changed
    assert {one["pairs"] for one in levels_of(found, "alone")} == {"other_seeds", "pooled"}
    (mean,) = {one["class_value"] for one in levels_of(listed("class_forgetting"), "alone")}
    assert mean == "mean_score"


def test_faults_are_tried_alone_and_never_crossed():
    for finding in CHOICES.findings:
        found = listed(finding)
        wrong = {name: one.faults for name, one in CHOICES.dimensions.items()}
        for one in found:
            has = [name for name, level in one.levels.items() if level in wrong[name]]
            assert len(has) == (one.kind == "fault")
    assert not levels_of(listed("class_forgetting"), "fault")


def test_the_studys_own_choice_is_that_of_its_configuration():
    found = listed("architecture_overlap", {"score": "hazard", "top_fraction": 0.15})
    own = found[0].levels
    assert (own["score"], own["top_fraction"], own["trace"]) == ("hazard", "0.15", "")
    assert {one["top_fraction"] for one in levels_of(found)} == {"0.15"}
    tried = {one["top_fraction"] for one in levels_of(found, "alone")}
    assert tried == {"0.05", "0.1", "0.15", "0.2"}
    assert listed("early_loss", {"score": "hazard"})[0].levels["score"] == "decay_constant"


def test_levels_are_added_dropped_and_fixed():
    usual = levels_of(listed("seed_stability"))
    more = levels_of(listed("seed_stability", add={"trace": ["raw"]}))
    assert len(more) == len(usual) + 4 * 3 * 2  # raw has no point t = 0 to keep
    less = levels_of(listed("seed_stability", drop={"score": ["hazard"], "curve": ["power"]}))
    assert len(less) == len(usual) - 3 * 2
    options = complete_options({"drop": {"pairs": ["other_seeds"]}})  # F1's own, and not F5's
    plans = plans_of(CHOICES, options, defaults("statistics"))
    assert "other_seeds" in plans["architecture_overlap"].crossed["pairs"]
    assert plans["early_loss"].crossed["pairs"] == ["same_seed", "averaged"]
    fixed = listed("seed_stability", fix={"estimator": "curve_fit_free", "class": "adjusted"})
    assert {one["class"] for one in levels_of(fixed)} == {"adjusted"}
    assert {one["estimator"] for one in levels_of(fixed)} == {"curve_fit_free", ""}
    assert fixed[0].own and fixed[0].levels["estimator"] == "exact"
    share = listed("architecture_overlap", fix={"top_fraction": 0.3}, add={"pairs": ["pooled"]})
    assert {one["top_fraction"] for one in levels_of(share)} == {"0.3"}


@pytest.mark.parametrize(
    ("keys", "value", "told"),
    [
        (("dimensions", "trace", "ours"), "x", "dimensions.trace: ours is 'x', which is no level"),
        (
            ("dimensions", "trace", "levels", "raw"),
            "",
            "dimensions.trace: 'raw' needs a name in text and a reason",
        ),
        (
            ("dimensions", "trace", "only_with"),
            {"split": ["by_sample"]},
            "only_with names split, which is not above it",
        ),
        (("exclusions", 0, "when"), {"trace": ["x"]}, "exclusions.0: trace has no level 'x'"),
        (("exclusions", 0, "why"), " ", "exclusions.0: has no reason"),
        (("named", "ours", "choices"), {"x": "y"}, "named.ours: there is no dimension 'x'"),
        (
            ("findings", "early_loss", "own"),
            {"ties": "lots"},
            "findings.early_loss.own: ties is none of its dimensions",
        ),
    ],
)
def test_what_is_wrong_with_the_file_is_one_line(keys, value, told):
    content = place = deepcopy(read_resource(FILE))
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    with pytest.raises(UserError) as error:
        choices_of(content)
    assert told in str(error.value)
    assert str(error.value).startswith("scripts/retention/resources/multiverse.yaml: ")
    assert "\n" not in str(error.value)


def test_options_are_those_of_the_schema_and_config_yaml_says_them_all():
    assert complete_options({}) == CONFIG["multiverse"]
    assert options_without_defaults(CONFIG["multiverse"]) == {}
    assert set(complete_options({})["findings"]) == {*part_names("retention.multiverse.estimates")}
    assert all(one["description"] for one in schema()["properties"].values())
    with pytest.raises(UserError, match=r"^--multiverse: resamples: is 3, expected at least 99$"):
        read_multiverse("--multiverse", '{"resamples": 3}')
    with pytest.raises(
        UserError, match=r"^--multiverse: unknown key\(s\) fixed; known are .* mean fix\?$"
    ):
        read_multiverse("--multiverse", '{"fixed": {}}')
    with pytest.raises(UserError, match=r"^--multiverse: 'x' is no JSON object, such as"):
        read_multiverse("--multiverse", "x")


def test_a_study_evaluates_the_findings_that_it_makes():
    assert study_of("{}")["multiverse"] == {}
    found = study_of("recipes: {default: {head_warmup: {epochs: 0}}}")["multiverse"]
    assert "early_loss" not in found["findings"] and len(found["findings"]) == 4
    assert study_of("multiverse: {findings: []}")["multiverse"] == {"findings": []}


def test_a_configuration_that_can_not_be_is_refused_before_any_job():
    for text, told in (
        ("{fix: {curve: x}}", "multiverse.fix.curve: there is no level 'x'"),
        ("{most: 10}", "multiverse: architecture_overlap has 315 crossed combinations"),
        ("{findings: [x]}", "multiverse.findings.0: is 'x', expected one of"),
    ):
        with pytest.raises(UserError) as error:
            study_of(f"multiverse: {text}")
        assert str(error.value).startswith(told)
        assert "\n" not in str(error.value)


def test_what_stands_at_its_default_is_no_part_of_a_configuration():
    """The configuration is a parameter of a job: older studies have no such key."""
    config = {"study": "s", "multiverse": complete_options({})}
    keep_what_is_said(config)
    assert config == {"study": "s"}
    config = {"multiverse": {"resamples": 300, "draws": 499}}
    keep_what_is_said(config)
    assert config == {"multiverse": {"resamples": 300}}


def test_the_digest_is_of_the_combinations():
    usual = multiverse_digest({}, {})
    assert usual == multiverse_digest({"resamples": 300}, {"seed": 3})
    assert (
        len(
            {
                usual,
                multiverse_digest({"fix": {"curve": "power"}}, {}),
                multiverse_digest({}, {"score": "hazard"}),
            }
        )
        == 3
    )
