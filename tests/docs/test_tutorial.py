"""The tutorial's commands do what it says, and its numbers are those of the stored tables."""

import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import yaml
from snakemake.utils import update_config
from sources import ROOT

from retention.common.csv_tables import read_csv
from retention.findings.architecture_overlap.sentences import sentences
from retention.workflow.configuration import load_study

TEXT = (ROOT / "docs/tutorial.md").read_text(encoding="utf-8")
WORDS = " ".join(TEXT.split())
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
SCRIPTS = re.findall(r"^python - <<'EOF'\n(.*?)^EOF$", TEXT, re.MULTILINE | re.DOTALL)
RANKED = ROOT / "docs/own_images_example.csv"


def stored(name):
    return read_csv(ROOT / f"docs/{name}_example.csv")


def told(value, digits=2):
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def row(table, comparison, statistic):
    found = table[(table["comparison"] == comparison) & (table["statistic"] == statistic)]
    return found.iloc[0]


def output_after(words):
    """Return the output that stands below the command that holds these words."""
    place = next(i for i, (_, text) in enumerate(BLOCKS) if words in text)
    kind, text = BLOCKS[place + 1]
    assert kind == "text"
    return text


def accuracy(architecture, epoch):
    table = stored("learning_curves")
    rows = table[(table["architecture"] == architecture) & (table["split"] == "train")]
    return f"{100 * rows.loc[rows['epoch'] == epoch, 'accuracy'].mean():.0f} %"


def test_the_accuracies_are_those_of_the_learning_curves():
    first, second, last = (accuracy("resnet", epoch) for epoch in (0, 1, 8))
    assert f"The ResNet falls from {first} to {second} in the first epoch" in WORDS
    assert (
        f"has {last} on training images for the ResNet and {accuracy('vit', 8)} for the ViT"
        in WORDS
    )
    assert stored("learning_curves")["epoch"].max() == 8


def test_the_interval_the_chance_and_the_ceiling_are_those_of_the_overlap():
    table = stored("overlap")
    vit = row(table, "vit vs vit", "jaccard")
    assert f"two seeds of the ViT share {told(vit['estimate'])} on average" in WORDS
    assert f"the **95 % interval**, from {told(vit['low'])} to {told(vit['high'])}." in WORDS
    assert (
        1 / 8 < vit["low"] < 1 / 7 and 2 / 3 < vit["high"] < 0.71
    )  # "an eighth and two thirds are possible"
    assert f"The grey stroke | at {told(vit['chance'])} is **chance**" in WORDS
    assert vit["low"] > vit["chance"] and vit["p"] < 0.05 < vit["p_corrected"]
    both, resnet = row(table, "resnet vs vit", "jaccard"), row(table, "resnet vs resnet", "jaccard")
    assert f"the ResNet and the ViT share {told(both['estimate'])} of their lists" in WORDS
    assert f"The triangle ▷ at {told(both['ceiling'])} is the **noise ceiling**" in WORDS
    assert f"no more than {told(resnet['estimate'])} and {told(vit['estimate'])}" in WORDS
    assert both["ceiling"] == pytest.approx(np.sqrt(resnet["estimate"] * vit["estimate"]))
    assert f"to be compared with {told(both['ceiling'])}, not with 1" in WORDS
    assert f"the green interval begins at {told(both['low'])}, where chance is" in WORDS
    assert both["high"] < both["ceiling"] and both["low"] < both["chance"]


def test_the_sentence_is_that_of_the_summary():
    names = {"vit vs vit": "ViT vs ViT", "resnet vs resnet": "ResNet vs ResNet"}
    table = stored("overlap").replace({"comparison": names})
    (sentence,) = [one for one in sentences(table) if "ViT vs ViT" in one]
    assert f"> {sentence}\n" in TEXT


def test_the_null_is_that_of_the_fit():
    vit = row(stored("fit_quality"), "vit", "mean_r_squared")
    assert f"The mean of the ViT is {told(vit['estimate'])}." in WORDS
    assert f"with their epochs shuffled reach {told(vit['chance'])}." in WORDS
    assert vit["high"] < vit["chance"]


