"""Runs that were trained elsewhere, taken into a study: what is written of them, and what is refused."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import yaml
from own_studies import (
    CLASSES,
    EPOCHS,
    LABELS,
    NAMES,
    SPLITS,
    index_samples,
    logits_of,
    options,
    record_run,
)

from retention import TraceRecorder
from retention.commands import (
    describe_samples,
    take_probabilities,
    take_traces,
)
from retention.common.collapse import fault_of
from retention.common.errors import UserError
from retention.common.parquet_tables import read_metadata, read_parquet, write_parquet


@pytest.fixture
def traces(tmp_path):
    return record_run(tmp_path, "net", 0)


def indexed(place, **definition) -> pd.DataFrame:
    """Index and split the samples as the workflow does; return index.parquet."""
    told = {"adapter": "index", "table": str(place / "index.parquet")} | definition
    return index_samples(place, "shots", told)


def take(folder, traces, **more):
    """Take traces as the run of seed 3; return its traces, epochs and facts."""
    names = {"study": "s", "dataset": "shots", "architecture": "net", "treatment": "random"}
    made = {"output": "taken.parquet", "epochs": "epochs.csv", "run": "run.yaml"}
    made = {name: folder / file for name, file in made.items()}
    given = {"traces": traces, "index": folder / "study_output", "seed": 3}
    take_traces.main(options(**names, **given, **made, **more))
    facts = yaml.safe_load(made["run"].read_text())
    return read_parquet(made["output"]), pd.read_csv(made["epochs"]), facts


def test_every_sample_keeps_its_trace_under_its_own_name(tmp_path, traces):
    index = indexed(tmp_path)
    taken, epochs, facts = take(tmp_path, traces)
    assert list(index["sample_id"]) == sorted(NAMES)  # the study's own order
    names = index.set_index("sample_index")["sample_id"]
    for epoch in range(EPOCHS):
        logits = logits_of("net", 0, epoch)
        right = dict(zip(NAMES, logits.argmax(1) == LABELS, strict=True))
        rows = taken[taken["epoch"] == epoch]
        assert dict(zip(rows["sample_index"].map(names), rows["correct"], strict=True)) == right
        said = dict(zip(rows["sample_index"].map(names), rows["predicted"], strict=True))
        assert said == dict(zip(NAMES, logits.argmax(1), strict=True))
        train = SPLITS == "train"
        row = epochs[epochs["epoch"] == epoch].iloc[0]
        correct = logits.argmax(1) == LABELS
        assert row["train_accuracy"] == pytest.approx(correct[train].mean())
        assert row["test_accuracy"] == pytest.approx(correct[~train].mean())
        recalls = [correct[~train & (label == LABELS)].mean() for label in range(CLASSES)]
        assert row["test_balanced_accuracy"] == pytest.approx(np.mean(recalls))
        chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        loss = -np.log(chances[np.arange(len(LABELS)), LABELS])[train].mean()
        assert row["train_loss"] == pytest.approx(loss, rel=1e-5)
    assert set(taken["split"]) == {"train", "test"}
    assert facts["own_traces"]["file"] == str(traces)
    assert (facts["train_samples"], facts["test_samples"], facts["classes"]) == (48, 12, CLASSES)
    assert facts["treatment_definition"] == {"sampler": "random"}
    assert facts["pretrained"] is None
    assert read_metadata(tmp_path / "taken.parquet") == {
        "study": "s", "dataset": "shots", "architecture": "net", "treatment": "random", "seed": "3",
    }  # fmt: skip


def test_epochs_count_what_turned_from_one_to_the_next(tmp_path, traces):
    indexed(tmp_path)
    _, epochs, _ = take(tmp_path, traces)
    right = np.stack([logits_of("net", 0, epoch).argmax(1) == LABELS for epoch in range(EPOCHS)])
    right = right[:, SPLITS == "train"]
    assert epochs["forgotten"].isna()[0] and epochs["learned"].isna()[0]
    assert list(epochs["forgotten"][1:]) == [(a & ~b).sum() for a, b in pairwise(right)]
    assert list(epochs["learned"][1:]) == [(~a & b).sum() for a, b in pairwise(right)]


def test_the_description_is_that_of_the_traces_where_they_were_recorded(tmp_path, traces):
    indexed(tmp_path)
    take(tmp_path, traces)
    found = {}
    for name, path, index in (
        ("here", tmp_path / "taken.parquet", tmp_path / "study_output"),
        ("there", traces, tmp_path / "index.parquet"),
    ):
        output = tmp_path / f"{name}.parquet"
        told = {"dataset": "shots", "architecture": "net", "seed": 0}
        describe_samples.main(options(traces=path, index=index, output=output, **told))
        found[name] = read_parquet(output).set_index("sample_id").sort_index()
    columns = [
        "forgetting_events",
        "decay_constant",
        "hazard",
        "loss_0",
        "aum",
        "never_learned",
        "label",
    ]
    pd.testing.assert_frame_equal(
        found["here"][columns], found["there"][columns], check_dtype=False
    )


@pytest.mark.parametrize("order", ["shuffled", "by sample"])
def test_rows_may_come_in_any_order(tmp_path, traces, order):
    indexed(tmp_path)
    whole, _, _ = take(tmp_path, traces)
    rows = read_parquet(traces)
    mixed = (
        rows.sample(frac=1, random_state=0)
        if order == "shuffled"
        else rows.sort_values(["sample_id", "epoch"])
    )
    write_parquet(tmp_path / "other.parquet", mixed)
    other, _, _ = take(tmp_path, tmp_path / "other.parquet")
    pd.testing.assert_frame_equal(whole, other)


def test_samples_without_names_are_found_by_the_index_that_they_were_recorded_with(
    tmp_path, traces
):
    indexed(tmp_path)
    named, _, _ = take(tmp_path, traces)
    write_parquet(tmp_path / "other.parquet", read_parquet(traces).drop(columns="sample_id"))
    own = tmp_path / "index.parquet"
    found, _, _ = take(tmp_path, tmp_path / "other.parquet", own_index=own)
    pd.testing.assert_frame_equal(named, found)


def test_samples_are_found_by_the_paths_of_their_images(tmp_path, traces):
    index = indexed(tmp_path)
    by_name, _, _ = take(tmp_path, traces)
    other = index.assign(path=index["sample_id"], sample_id=[f"s{n}" for n in range(len(index))])
    write_parquet(tmp_path / "study_output", other)
    by_path, _, _ = take(tmp_path, traces)
    pd.testing.assert_frame_equal(by_name, by_path)


def spoiled_index(change):
    def spoil(folder, traces):
        write_parquet(folder / "study_output", change(read_parquet(folder / "study_output")))

    return spoil


def spoiled_traces(change):
    def spoil(folder, traces):
        write_parquet(traces, change(read_parquet(traces)), read_metadata(traces))

    return spoil


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoiled_index(lambda i: i.assign(sample_id=i["sample_id"] + "x")), "60 samples are none of the data set's .*adapter: index"),
        (spoiled_index(lambda i: i.iloc[1:]), "1 sample are? none of the data set's"),
        (spoiled_traces(lambda t: t[t["sample_id"] != NAMES[4]]), rf"1 sample of the data set are not in the traces: {NAMES[4]}; record all"),
        (spoiled_index(lambda i: i.assign(split="train")), "12 samples were trained on there and are held out"),
        (spoiled_index(lambda i: i.assign(label=(i["label"] + 1) % 3)), "`correct` and `predicted` do not fit the label"),
        (spoiled_traces(lambda t: t[t["epoch"] < 2]), "has 2 epoch"),
        (spoiled_traces(lambda t: t.assign(loss=np.nan)), "loss is not finite"),
    ],
    ids=["names", "more", "fewer", "splits", "labels", "short", "nan"],
)  # fmt: skip
def test_traces_of_something_else_are_refused_and_nothing_is_written(tmp_path, traces, spoil, said):
    indexed(tmp_path)
    spoil(tmp_path, traces)
    with pytest.raises(UserError, match=said):
        take(tmp_path, traces)
    assert not {"taken.parquet", "epochs.csv", "run.yaml"} & {
        path.name for path in tmp_path.iterdir()
    }


def probabilities(folder, traces, given):
    np.save(folder / "given.npy", given)
    files = {"probabilities": "given.npy", "index": "study_output", "output": "out.npy"}
    files = {name: folder / file for name, file in files.items()}
    take_probabilities.main(options(traces=traces, **files))
    return np.load(files["output"])


def test_probabilities_are_stored_as_a_training_stores_them(tmp_path, traces):
    index, given = indexed(tmp_path), np.load(traces.with_suffix(".npy"))
    found = probabilities(tmp_path, traces, given)
    assert found.shape == (1, len(NAMES), CLASSES) and found.dtype == np.float16
    order = index.sort_values(["split", "sample_index"])["sample_id"]
    expected = given[[NAMES.index(name) for name in order]].astype(np.float16)
    np.testing.assert_array_equal(found[0], expected)


def test_probabilities_of_a_run_of_the_workflow_are_taken_as_they_are_stored(tmp_path, traces):
    indexed(tmp_path)
    given = np.load(traces.with_suffix(".npy"))
    stored = probabilities(tmp_path, traces, given)
    earlier = np.roll(stored, 1, axis=1)  # of another evaluation, which is not asked
    of_run = with_columns_of_the_workflow(tmp_path, traces)
    again = probabilities(tmp_path, of_run, np.concatenate([earlier, stored]))
    np.testing.assert_array_equal(again, stored)
    with pytest.raises(UserError, match="it is right where the traces are wrong"):
        probabilities(tmp_path, of_run, np.concatenate([stored, earlier]))
    with pytest.raises(UserError, match=r"has the shape \[0, 60, 3\]"):
        probabilities(tmp_path, of_run, stored[:0])


def with_columns_of_the_workflow(folder, traces):
    """Return the same traces as fine-tuning writes them: split and sample_index are those of the study."""
    index = read_parquet(folder / "study_output").set_index("sample_id")
    table = read_parquet(traces)
    for name in ("split", "sample_index"):
        table[name] = table["sample_id"].map(index[name])
    path = folder / "of_run.parquet"
    write_parquet(path, table, read_metadata(traces))
    return path


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda p: p[1:], r"has the shape \[59, 3\]; expected a row for each of 60 samples"),
        (lambda p: p[:, :2], "a column for each of 3 classes"),
        (lambda p: np.log(p), "holds no probabilities"),
        (lambda p: p * np.nan, "holds no probabilities"),
        (lambda p: p[::-1], "it is right where the traces are wrong"),
        (lambda p: p.astype(str), "expected numbers"),
    ],
)  # fmt: skip
def test_what_is_no_probability_of_these_samples_is_refused(tmp_path, traces, spoil, said):
    indexed(tmp_path)
    with pytest.raises(UserError, match=said):
        probabilities(tmp_path, traces, spoil(np.load(traces.with_suffix(".npy"))))
    assert not (tmp_path / "out.npy").exists()


def test_an_index_keeps_its_labels_and_needs_no_images(tmp_path, traces):
    index = indexed(tmp_path).set_index("sample_id")
    assert dict(index["label"]) == dict(zip(NAMES, LABELS, strict=True))
    assert dict(index["class_name"].groupby(index["label"]).first()) == {
        0: "zebra",
        1: "cat",
        2: "owl",
    }
    assert (index["path"] == "").all() and (index["digest"] == "").all()
    assert "has no images" in (tmp_path / "notes.txt").read_text()
    assert pd.read_csv(tmp_path / "study_duplicates").empty


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda i: i.drop(columns="label"), r"lacks the column\(s\) label"),
        (lambda i: i.assign(label=i["class_name"]), "label of 60 rows is no whole number"),
        (lambda i: i.assign(sample_id="a"), "sample_id a stand more than once"),
        (lambda i: i.assign(class_name=np.where(i["sample_index"] == 3, "cow", i["class_name"])), "stands with several values"),
        (lambda i: i.iloc[:0], "has no row"),
    ],
)  # fmt: skip
def test_a_table_that_is_no_index_is_refused(tmp_path, traces, change, said):
    write_parquet(tmp_path / "index.parquet", change(read_parquet(tmp_path / "index.parquet")))
    with pytest.raises(UserError, match=said):
        indexed(tmp_path)


def test_images_that_are_not_there_are_named(tmp_path, traces):
    with pytest.raises(
        UserError, match=r"60 of 60 samples lead to no image .*say in folder: where the paths begin"
    ):
        indexed(tmp_path, folder=str(tmp_path / "nowhere"))


def test_a_csv_of_labels_alone_is_an_index(tmp_path):
    pd.DataFrame({"label": LABELS}).to_csv(tmp_path / "labels.csv", index=False)
    index = indexed(tmp_path, table=str(tmp_path / "labels.csv")).sort_values("sample_index")
    recorder = TraceRecorder(tmp_path / "bare.parquet", LABELS)
    for epoch in range(3):
        with recorder.epoch(epoch) as record:
            record(np.arange(len(LABELS)), logits_of("net", 0, epoch))
    recorder.close()
    own = tmp_path / "labels.csv"
    taken, epochs, facts = take(tmp_path, tmp_path / "bare.parquet", own_index=own)
    assert facts["final_test_accuracy"] is None and epochs["test_accuracy"].isna().all()
    first = taken[taken["epoch"] == 0].set_index("sample_index")["correct"]
    names = index.set_index("sample_index")["sample_id"].astype(int)
    right = logits_of("net", 0, 0).argmax(1) == LABELS
    assert all(first[place] == right[names[place]] for place in first.index)


def test_an_index_with_other_labels_than_the_recording_is_refused_where_nothing_else_tells(
    tmp_path, traces
):
    rows = read_parquet(traces)[["split", "sample_index", "epoch", "correct"]]
    write_parquet(traces, rows, read_metadata(traces))
    indexed(tmp_path)
    take(tmp_path, traces, own_index=tmp_path / "index.parquet")
    index = read_parquet(tmp_path / "index.parquet")
    write_parquet(
        tmp_path / "index.parquet",
        index.assign(label=np.roll(index["label"], 1)).drop(columns="class_name"),
    )
    with pytest.raises(
        UserError, match=r"was recorded with other labels, ids or splits than .*index\.parquet has"
    ):
        take(tmp_path, traces, own_index=tmp_path / "index.parquet")


def test_traces_from_epoch_1_tell_nothing_of_epoch_0(tmp_path, traces):
    indexed(tmp_path)
    rows = read_parquet(traces)
    write_parquet(traces, rows[rows["epoch"] > 0], read_metadata(traces))
    _, epochs, facts = take(tmp_path, traces)
    assert facts["initial_test_accuracy"] is None and np.isnan(facts["initial_train_accuracy"])
    assert facts["first_epoch"] == 1 == epochs["epoch"].iloc[0]
    assert fault_of(facts) == ""


def test_what_was_measured_while_training_stays_said(tmp_path, traces):
    indexed(tmp_path)
    write_parquet(
        traces, read_parquet(traces), read_metadata(traces) | {"measured": "while training"}
    )
    assert take(tmp_path, traces)[2]["measured"] == "while training"


def test_gaps_between_labels_are_told(tmp_path, traces):
    index = read_parquet(tmp_path / "index.parquet")
    write_parquet(tmp_path / "index.parquet", index.assign(label=index["label"] * 2))
    indexed(tmp_path)
    assert (
        "no sample has the label 1, 3; networks are taken to have 5 classes"
        in (tmp_path / "notes.txt").read_text()
    )
