"""Traces that other projects' own code wrote are imported, and say what that code says of them."""

import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest
from scipy.special import log_softmax
from sources import ROOT

from retention import TraceRecorder
from retention.commands import describe_samples, import_traces
from retention.common.errors import UserError
from retention.common.parquet_tables import read_metadata
from retention.dynamics.trace_table import read_traces

FILES = ROOT / "tests/files/peers"
GIVEN = json.loads((FILES / "logits.json").read_text(encoding="utf-8"))
LABELS, LOGITS = np.array(GIVEN["labels"]), np.array(GIVEN["logits"])  # [14], [5, 14, 4]
NOTE = "was measured while training, of weights that change within the epoch"


@pytest.fixture
def run(tmp_path):
    """Return a function that imports a source and returns the traces' table, in order."""

    def imported(source, *words):
        output = tmp_path / "traces.parquet"
        import_traces.main([str(word) for word in (source, "--output", output, *words)])
        return pd.read_parquet(output).sort_values(["epoch", "sample_id"], ignore_index=True)

    return imported


def described(tmp_path, index=None):
    """Return samples.parquet of the imported traces, by sample_id."""
    output = tmp_path / "samples.parquet"
    words = ["--traces", tmp_path / "traces.parquet", "--output", output]
    words += ["--index", index] if index else []
    describe_samples.main([str(word) for word in words])
    return pd.read_parquet(output).set_index("sample_id").sort_index()


def test_cartographys_files_say_what_its_data_map_says(run, tmp_path, capsys):
    index = tmp_path / "index.parquet"
    table = run(FILES / "cartography", "--format", "cartography", "--index", index)
    assert NOTE in capsys.readouterr().out
    assert table["sample_id"].unique().tolist() == [str(4000 + n) for n in range(14)]
    logs = log_softmax(LOGITS, axis=2)[:, np.arange(14), LABELS]
    np.testing.assert_allclose(table["loss"], -logs.ravel(), rtol=1e-5)
    assert table["predicted"].tolist() == LOGITS.argmax(axis=2).ravel().tolist()
    theirs = pd.read_json(FILES / "cartography/data_map.jsonl", lines=True, dtype={"guid": str})
    theirs = theirs.set_index("guid").sort_index()
    ours = described(tmp_path, index)
    assert ours["label"].tolist() == LABELS.tolist()
    for name in ("confidence", "variability"):
        np.testing.assert_allclose(ours[name], theirs[name], atol=1e-6)
    never = theirs["forgetfulness"] == 1000  # how they count what is never learned
    assert 0 < never.sum() < 14
    assert ours["never_learned"].tolist() == never.tolist()
    learned = ~never.to_numpy()
    assert ours["forgetting_events"][learned].tolist() == theirs["forgetfulness"][learned].tolist()


def test_tonevas_statistics_say_what_their_script_counts(run, tmp_path, capsys):
    table = run(FILES / "toneva", "--format", "toneva", "--dataset", "mnist", "--seed", 1)
    assert NOTE in capsys.readouterr().out
    assert sorted(table["epoch"].unique()) == [*range(1, 17)]
    assert read_metadata(tmp_path / "traces.parquet").items() >= {"dataset": "mnist", "seed": "1"}.items()  # fmt: skip
    theirs = json.loads((FILES / "toneva/forgetting_statistics.json").read_text(encoding="utf-8"))
    ours = described(tmp_path)
    assert len(ours) == 24
    assert ours["forgetting_events"].to_dict() == theirs["forgetting_events"]
    # They count presentations from 0, here they are numbered from 1.
    assert ours["first_learned"].to_dict() == {k: v + 1 for k, v in theirs["first_learned"].items()}
    right = table["margin"] > 0
    assert table["correct"].tolist() == right.tolist()


def test_aums_records_say_what_its_means_say(run, tmp_path, capsys):
    index = tmp_path / "index.parquet"
    table = run(FILES / "aum", "--format", "aum", "--index", index)
    assert NOTE in capsys.readouterr().out
    assert table["predicted"].tolist() == LOGITS.argmax(axis=2).ravel().tolist()
    assert table["correct"].tolist() == (LOGITS.argmax(axis=2) == LABELS).ravel().tolist()
    theirs = pd.read_csv(FILES / "aum/aum_values.csv").set_index("sample_id").sort_index()
    ours = described(tmp_path, index)
    np.testing.assert_allclose(ours["aum"], theirs["aum"], atol=1e-6)
    assert ours["label"].tolist() == LABELS.tolist()


@pytest.fixture
def logits(tmp_path):
    """Return a folder of the same logits as plain files, every form once."""
    folder = tmp_path / "logits"
    folder.mkdir()
    names = [f"image_{n:02d}.png" for n in range(14)]
    table = pd.DataFrame(
        {"sample_id": names, "label": LABELS, "split": ["train"] * 9 + ["test"] * 5}
    )
    table.to_csv(folder / "labels.csv", index=False)
    np.save(folder / "epoch_0.npy", LOGITS[0])
    np.save(folder / "epoch_1.npy", LOGITS[1].astype(np.float16))
    np.savetxt(folder / "epoch_2.csv", LOGITS[2], delimiter=",")
    whole = pd.DataFrame(LOGITS[3], columns=list("abcd"))
    whole.to_csv(folder / "epoch_3.csv", index=False)
    whole = pd.DataFrame(LOGITS[4], columns=list("abcd")).assign(sample_id=names)
    whole.sample(frac=1, random_state=0).to_csv(folder / "epoch_4.csv", index=False)
    return folder


