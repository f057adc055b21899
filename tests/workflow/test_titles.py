"""Titles and colours: what figures call and paint things, and that no job that trains or measures is told."""

import json
import shlex

import pandas as pd
import pytest
import yaml
from configurations import CONFIG, embedded_study
from sources import ROOT

from retention.commands import draw_figure
from retention.common.csv_tables import write_csv
from retention.common.errors import UserError
from retention.reporting.look import PALETTE, SEVERAL, Look, look_of
from retention.workflow.configuration import as_argument, load_study
from retention.workflow.recipes import merged

HOSTILE = "<img onerror=alert(1)> \"'\\ $x$ {a} % אבג"


def titled(**titles):
    """Return the embedded study with titles of some of its definitions."""
    definitions = {"resnet": "architecture_definitions", "random": "treatment_definitions"}
    changes: dict = {}
    for name, title in titles.items():
        changes.setdefault(definitions[name], {})[name] = {"title": title}
    return merged(embedded_study(), changes)


def faults_of(text: str) -> list[str]:
    with pytest.raises(UserError) as error:
        load_study(merged(CONFIG, yaml.safe_load(text)), ROOT)
    return str(error.value).splitlines()


def test_a_title_changes_no_parameter_but_the_titles():
    before = load_study(embedded_study(), ROOT)
    after = load_study(titled(resnet="A network", random=HOSTILE), ROOT)
    changed = {key for key in before if as_argument(before[key]) != as_argument(after[key])}
    assert changed == {"titles"}
    assert after["titles"] == before["titles"] | {"resnet": "A network", "random": HOSTILE}


def test_the_known_treatments_and_architectures_of_the_paper_have_titles():
    study = load_study(CONFIG, ROOT)
    named = {*CONFIG["architectures"], *CONFIG["treatments"]}
    assert {*study["titles"]} == named
    assert study["titles"]["resnet18"] == "ResNet-18"
    assert all("title" in found for found in CONFIG["treatment_definitions"].values())


def test_only_what_the_study_trains_has_a_title():
    found = load_study(embedded_study(), ROOT)["titles"]
    assert {*found} <= {
        *embedded_study()["architectures"],
        *embedded_study()["control_architectures"],
        *embedded_study()["treatments"],
    }
    assert found["resnet"] == "ResNet" and found["resnet_from_scratch"] == "ResNet from scratch"


@pytest.mark.parametrize(
    ("text", "name", "kept"),
    [
        ("architecture_definitions: {resnet18: {timm: resnet34}}", "resnet18", False),
        ("architecture_definitions: {resnet18: {image_size: 128}}", "resnet18", True),
        ("architecture_definitions: {resnet18: {timm: resnet34, title: Mine}}", "resnet18", True),
        ("treatment_definitions: {keep_50_next_seed: {keep_fraction: 0.4}}", "keep_50_next_seed", False),
        ("treatment_definitions: {keep_50_next_seed: {keep: most_forgotten}}", "keep_50_next_seed", True),
        ("treatment_definitions: {keep_50_next_seed: {keep_fraction: 0.4, title: 40 %}}", "keep_50_next_seed", True),
    ],
)  # fmt: skip
def test_a_title_of_config_yaml_does_not_go_to_what_means_something_else(text, name, kept):
    assert (name in load_study(merged(CONFIG, yaml.safe_load(text)), ROOT)["titles"]) == kept


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("architecture_definitions: {resnet18: {title: 3}}", "resnet18.title: is 3 (int), expected"),
        ("architecture_definitions: {resnet18: {title: ' '}}", "resnet18.title: is ' ', expected"),
        ("treatment_definitions: {random: {title: [a]}}", "random.title: is ['a'] (list), expected"),
        ("architecture_definitions: {resnet18: {title: DeiT-Small}}", "deit_small.title: is 'DeiT-Small', as figures"),
        ("architecture_definitions: {deit_small: {title: resnet18}, resnet18: {timm: a}}", "deit_small.title: is 'resnet18', as"),
        ("treatment_definitions: {random: {titel: Baseline}}", "random.titel: does not belong to sampler random"),
    ],
)  # fmt: skip
def test_a_title_that_tells_nothing_is_refused_in_a_line(text, told):
    lines = faults_of(text)
    assert any(told in line for line in lines), lines


def test_one_name_has_one_title():
    own = CONFIG["architecture_definitions"]["resnet18"] | {"title": "A network"}
    study = {"study": "s", "architectures": ["random", "deit_small"]}
    (line,) = faults_of(yaml.safe_dump(study | {"architecture_definitions": {"random": own}}))
    assert "a figure calls one name one thing" in line


