"""Labels that are planted wrong: how many, of whom, as what, and what of the copy stays as it was."""

import numpy as np
import pandas as pd
import pytest

from retention.commands.plant_labels import main
from retention.common.errors import UserError
from retention.common.notes import collected, read_notes
from retention.common.parquet_tables import read_metadata, read_parquet, write_parquet
from retention.common.schemas import read_schema
from retention.data.planting import (
    CONFUSIONS,
    KINDS,
    RANDOM,
    confused,
    planted,
    planted_rows,
    uniform,
)
from retention.data.split_digest import require_split

HOSTILE = ['<img src=x onerror="x">', "007", "NA", "a,b\"c'", "אבג"]


def index_of(sizes, test=2, per_group=1):
    """Return an index: classes 0, 1, … of so many training samples each, some held out, groups of so many samples."""
    rows = [
        {"label": label, "class_name": HOSTILE[label % 5] + str(label // 5), "split": split}
        for label, size in enumerate(sizes)
        for split in ["train"] * size + ["test"] * test
    ]
    table = pd.DataFrame(rows).sample(frac=1, random_state=1).reset_index(drop=True)
    table.insert(0, "sample_index", np.arange(len(table), dtype=np.int32))
    names = [f"s{number}" for number in range(len(table))]
    table = table.assign(sample_id=names, path=names, digest=names)
    table["group"] = [f"g{number // per_group}" for number in range(len(table))]
    return table.astype({"label": np.int16})


def draw(index, share=0.04, likelihood=None, seed=0):
    likelihood = uniform(index["label"].nunique()) if likelihood is None else likelihood
    return planted(index, share, likelihood, np.random.default_rng(seed))


def recounted(index, copy):
    """Return, counted one by one: training samples, those kept, lost and gained of each class."""
    count = {label: {"size": 0, "kept": 0, "lost": 0, "gained": 0} for label in index["label"]}
    for before, now, split in zip(index["label"], copy["label"], index["split"], strict=True):
        if split == "train":
            count[before]["size"] += 1
            count[before]["kept" if now == before else "lost"] += 1
            count[now]["gained"] += now != before
    return count


@pytest.mark.parametrize(
    "sizes, share",
    [
        ([200] * 5, 0.04),
        ([150, 40, 22, 10, 9, 5, 4, 1], 0.1),
        ([30, 1000], 0.02),
        ([12] * 100, 0.1),
    ],
)
@pytest.mark.parametrize("seed", range(4))
def test_caps_and_shares_hold_counted_one_by_one(sizes, share, seed):
    index = index_of(sizes)
    copy = draw(index, share, seed=seed)
    for label, count in recounted(index, copy).items():
        assert 10 * count["gained"] <= sizes[label]
        assert count["kept"] >= min(5, sizes[label])
    changed = (copy["label"] != index["label"]).sum()
    assert 0 < changed <= round(share * sum(sizes))
    if sizes == [200] * 5:
        assert changed == 40


def test_held_out_samples_and_all_other_columns_stay():
    index = index_of([50, 60, 70])
    copy = draw(index, 0.08)
    same = index.columns.difference(["label", "class_name"])
    pd.testing.assert_frame_equal(copy[same], index[same])
    held_out = index["split"] == "test"
    assert (copy["label"] == index["label"])[held_out].all()
    assert copy["true_label"].tolist() == index["label"].tolist()
    assert copy["true_class_name"].tolist() == index["class_name"].tolist()
    names = dict(zip(index["label"], index["class_name"], strict=True))
    assert copy["class_name"].tolist() == [names[label] for label in copy["label"]]
    assert copy.dtypes[["label", "class_name"]].equals(index.dtypes[["label", "class_name"]])


def test_planted_csv_tells_the_changed_samples_and_no_other():
    index = index_of([60, 60, 60], per_group=3)
    copy = draw(index, 0.05)
    rows = planted_rows(copy)
    assert len(rows) == 9
    for row in rows.itertuples():
        at = index[index["sample_index"] == row.sample_index].iloc[0]
        assert (row.sample_id, row.group, row.label, row.class_name) == (
            *at[["sample_id", "group"]],
            *at[["label", "class_name"]],
        )
        assert row.planted_label == copy.loc[at.name, "label"] != row.label
        assert row.planted_class_name == copy.loc[at.name, "class_name"]


def test_a_draw_is_the_same_again_and_another_is_another():
    index = index_of([100, 100])
    first, again, other = (
        set(planted_rows(draw(index, seed=seed)).sample_index) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_random_errors_spread_over_the_other_classes_as_long_as_there_is_room():
    index = index_of([400] * 5)
    rows = pd.concat(planted_rows(draw(index, 0.04, seed=seed)) for seed in range(40))
    counts = rows.groupby(["label", "planted_label"]).size()
    assert len(counts) == 20
    expected = len(rows) / 20
    assert ((counts - expected) ** 2 / expected).sum() < 45  # χ² of 19 degrees, p 0.0007


def test_small_classes_are_filled_to_their_cap_and_no_further():
    index = index_of([900, 10, 10])
    gained = draw(index, 0.2).query("label != true_label")["label"].value_counts()
    assert (gained[1], gained[2]) == (1, 1)
    assert gained[0] <= 10  # all that the small classes may lose


def test_confusions_are_planted_as_often_as_runs_make_them():
    index = index_of([300, 300, 300])
    one = pd.DataFrame(
        {"occasion": "forgetting", "label": [0, 0], "predicted": [1, 2], "count": [3, 1]}
    )
    other = pd.DataFrame(
        {"occasion": "other_error", "label": [0, 2, 2], "predicted": [1, 2, 9], "count": 3}
    )
    likelihood = confused(index, [one, other])
    assert likelihood.tolist() == [[0, 6, 1], [0, 0, 0], [0, 0, 0]]
    rows = pd.concat(planted_rows(draw(index, 0.02, likelihood, seed=seed)) for seed in range(20))
    assert set(rows["label"]) == {0}
    share = (rows["planted_label"] == 1).mean()
    assert abs(share - 6 / 7) < 4 * np.sqrt(6 / 49 / len(rows))


def test_groups_are_no_units_and_may_hold_both():
    index = index_of([200, 200], per_group=10)
    copy = draw(index, 0.1)
    changed = (copy["label"] != index["label"]).groupby(index["group"]).agg(["sum", "size"])
    assert ((changed["sum"] > 0) & (changed["sum"] < changed["size"])).any()


def test_fewer_than_asked_for_is_noted():
    with collected("skin") as notes:
        draw(index_of([15, 15, 6]), 0.2)
    first, second = notes
    assert first == "skin: 2 labels of 36 training samples are planted wrong"
    assert second.startswith("skin: 7 were asked for: no class may gain more than 10%")


@pytest.mark.parametrize(
    "index, share, said",
    [
        (index_of([40]), 0.1, r"has one class, <img .*, so that no label can be another"),
        (
            index_of([8, 8]),
            0.03,
            "a share of 0.03 of 16 training samples is none; raise planted.share",
        ),
        (index_of([9, 9, 9]), 0.2, "no label can be planted wrong: no class may gain more"),
        (index_of([5, 5], test=0), 0.2, "no label can be planted wrong"),
    ],
)
def test_what_can_not_be_planted_is_one_line(index, share, said):
    with pytest.raises(UserError, match=said) as raised:
        draw(index, share)
    assert "\n" not in str(raised.value)


def test_runs_without_confusions_are_one_line():
    right = pd.DataFrame({"label": [1], "predicted": [1], "count": [5]})
    with pytest.raises(UserError, match="no confusions to plant by; leave confusions out"):
        confused(index_of([40, 40]), [right])


def run_command(folder, *more, kind=RANDOM, number=1):
    names = {"output": "index.parquet", "planted": "planted.csv", "digest": "split.yaml"}
    names |= {"classes": "classes.csv", "duplicates": "duplicates.csv", "notes": "notes.txt"}
    words = [word for name, file in names.items() for word in (f"--{name}", str(folder / file))]
    told = ["--dataset", "skin", "--name", "skin_planted", "--draw", str(number), "--kind", kind]
    main([*told, "--share", "0.05", "--index", str(folder / "true.parquet"), *words, *more])


def test_the_command_writes_a_copy_that_training_takes(tmp_path):
    index = index_of([60, 60, 60])
    write_parquet(tmp_path / "true.parquet", index, {"dataset": "skin"})
    run_command(tmp_path)
    copy = read_parquet(tmp_path / "index.parquet")
    assert read_metadata(tmp_path / "index.parquet") == {"dataset": "skin_planted"}
    require_split(tmp_path / "split.yaml", copy, tmp_path / "index.parquet")
    with pytest.raises(UserError):
        require_split(tmp_path / "split.yaml", index, tmp_path / "true.parquet")
    rows = pd.read_csv(tmp_path / "planted.csv", keep_default_na=False)
    assert rows["sample_index"].tolist() == planted_rows(copy)["sample_index"].tolist()
    assert set(rows["kind"]) == {"random"} and set(rows["draw"]) == {1}
    classes = pd.read_csv(tmp_path / "classes.csv")
    assert classes["train"].tolist() == [
        ((copy["label"] == label) & (copy["split"] == "train")).sum() for label in range(3)
    ]
    assert read_notes(tmp_path / "notes.txt")[0].startswith("skin_planted: 9 labels of 180")
    run_command(tmp_path, number=2)
    assert (
        planted_rows(read_parquet(tmp_path / "index.parquet"))["sample_index"].tolist()
        != rows["sample_index"].tolist()
    )


def test_the_command_needs_confusions_for_their_kind(tmp_path):
    write_parquet(tmp_path / "true.parquet", index_of([60, 60]), {})
    with pytest.raises(UserError, match=r"true\.parquet: the kind confusions needs --confusions"):
        run_command(tmp_path, kind=CONFUSIONS)
    (tmp_path / "c.csv").write_text("label,predicted,count\n0,1,4\n")
    run_command(tmp_path, "--confusions", str(tmp_path / "c.csv"), kind=CONFUSIONS)
    assert set(pd.read_csv(tmp_path / "planted.csv")["label"]) == {0}
    (tmp_path / "c.csv").write_text("a,b\n0,1\n")
    with pytest.raises(UserError, match=r"c\.csv: lacks the column\(s\) label, predicted, count"):
        run_command(tmp_path, "--confusions", str(tmp_path / "c.csv"), kind=CONFUSIONS)


def test_the_kinds_of_the_schema_are_those_that_can_be_planted():
    schema = read_schema("config")["properties"]["planted"]["properties"]["kinds"]
    assert [*KINDS] == schema["items"]["enum"] == schema["default"]
