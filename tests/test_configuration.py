"""What a user may write wrongly in a study's configuration is said in one line each."""

import pytest
import yaml
from conftest import ROOT

from retention.common.errors import UserError
from retention.workflow.configuration import load_study, merged

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))


def faults_of(text: str) -> list[str]:
    """Return the lines that a configuration, YAML over config.yaml, is refused with."""
    with pytest.raises(UserError) as caught:
        load_study(merged(CONFIG, yaml.safe_load(text)), ROOT)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("datasets: [2024]", "datasets.0: is 2024 (int), expected a text; write it in quotes"),
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
    assert f"is {name!r}, expected a name of a folder, which holds no / {{ }}" in lines[0]


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