def test_colours_follow_the_studys_order_and_controls_come_last():
    look = look_of(["vit", "resnet", "control"], {"vit": "ViT"}, ["resnet", "", "a", "vit"])
    assert look.architectures == ("vit", "resnet", "control", "a")
    assert [look.colour(name) for name in look.architectures] == list(PALETTE[:4])
    assert look.colour("vit + resnet") == look.colour("") == SEVERAL
    assert look.ordered(["zz", "a", "vit", "b", "a"]) == ["vit", "a", "b", "zz"]


def test_a_pair_has_one_colour_whatever_it_is_called_and_no_architectures():
    look = Look(("a", "b", "c"))
    pairs = {"a vs b": 3, "a + c": 4, "b minus c": 5, "c vs b": 5, "a + b + b minus a + a + a": 3}
    assert [look.colour_of(text) for text in pairs] == [PALETTE[place] for place in pairs.values()]
    assert look.colour_of("b + b") == look.colour_of("b vs b") == look.colour_of("b") == PALETTE[1]
    assert (
        look.colour_of("a + b + c") == look.colour_of("all runs") == look.colour_of("") == SEVERAL
    )
    many = Look(tuple("abcdefgh"))
    assert many.colour_of("a vs b") == SEVERAL  # all colours are architectures'


def test_without_a_study_colours_follow_the_names_and_titles_are_names():
    look = look_of(None, None, ["b", "a", "b"])
    assert look.architectures == ("a", "b")
    assert (look.title("a"), look.comparison("a vs b")) == ("a", "a vs b")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("vit vs resnet", "ViT vs Res + Net"),
        ("vit + resnet minus vit + vit", "ViT + Res + Net minus ViT + ViT"),
        ("vit", "ViT"),
        ("vits", "vits"),
    ],
)
def test_comparisons_are_written_with_titles(text, written):
    assert Look(titles={"vit": "ViT", "resnet": "Res + Net"}).comparison(text) == written


def test_draw_figure_paints_by_the_order_that_it_is_told(tmp_path, monkeypatch):
    looks = []
    part = draw_figure.load_part("retention.findings", "early_loss", "draw_early_loss")
    drawn = part.draw
    monkeypatch.setattr(
        part, "draw", lambda finding, look: looks.append(look) or drawn(finding, look)
    )
    table = pd.DataFrame([row("net"), row("also")])
    write_csv(tmp_path / "early_loss.csv", table)
    words = ["early_loss", "--finding", tmp_path / "early_loss.csv", "--output", tmp_path / "f.svg"]
    for more in ([], ["--architectures", "net", "--titles", json.dumps({"net": HOSTILE})]):
        draw_figure.main([str(word) for word in [*words, *more]])
    assert [look.architectures for look in looks] == [("also", "net"), ("net", "also")]
    assert looks[1].title("net") == HOSTILE


def row(name):
    return {
        "finding": "early_loss", "statistic": "spearman", "comparison": name, "architecture": name,
        "estimate": 0.2, "low": 0.1, "high": 0.3, "chance": 0.0, "ceiling": float("nan"), "n": 9,
        "target": "new runs",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 3}', '{"a": " "}', "3"])
def test_titles_that_are_none_are_refused_in_a_line(text):
    with pytest.raises(UserError, match="--titles: expected JSON of texts by name") as error:
        draw_figure.main(
            ["early_loss", "--finding", "x.csv", "--output", "f.svg", "--titles", text]
        )
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_the_workflow_tells_the_titles_to_figures_and_to_nothing_else(clone):
    title = "A {network} of $HOME's"
    own = {
        "study": "s",
        "treatments": ["random"],
        "findings": ["early_loss"],
        "multiverse": {"findings": []},
    }
    own |= {"architecture_definitions": {"resnet18": {"title": title}}}
    (clone.folder / "own.yaml").write_text(yaml.safe_dump(own))
    figure = "results/s/octdl/figures/early_loss.pdf"
    printed = clone.dry_run("-p", "--configfile", "own.yaml", "--", figure)
    commands = [line for line in printed.splitlines() if "exec python" in line]
    told = [line for line in commands if "--titles" in line]
    assert len(commands) > 30 and len(told) == 1
    words = shlex.split(told[0])
    draws = words[words.index("--architectures") :]
    assert draws[1:3] == ["resnet18", "deit_small"]
    assert json.loads(draws[draws.index("--titles") + 1])["resnet18"] == title
    assert not any("network" in line for line in commands if line not in told)
