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
