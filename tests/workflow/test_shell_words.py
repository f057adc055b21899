"""Names and paths reach the commands as they are written, whatever letters they hold."""

import subprocess

import pytest
import yaml
from sources import ROOT, Workflow

from retention.common.errors import UserError
from retention.workflow.presence import require_without_braces
from retention.workflow.shell_words import braces, in_quotes

NAMES = [
    "plain_1.x",
    "a,b",
    "it's",
    "a b",
    "$HOME",
    "*",
    "~",
    "100%",
    "#1",
    'q"q',
    "b\\n",
    "日本",
    "`x`",
]


def words_of(text: str) -> list[str]:
    """Return the words that bash makes of a text."""
    done = subprocess.run(["bash", "-c", f"printf '%s\\0' {text}"], capture_output=True, text=True)
    return done.stdout.split("\0")[:-1]


def test_the_shell_expands_names_to_themselves():
    assert words_of(f"r/{braces(NAMES)}/seed{braces([0, 1])}.csv") == [
        f"r/{name}/seed{seed}.csv" for name in NAMES for seed in (0, 1)
    ]
    for name in NAMES:
        assert words_of(f"r/{braces([name])}/x") == [f"r/{name}/x"]
        assert words_of(in_quotes(name)) == [name]


def test_plain_names_stay_the_parameters_that_they_were():
    assert braces(["resnet18", "deit_small"]) == "{resnet18,deit_small}"
    assert braces(["a b", 3]) == "{'a b',3}"
    assert in_quotes("data/weights/resnet18.safetensors") == "'data/weights/resnet18.safetensors'"


def test_braces_in_the_path_of_the_clone_are_refused(tmp_path):
    require_without_braces(ROOT)
    with pytest.raises(UserError, match="move the clone to a path without"):
        require_without_braces(tmp_path / "my {clone}")


@pytest.mark.slow
def test_a_study_of_odd_names_is_planned(tmp_path):
    """Quotes, blanks, dollars and commas in names; braces in all that is no name of a folder."""
    folder = tmp_path / "the clone's $x"
    folder.mkdir()
    clone = Workflow(folder)
    images = tmp_path / "im{ages} 'q' $x"
    (images / "c{a}t").mkdir(parents=True)
    name, network, treatment = 'd\'a,t $a*#~%\\b "q"', "r'es,ne t$#*", "t,r'e $at*"
    definition = {"timm": "test_resnet", "weights": "none", "image_size": 32, "stored_size": 32}
    study = {
        "study": "odd",
        "datasets": [name],
        "dataset_definitions": {
            name: {
                "adapter": "imagefolder",
                "folder": str(images),
                "citation": "@article{smith2020, title={Birds}}, {dataset}",
            }
        },
        "architectures": [network],
        "architecture_definitions": {network: definition},
        "treatments": ["random", treatment],
        "treatment_definitions": {treatment: {"sampler": "class_balanced"}},
        "seeds": [0, 1],
        "paper": {"comparable": {name: "own {images}"}},
    }
    (folder / "odd.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    output = clone.dry_run("-p", "all", "tables", "--configfile", "odd.yaml")

    def arguments(command):
        line = next(line for line in output.splitlines() if command in line)
        return words_of(line.partition(command)[2].partition(" >")[0])

    words = arguments('finetune.py"')
    given = dict(zip(words[::2], words[1::2], strict=False))
    assert (given["--dataset"], given["--architecture"]) == (name, network)
    assert given["--probabilities"].startswith(f"results/odd/{name}/runs/{network}/")
    runs = [f"results/odd/{name}/runs/{network}/random/seed{seed}" for seed in (0, 1)]
    for command, file in (
        ('measure_finding.py" fit_quality', "samples.parquet"),
        ('write_summary.py"', "run.yaml"),
        ('write_tables.py"', "run.yaml"),
    ):
        assert {f"{run}/{file}" for run in runs} <= set(arguments(command))
    assert any(
        "title={Birds}}, {dataset}" in word for word in arguments('record_configuration.py"')
    )