def test_plain_logits_are_read_in_every_form(run, tmp_path, logits, capsys):
    table = run(logits, "--format", "logits", "--labels", logits / "labels.csv", "--seed", 0)
    assert capsys.readouterr().out == f"{tmp_path}/traces.parquet: 14 samples, 5 epochs, the first is 0\n"  # fmt: skip
    expected = -log_softmax(LOGITS, axis=2)[:, np.arange(14), LABELS].ravel()
    np.testing.assert_allclose(table["loss"], expected, atol=5e-3)  # of float16 in one epoch
    assert table["split"][:14].tolist() == ["train"] * 9 + ["test"] * 5
    assert read_traces(tmp_path / "traces.parquet").correct.shape == (14, 5)
    np.save(tmp_path / "labels.npy", LABELS)
    table = run(logits, "--format", "logits", "--labels", logits / "labels.csv")
    assert len(table) == 70


def test_classes_may_be_numbered_in_the_first_line(run, logits):
    plain = run(logits, "--format", "logits", "--labels", logits / "labels.csv")
    as_pandas(logits, index=False, lineterminator="\r\n")
    again = run(logits, "--format", "logits", "--labels", logits / "labels.csv")
    pd.testing.assert_frame_equal(again, plain)


def test_what_a_recorder_has_so_far_is_merged(run, tmp_path):
    path = tmp_path / "mine.parquet"
    recorder = TraceRecorder(path, LABELS, ids=[f"s{n:02d}" for n in range(14)], seed=4)
    for epoch in range(3):
        with recorder.epoch(epoch) as record:
            record(np.arange(14), LOGITS[epoch])
    for source in (path, tmp_path / "mine.parquet.parts"):
        table = run(source, "--format", "recorder")
        assert table["epoch"].max() == 2 and len(table) == 42
    assert recorder.next_epoch == 3
    with pytest.raises(UserError, match="a recording says itself what it is of; leave out --seed"):
        run(path, "--format", "recorder", "--seed", 3)
    with pytest.raises(UserError, match="no whole epoch is recorded"):
        run(tmp_path / "other.parquet", "--format", "recorder")


def spoiled(tmp_path, name, change):
    """Return a copy of a peer's folder that `change` has spoiled."""
    folder = tmp_path / name
    shutil.copytree(FILES / name, folder)
    change(folder)
    return folder


def lines(folder, epoch, change):
    path = folder / f"training_dynamics/dynamics_epoch_{epoch}.jsonl"
    kept = path.read_text().splitlines()
    path.write_text("\n".join(change(kept)) + "\n")


def records(folder, change):
    path = folder / "full_aum_records.csv"
    change(pd.read_csv(path)).to_csv(path, index=False)


def relabelled(kept):
    return [kept[0].replace('"gold":', '"gold":1'), *kept[1:]]


def dynamics(folder, number):
    return folder / f"training_dynamics/dynamics_epoch_{number}.jsonl"


def test_files_of_a_restarted_training_are_told(run, tmp_path, capsys):
    def rewritten(folder):
        for number in range(5):
            os.utime(dynamics(folder, number), (0, 1000 * ((number - 2) % 5)))

    run(spoiled(tmp_path, "cartography", rewritten), "--format", "cartography")
    notes = capsys.readouterr().out.splitlines()[2:]
    assert [note[:65] for note in notes] == [
        "note: dynamics_epoch_1.jsonl was written after dynamics_epoch_2.j"
    ]


