"""What a user may write wrongly in a study's configuration is said in one line each."""

import re

import pytest
import yaml
from configurations import CONFIG
from snakemake.cli import parse_config
from sources import ROOT

from retention.common.errors import UserError
from retention.common.faults import schema_faults
from retention.workflow.command_line import read_command_line
from retention.workflow.configuration import load_study
from retention.workflow.recipes import merged


def faults_of(text: str) -> list[str]:
    """Return the lines that a configuration, YAML over config.yaml, is refused with."""
    with pytest.raises(UserError) as caught:
        load_study(merged(CONFIG, yaml.safe_load(text)), ROOT)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "datasets: [2024]",
            "datasets.0: is 2024 (int), expected a text; write it in quotes, in a file: --config drops them",
        ),
        ("architectures: [no]", "architectures.0: is False (bool), expected a text; write it in"),
        ("study: 2024-01-02", "study: is datetime.date(2024, 1, 2) (date), expected a text; write"),
        ("treatments: [random, 50]", "treatments.1: is 50 (int), expected a text; write it in quo"),
        ("recipes: {datasets: {7: {epochs: 3}}}", "recipes.datasets.7: YAML reads this key as int"),
        ("paper: {comparable: {on: x}}", "paper.comparable.True: YAML reads this key as bool; wri"),
    ],
)
def test_a_name_that_yaml_takes_for_something_else_is_to_be_quoted(text, told):
    (line,) = faults_of(text)
    assert line.startswith(told)


@pytest.mark.parametrize(
    ("recipes", "told"),
    [
        (
            "{default: {momentum: 0.5}}",
            "recipes: resnet18 on octdl: momentum: has no meaning with optimizer adamw, only with sgd; leave it out",
        ),
        (
            "{architectures: {deit_small: {optimizer: sgd, betas: [0.9, 0.99]}}}",
            "recipes: deit_small on octdl: betas: has no meaning with optimizer sgd, only with adamw or adam",
        ),
        (
            "{default: {trainable: head}}",
            "recipes.pretraining: deit_small: trainable: is head, and a backbone that is trained from scratch needs",
        ),
        (
            "{pretraining: {deit_small: {momentum: 0.5}}}",
            "recipes.pretraining: deit_small: momentum: ",
        ),
        (
            "{pretraining: {default: {head_warmup: {epochs: 3}}}}",
            "recipes.pretraining: deit_small: head_warmup: has no meaning there, as all layers learn",
        ),
        (
            "{pretraining: {deit_small: {evaluation_precision: bf16}}}",
            "recipes.pretraining: deit_small: evaluation_precision: has no meaning there, as it evaluates in fp32",
        ),
    ],
)
def test_a_recipe_that_contradicts_itself_is_refused_before_any_job(recipes, told):
    source = (
        "architecture_definitions: {deit_small: {weights: {source: cub200}}}\ndatasets: [octdl]"
    )
    (line,) = faults_of(f"recipes: {recipes}\n{source}")
    assert line.startswith(told)


@pytest.mark.parametrize(
    ("layer", "made"),
    [
        ("{}", True),
        ("{datasets: {octdl: {head_warmup: {epochs: 0}}}}", False),
        ("{datasets: {nobody: {head_warmup: {epochs: 0}}}}", True),
    ],
)
def test_a_study_without_a_head_warm_up_leaves_f5_out_and_says_why(layer, made):
    study = load_study(merged(CONFIG, yaml.safe_load(f"recipes: {layer}")), ROOT)
    assert ("early_loss" in study["findings"]) == made
    assert "class_forgetting" in study["findings"]
    assert made or "without a head warm-up" in study["left_out"]["early_loss"]


@pytest.mark.parametrize("name", ["a/b", "a{b}", "-x", ".", "..", "two\nlines", "tab\t"])
@pytest.mark.parametrize(
    ("key", "definitions", "definition"),
    [
        ("datasets", "dataset_definitions", {"adapter": "package", "loader": "digits"}),
        (
            "architectures",
            "architecture_definitions",
            CONFIG["architecture_definitions"]["resnet18"],
        ),
        ("treatments", "treatment_definitions", {"sampler": "class_balanced"}),
    ],
)
def test_a_name_that_can_be_no_folder_is_refused(name, key, definitions, definition):
    study = {"study": "s", key: ["random", name] if key == "treatments" else [name]}
    lines = faults_of(yaml.safe_dump(study | {definitions: {name: definition}}))
    assert (
        f"is {name!r}, expected a name of at most 80 letters without a slash, brace or line break that"
        in lines[0]
    )
    assert not any("_definitions.is" in line for line in lines)


