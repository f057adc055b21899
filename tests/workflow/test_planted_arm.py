"""The control arm in a configuration: which copies there are, what is refused, and what it adds to jobs and bill."""

import json

import pytest
import yaml
from configurations import CONFIG, SITE, embedded_study
from sources import ROOT

from retention.common.added_options import completed, keep_said
from retention.common.errors import UserError
from retention.common.schemas import read_schema
from retention.workflow import cluster
from retention.workflow.configuration import as_argument, load_study
from retention.workflow.planted import (
    copies_of,
    number_of_runs,
    runs_of,
    seeds_of,
)
from retention.workflow.recipes import merged
from retention.workflow.refused import refused_targets


def study_with(text):
    return merged(embedded_study(), yaml.safe_load(text))


def faults_of(text):
    with pytest.raises(UserError) as error:
        load_study(study_with(text), ROOT)
    return str(error.value).splitlines()


def test_config_yaml_says_every_option_at_its_default():
    known = read_schema("config")["properties"]["planted"]["properties"]
    assert CONFIG["planted"] == {name: one["default"] for name, one in known.items()}
    assert completed("planted", {}) == CONFIG["planted"]


def test_a_copy_per_kind_and_draw_trained_as_its_source_is():
    config = study_with("planted: {datasets: [digits], draws: 2, share: 0.1}")
    study = load_study(config, ROOT)
    named = [
        f"digits_planted_{kind}_{draw}" for kind in ("random", "confusions") for draw in (1, 2)
    ]
    assert [*study["planted"]] == [*copies_of(config)] == named
    assert study["planted"]["digits_planted_confusions_2"] == {
        "dataset": "digits",
        "kind": "confusions",
        "draw": 2,
        "share": 0.1,
    }
    for key in ("recipes", "threads"):
        assert all(study[key][name] == study[key]["digits"] for name in named)
    assert seeds_of(config) == config["seeds"][:1]
    assert seeds_of(study_with("planted: {seeds: [7, 9]}")) == [7, 9]


def test_without_it_no_parameter_of_a_study_is_another():
    before = load_study({**embedded_study(), "planted": {}}, ROOT)
    assert {as_argument(load_study(embedded_study(), ROOT)), as_argument(before)} == {
        as_argument({**before, "planted": {}})
    }
    config = {"study": "s", "planted": completed("planted", {})}
    keep_said("planted", config)
    assert config == {"study": "s"}
    config = {"planted": {"datasets": ["a"], "share": 0.04}}
    keep_said("planted", config)
    assert config == {"planted": {"datasets": ["a"]}}


@pytest.mark.parametrize(
    "text, said",
    [
        ("datasets: [digit]", "planted.datasets: 'digit' is no data set of this study, which has digits; did you mean digits?"),
        ("datasets: [mnist]", "planted.datasets: 'mnist' is no data set of this study, which has digits"),
        ("share: 0", "planted.share: is 0, expected more than 0"),
        ("share: 0.5", "planted.share: is 0.5, expected at most 0.25"),
        ("draws: 0", "planted.draws: is 0, expected at least 1"),
        ("kinds: []", "planted.kinds: has 0 entries, expected at least 1"),
        ("kinds: [confusion]", "is 'confusion', expected one of random, confusions; did you mean confusions?"),
        ("seeds: [a]", "planted.seeds.0: is 'a' (str), expected integer"),
        ("shares: 1", "planted: unknown key(s) shares; known are"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(text, said):
    (line,) = faults_of(f"planted: {{{text}}}")
    assert said in line


def test_a_copy_takes_no_other_data_sets_name():
    definition = json.dumps(embedded_study()["dataset_definitions"]["digits"])
    (line,) = faults_of(
        f"planted: {{datasets: [digits]}}\ndataset_definitions: {{digits_planted_random_2: {definition}}}"
    )
    assert line == (
        "planted.datasets: the copy of digits would be called digits_planted_random_2, as another data set is; give that "
        "one another name in dataset_definitions"
    )
    long = "漢" * 80
    (line,) = faults_of(
        f"datasets: [{long}]\nplanted: {{datasets: [{long}], kinds: [confusions], draws: 1}}\n"
        f"dataset_definitions: {{{long}: {definition}}}"
    )
    assert "would have a name of 261 bytes, and a folder's may have 255" in line


def test_the_targets_are_refused_where_nothing_is_planted():
    made = (["seed_stability"], {}, [])
    for target in ("planted", "planted_labels"):
        (line,) = refused_targets([target], *made)
        assert line.startswith(f"{target}: planted.datasets names no data set; name those")
        assert not list(refused_targets([target], *made, {"a": {}}))


def test_jobs_and_files_count_the_runs_on_copies():
    plain = embedded_study()
    more = study_with("planted: {datasets: [digits], draws: 3, seeds: [0, 1]}")
    added = 2 * 3 * 2 * len(plain["architectures"])  # kinds, draws, seeds
    assert number_of_runs(more) == added and number_of_runs(plain) == 0
    assert runs_of(more) == {"digits": {name: 12 for name in plain["architectures"]}}
    described = cluster.jobs_of_study(more, SITE) - cluster.jobs_of_study(plain, SITE) - added
    assert described == 0  # in the group of the other descriptions
    treatments = load_study(plain, ROOT)["treatments"]
    files, records = cluster.files_of_study(plain, treatments)
    stored = sum(kept != "none" for kept in plain["store"].values())
    now = cluster.files_of_study(more, treatments)
    assert now == (files + added * (4 + stored + 1 + 3 + 2), records + added * (4 + stored + 3))


def test_the_plan_counts_the_runs_on_copies(plan):
    text, _ = plan("cpu")
    assert "1 run, of each data set, architecture, treatment and seed: " in text
    text, _ = plan("cpu", more=("--planted", '{"digits": {"resnet": 4}}'))
    assert (
        "5 runs, of each data set, architecture, treatment and seed (4 of them on copies with labels planted wrong): "
        in text
    )
    assert f"{5 * 7976 / 3600:.3g} h" in text