@pytest.mark.parametrize(
    ("form", "change", "said"),
    [
        ("cartography", lambda f: lines(f, 2, lambda kept: kept[3:]), "epoch_2.jsonl: epoch 2: 3 of 14 samples are missing"),
        ("cartography", lambda f: lines(f, 1, lambda kept: [*kept, kept[0]]), "epoch_1.jsonl: epoch 1: 1 samples came twice"),
        ("cartography", lambda f: lines(f, 1, lambda kept: [*kept, kept[0].replace(":40", ":50")]), "1 samples are not in the first epoch: 50"),
        ("cartography", lambda f: lines(f, 1, lambda kept: [*kept[:-1], kept[-1][:30]]), "line 14: is no record of guid, gold and logits_epoch_1"),
        ("cartography", lambda f: lines(f, 3, relabelled), "1 samples have another label than in the first"),
        ("cartography", lambda f: dynamics(f, 1).unlink(), r"epoch\(s\) 1 are missing among dynamics_epoch_"),
        # The logger numbers epochs anew after a restart.
        ("cartography", lambda f: dynamics(f, 4).rename(dynamics(f, 0)), "epoch_0.jsonl, line 1: is no record of .*logits_epoch_0 .KeyError"),
        ("cartography", lambda f: shutil.rmtree(f / "training_dynamics"), r"holds no dynamics_epoch_\*.jsonl; it has data_map.jsonl"),
        ("aum", lambda f: (f / "full_aum_records.csv").unlink(), "aum_values.csv holds means alone; record with AUMCalculator"),
        ("aum", lambda f: records(f, lambda t: t[t["num_measurements"] < 5].iloc[1:]), "measurement 1: epoch 1: 1 of 14 samples are missing"),
        ("aum", lambda f: records(f, lambda t: t.drop(columns="margin")), r"lacks the column\(s\) margin; it has"),
        ("aum", lambda f: records(f, lambda t: t.assign(target_logit=t["target_logit"] + (t.index == 0))), "target_logit of image_00.png changes"),
        ("aum", lambda f: records(f, lambda t: t.assign(margin=t["margin"].where(t.index != 0))), "epoch 1: margin of 1 samples is out of range"),
    ],
)  # fmt: skip
def test_spoiled_files_are_refused_and_nothing_is_written(run, tmp_path, form, change, said):
    with pytest.raises(UserError, match=said) as error:
        run(spoiled(tmp_path, form, change), "--format", form)
    assert "\n" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == [form]


def as_pandas(folder, **words):
    """Write the logits of an epoch as pandas does that is told nothing else."""
    pd.DataFrame(LOGITS[3]).to_csv(folder / "epoch_3.csv", **words)


def resplit(folder, name):
    """Call the samples that are trained on otherwise."""
    table = pd.read_csv(folder / "labels.csv").replace({"split": {"train": name}})
    table.to_csv(folder / "labels.csv", index=False)


@pytest.mark.parametrize(
    ("words", "change", "said"),
    [
        ((), lambda f: None, "needs --labels, a table of the labels"),
        (("--labels", "labels.csv"), lambda f: (f / "epoch_2.csv").unlink(), r"epoch\(s\) 2 are missing"),
        (("--labels", "labels.csv"), lambda f: np.save(f / "epoch_04.npy", LOGITS[0]), r"epoch\(s\) 4 stand twice"),
        (("--labels", "labels.csv"), lambda f: np.save(f / "epoch_1.npy", LOGITS[1, 3:]), r"has the shape \[11, 4\]; expected a row for each"),
        (("--labels", "labels.csv"), lambda f: np.save(f / "epoch_1.npy", LOGITS[1, :, :3]), "epoch_1.npy: epoch 1: logits have 3 classes, earlier"),
        (("--labels", "labels.csv"), lambda f: np.save(f / "epoch_1.npy", np.array([{}]), allow_pickle=True), "cannot be read as .npy"),
        (("--labels", "labels.csv"), lambda f: (f / "epoch_3.csv").write_text("a,b\n1,x\n"), r"column\(s\) b hold no numbers"),
        (("--labels", "labels.csv"), lambda f: as_pandas(f), r"epoch_3.csv: column 1 has no name, .* \(index=False\)"),
        (("--labels", "labels.csv"), lambda f: as_pandas(f, header=False), r"column 1 \(0\) numbers the rows"),
        (("--labels", "labels.csv"), lambda f: as_pandas(f, index_label="row"), r"column 1 \(row\) numbers the rows"),
        (("--labels", "labels.npy"), lambda f: np.save(f / "labels.npy", np.eye(4)[LABELS]), r"labels.npy: has the shape \[14, 4\]; expected a whole"),
        (("--labels", "labels.csv"), lambda f: resplit(f, "Train"), "'Train' would count as held out"),
        (("--labels", "labels.csv"), lambda f: resplit(f, None), "splits: 9 are missing"),
        (("--labels", "gone.csv"), lambda f: None, "gone.csv: there is no such file"),
        (("--labels", "labels.txt"), lambda f: None, "labels.txt is no .npy, .csv or .parquet"),
    ],
)  # fmt: skip
def test_logits_that_do_not_fit_are_refused(run, logits, words, change, said):
    change(logits)
    words = [logits / word if word.startswith(("labels", "gone")) else word for word in words]
    with pytest.raises(UserError, match=said):
        run(logits, "--format", "logits", *words)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("toneva", "--format", "toneva", "--index", "i.parquet"), "--index: this format tells no labels; .* sample_id of 0, 1"),
        (("toneva", "--format", "toneva", "--labels", "l.npy"), "--labels: these statistics hold no logits"),
        (("aum", "--format", "aum", "--labels", "l.npy"), "--labels: AUM's records tell the labels"),
        (("aum", "--format", "aum", "--index", "i.csv"), "--index: i.csv is written as Parquet"),
        (("nothing", "--format", "aum"), "nothing: there is no such file or folder"),
        (("aum/aum_values.csv", "--format", "aum"), "holds means alone"),
    ],
)  # fmt: skip
def test_options_that_do_not_fit_are_refused(run, words, said):
    with pytest.raises(UserError, match=said):
        run(FILES / words[0], *words[1:])