@pytest.mark.parametrize("name", ["a b", "日本", ".hidden", "it's", "$x", "a,b", "#1", "...", "x-"])
def test_other_names_are_taken(name):
    study = {"study": "s", "datasets": [name], "treatments": ["random"]}
    study["dataset_definitions"] = {name: {"adapter": "package", "loader": "digits"}}
    assert name in load_study(merged(CONFIG, study), ROOT)["settings"]["families"]


def test_a_name_that_reads_like_a_comparison_is_refused():
    network = {"net + head": CONFIG["architecture_definitions"]["resnet18"]}
    study = {"study": "s", "architectures": ["net + head", "resnet18"]}
    (line,) = faults_of(yaml.safe_dump(study | {"architecture_definitions": network}))
    assert line.startswith("architectures: 'net + head' has ' + ' in it, which findings write")


@pytest.mark.parametrize("file", ["a{b}.pth", "-w.pth"])
def test_a_weights_file_that_commands_would_misread_is_refused(file):
    weights = {"resnet18": {"weights": {"file": file}}}
    (line,) = faults_of(yaml.safe_dump({"architecture_definitions": weights}))
    assert line == (
        f"architecture_definitions.resnet18.weights.file: {file} has braces or begins with -, which "
        "commands misread; move or link the file"
    )


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("seeds=[0,1,2]", [0, 1, 2]),
        ("architectures=[resnet18]", ["resnet18"]),
        ("architectures=[18, 007, no, ~]", ["18", "007", "no", "~"]),
        ("statistics={resamples: '99'}", {"resamples": 99}),
        (
            "recipes={default: {epochs: 3, learning_rate: 1.0e-3, augmentation: {flip: no}}}",
            {"default": {"epochs": 3, "learning_rate": 0.001, "augmentation": {"flip": False}}},
        ),
        ("paper={comparable: {octdl: true, cub200: other data}}", {"octdl": True}),
        (
            "dataset_definitions={a: {adapter: imagefolder, folder: 2024, keep_per_class: [1]}}",
            {"a": {"adapter": "imagefolder", "folder": "2024", "keep_per_class": [1]}},
        ),
        ("statistics={resamples: many}", {"resamples": "many"}),
        ("seeds=[-1]", [-1]),
    ],
)
def test_nested_values_of_the_command_line_are_what_yaml_has(entry, found):
    given = parse_config([entry])
    ((key, _),) = given.items()
    config = merged(CONFIG, given)
    read_command_line(config, given)
    expected = {"comparable": found | {"cub200": "other data"}} if key == "paper" else found
    assert config[key] == (
        merged(CONFIG[key], expected) if isinstance(expected, dict) else expected
    )


def test_quoted_numbers_of_a_file_stay_a_fault():
    (line,) = faults_of("statistics: {resamples: '99'}")
    assert line == "statistics.resamples: is '99' (str), expected integer; write it without quotes"


def test_many_faults_and_long_values_are_cut():
    lines = faults_of(yaml.safe_dump({"study": "s", "datasets": [f"d{n}" for n in range(500)]}))
    assert len(lines) == 11
    assert lines[-1] == "and 490 more faults"
    (line,) = faults_of(yaml.safe_dump({"recipes": list(range(5000))}))
    assert line.startswith("recipes: is [0, 1, 2") and len(line) < 300
    names = [f"d{n}" for n in range(30)]
    (line,) = faults_of(yaml.safe_dump({"datasets": names + names}))[:1]
    assert line == (
        f"datasets: names {', '.join(sorted(names)[:10])} and 20 more, more than once; each entry may stand once"
    )


def test_keys_that_are_not_there_are_one_line(monkeypatch, tmp_path):
    lacking = {key: CONFIG[key] for key in ("study", "datasets", "paper")}
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as caught:
        load_study(lacking, ROOT)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(
        "config: lacks architectures, control_architectures, treatments, seeds, "
    )
    assert f"{tmp_path} holds no config.yaml; run snakemake in the clone's folder" in line


@pytest.mark.parametrize(
    ("value", "kind", "told"),
    [
        ("[0", "array", r"a list .*; as YAML it is broken: expected ',' or '\]', but got its end"),
        ("0]", "array", "a list .*; as YAML it is broken: "),
        ("[0]", "array", "a list .*; write it without quotes"),
        ("{a: 1", "object", "a map .*; as YAML it is broken: expected ',' or '}', but got its end"),
        ("0, 1", "array", r"a list; write \[0, 1\]"),
        ("range(3)", "array", r"a list; write \[a, b, …\]"),
    ],
)
def test_a_text_in_place_of_a_list_is_told_what_is_wrong_with_it(value, kind, told):
    schema = {"properties": {"seeds": {"type": kind}}}
    (line,) = schema_faults({"seeds": value}, schema)
    assert re.fullmatch(rf"seeds: is '{re.escape(value)}' \(str\), expected {told}.*", line), line