def test_the_images_are_written_as_the_tutorial_tells(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(SCRIPTS[0], {})
    planted = output_after("load_digits")
    assert capsys.readouterr().out == planted
    found = Counter(path.parent.name for path in tmp_path.glob("my_images/*/*.png"))
    assert f"this writes {found.total()} scanned digits" in WORDS
    assert f"{len(planted.splitlines())} images are put into the wrong folder on purpose" in WORDS
    counts = re.findall(r"^\d +(\w+) +(\d+) +(\d+)$", output_after("column -s, -t"), re.MULTILINE)
    assert {name: int(train) + int(test) for name, train, test in counts} == found


def test_the_configuration_is_a_study(tmp_path):
    used = re.findall(r"--configfile (.*?) --cores", TEXT)
    assert len(used) == 2 and len({*used}) == 1
    *files, own = used[0].split()
    assert own == "mine.yaml"
    blocks = [text for kind, text in BLOCKS if kind == "yaml"]
    mine = yaml.safe_load("".join(blocks))
    study = {}
    for file in ("config.yaml", *files):
        update_config(study, yaml.safe_load((ROOT / file).read_text(encoding="utf-8")))
    update_config(study, mine)
    images = study["dataset_definitions"]["mine"]
    assert images["folder"] == "my_images" and study["seeds"] == [0, 1, 2, 3, 4]
    (tmp_path / "three").mkdir()
    images["folder"] = str(tmp_path)
    load_study(study, ROOT)  # refuses what is no study


def test_the_ranking_is_made_as_the_tutorial_tells(tmp_path, monkeypatch, capsys):
    for seed, confidence in enumerate(((0.9, 0.2, 0.1), (0.7, 0.4, 0.1))):
        folder = tmp_path / f"results/mine/mine/runs/vit/random/seed{seed}"
        folder.mkdir(parents=True)
        table = pd.DataFrame({"split": ["train", "train", "test"], "sample_id": list("abc")})
        table = table.assign(confidence=confidence, never_learned=[False, seed == 1, True])
        table.assign(forgetting_events=[0, 1, 2]).to_parquet(folder / "samples.parquet")
    monkeypatch.chdir(tmp_path)
    exec(SCRIPTS[1], {})
    assert [line.split() for line in capsys.readouterr().out.splitlines()[2:]] == [
        ["b", "0.3", "1", "1.0"],
        ["a", "0.8", "0", "0.0"],
    ]


def test_the_list_is_the_stored_one_and_counts_what_was_planted():
    ranked = pd.read_csv(RANKED, index_col="sample_id")
    assert output_after("never_learned") == ranked.head(20).to_string() + "\n"
    assert ranked["confidence"].is_monotonic_increasing
    lines = output_after("load_digits").splitlines()
    planted = [line.split()[0].removeprefix("my_images/") for line in lines]
    places = sorted(ranked.index.get_loc(name) + 1 for name in planted)
    within, further = [p for p in places if p <= 20], [p for p in places if p > 20]
    assert f"{len(within)} of the 20 are among those that we put into the wrong folder" in WORDS
    by_lot = 20 * len(planted) / len(ranked)
    assert (
        f"By lot it would be {by_lot:.1f}, since {len(planted)} of {len(ranked)} training" in WORDS
    )
    assert len(further) == 5 and f"at places {further[0]} to {further[-1]}:" in WORDS
    assert f"The other {20 - len(within)} of the list have the right label" in WORDS
    fives = [name for name in planted if name in ranked[ranked["never_learned"] == 3].index]
    assert [name for name in fives if name.startswith("five/")] == [
        "five/0446.png",
        "five/0599.png",
    ]


def test_how_far_seeds_agree_is_that_of_the_stored_table():
    table = stored("own_seed_stability")
    found, needed = row(table, "vit", "spearman"), row(table, "vit", "seeds_needed")
    assert (
        f"correlate at ρ = {told(found['estimate'])}, with a 95 % interval from {told(found['low'])} "
        f"to {told(found['high'])}." in WORDS
    )
    assert found["low"] < 0 < found["high"]
    assert f"about {needed['estimate']:.0f} seeds would give" in WORDS and np.isinf(needed["high"])
