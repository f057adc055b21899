"""Recording traces in one's own loop: what is written, what is refused, and where it goes on."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from recorded_logits import ALL, CLASSES, EPOCHS, LABELS, SAMPLES, logits_at
from sources import ROOT

from retention import TraceRecorder
from retention.commands import describe_samples, measure_finding
from retention.common.errors import UserError
from retention.common.parquet_tables import read_metadata
from retention.dynamics import trace_table
from retention.dynamics.trace_table import read_traces
from retention.recorder import merge


def record_epoch(recorder, epoch, seed=0, batch=7):
    logits = logits_at(epoch, seed)
    with recorder.epoch(epoch) as record:
        for start in range(0, SAMPLES, batch):
            chosen = np.arange(SAMPLES)[start : start + batch]
            record(chosen, logits[chosen])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "traces" / "seed0.parquet"


@pytest.fixture
def reference(tmp_path):
    """Return the bytes of a recording that nothing interrupted."""
    recorder = TraceRecorder(tmp_path / "reference.parquet", LABELS)
    for epoch in range(EPOCHS):
        record_epoch(recorder, epoch)
    recorder.close()
    return (tmp_path / "reference.parquet").read_bytes()


def test_neither_torch_nor_snakemake_is_imported():
    code = (
        "import sys; from retention import TraceRecorder; TraceRecorder.epoch\n"
        "print(sorted({m.partition('.')[0] for m in sys.modules} & {'torch', 'snakemake', 'scipy', 'numba'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "scripts")}, text=True, capture_output=True
    )  # fmt: skip
    assert done.stdout == "[]\n", done.stderr


def test_importing_the_package_imports_no_recorder():
    code = (
        "import sys, retention\nassert 'retention.recorder' not in sys.modules\nretention.Recorder"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(ROOT / "scripts")}, text=True, capture_output=True
    )  # fmt: skip
    assert "AttributeError: module 'retention' has no attribute 'Recorder'" in done.stderr


def test_a_recording_is_read_epoch_by_epoch_as_our_own_are(path, monkeypatch):
    ids = [f"image {number}" for number in range(SAMPLES)]
    recorder = TraceRecorder(path, LABELS, ids=ids, architecture="swin", seed=3)
    for epoch in range(EPOCHS):
        record_epoch(recorder, epoch)
    recorder.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    monkeypatch.setattr(trace_table, "_sorted", None)  # what reads files of any order, at once
    traces = read_traces(path)
    assert traces.keys["sample_id"].tolist() == ids
    assert traces.epochs.tolist() == [*range(EPOCHS)]
    expected = [logits_at(epoch).argmax(axis=1) == LABELS for epoch in range(EPOCHS)]
    assert traces.correct.T.tolist() == np.array(expected).tolist()
    assert traces.metadata.items() >= {"architecture": "swin", "seed": "3"}.items()


def test_from_a_loop_to_a_finding(tmp_path):
    """Splits are given apart, each with indices of its own; the recorder writes the index, too."""
    labels, described = {"train": LABELS[:20], "test": LABELS[20:]}, []
    for seed in range(3):
        traces = tmp_path / f"{seed}.parquet"
        with TraceRecorder(
            traces, labels, dataset="birds", architecture="a", seed=seed
        ) as recorder:
            for epoch in range(EPOCHS):
                logits = logits_at(epoch, seed)
                with recorder.epoch(epoch) as record:
                    record(np.arange(10), logits[20:], split="test")
                    record(np.arange(20)[::-1], logits[:20][::-1], split="train")
        index = recorder.write_index(tmp_path / "index.parquet", list("abcd"))
        described.append(tmp_path / f"samples_{seed}.parquet")
        words = [
            "--traces",
            traces,
            "--index",
            tmp_path / "index.parquet",
            "--output",
            described[-1],
        ]
        describe_samples.main([str(word) for word in words])
    assert index["class_name"].tolist() == [*"abcd" * 7, "a", "b"]
    table = pd.read_parquet(described[0]).sort_values("sample_index")
    assert table["split"].tolist() == ["train"] * 20 + ["test"] * 10
    right = np.array([logits_at(epoch).argmax(axis=1) == LABELS for epoch in range(EPOCHS)])
    lost = (right[:-1] & ~right[1:]).sum(axis=0)
    assert lost.sum() > 5
    assert table["forgetting_events"].tolist() == lost.tolist()
    output = tmp_path / "seed_stability.csv"
    words = ["--samples", *described, "--statistics", '{"resamples": 99}', "--output", output]
    measure_finding.main(["seed_stability", *map(str, words)])
    assert pd.read_csv(output)["n"].max() == 20


@pytest.mark.parametrize(
    "form",
    [
        lambda a: torch.tensor(a, requires_grad=True),
        lambda a: torch.tensor(a).double(),
        lambda a: a.tolist(),
        lambda a: np.asfortranarray(a.astype(np.float64)),
        lambda a: OfDLPack(a),
    ],
    ids=["torch with a graph", "torch double", "lists", "numpy double", "DLPack alone"],
)
def test_arrays_of_other_libraries_say_the_same(path, reference, form):
    with TraceRecorder(path, form(LABELS).int() if form is torch.tensor else LABELS) as recorder:
        for epoch in range(EPOCHS):
            with recorder.epoch(epoch) as record:
                record(torch.arange(SAMPLES), form(logits_at(epoch)))
    assert path.read_bytes() == reference


class OfDLPack:
    """An array that numpy can not make one of by itself, as those on another device."""

    def __init__(self, array):
        self.array = array

    def __array__(self, *_, **__):
        raise TypeError("implicit conversion to numpy is not allowed")

    def __dlpack__(self, **words):
        return self.array.__dlpack__()

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


def test_bfloat16_of_torch_is_exact(path):
    logits = torch.tensor(logits_at(0)).to(torch.bfloat16)
    recorder = TraceRecorder(path, LABELS)
    with recorder.epoch(0) as record:
        record(np.arange(SAMPLES), logits)
        (margin,) = (record.columns["margin"],)
    others = logits.float().scatter(1, torch.tensor(LABELS)[:, None], -torch.inf).amax(1)
    assert margin.tolist() == (logits.float()[np.arange(SAMPLES), LABELS] - others).tolist()


def test_probabilities_say_what_their_logits_do(path, tmp_path):
    for name, softmax in (("logits", False), ("chances", True)):
        with TraceRecorder(tmp_path / f"{name}.parquet", LABELS) as recorder:
            for epoch in range(EPOCHS):
                logits = torch.tensor(logits_at(epoch))
                with recorder.epoch(epoch) as record:
                    if softmax:
                        record(np.arange(SAMPLES), probabilities=logits.softmax(dim=1))
                    else:
                        record(np.arange(SAMPLES), logits)
    one, other = (pd.read_parquet(tmp_path / f"{n}.parquet") for n in ("logits", "chances"))
    pd.testing.assert_frame_equal(one, other, rtol=0, atol=1e-5)
    recorder = TraceRecorder(path, [0, 1])
    with recorder.epoch(0) as record:
        record([0, 1], probabilities=[[1.0, 0.0], [1.0, 0.0]])  # float32's 0
        assert record.columns["loss"].tolist() == pytest.approx([0, -np.log(np.finfo("f4").tiny)])


def test_values_are_taken_in_place_of_logits(path):
    """As of boosted trees or token models: no labels are needed."""
    right = np.random.default_rng(0).random((EPOCHS, SAMPLES)) < 0.5
    with TraceRecorder(path, ids=[f"s{n}" for n in range(SAMPLES)]) as recorder:
        for epoch in range(EPOCHS):
            with recorder.epoch(epoch) as record:
                record(np.arange(SAMPLES), correct=right[epoch], confidence=right[epoch] * 0.5)
    traces = read_traces(path)
    assert traces.correct.tolist() == right.T.tolist()
    np.testing.assert_allclose(traces.per_sample["confidence"], right.mean(axis=0) / 2)
    with pytest.raises(UserError, match="an index needs labels"):
        recorder.write_index(path.with_name("index.parquet"))


def test_epochs_come_one_by_one(path):
    recorder = TraceRecorder(path, LABELS)
    with pytest.raises(UserError, match="epoch 3: is the first to be recorded"):
        record_epoch(recorder, 3)
    record_epoch(recorder, 1)  # as those number who have no state before training
    with pytest.raises(UserError, match=r"epoch 1: is recorded already .*resume_at\(1\)"):
        record_epoch(recorder, 1)
    with pytest.raises(UserError, match="epoch 3: the next to be recorded is 2"):
        record_epoch(recorder, 3)
    with recorder.epoch(2) as late:
        with pytest.raises(UserError, match="epoch 2 is still being recorded"):
            record_epoch(recorder, 2)
        with pytest.raises(UserError, match="epoch 2 is being recorded; end it first"):
            recorder.close()
        late(ALL, logits_at(2))
    with pytest.raises(UserError, match="epoch 2: is over; record within"):
        late(ALL, logits_at(2))


def test_a_recording_goes_on_after_its_last_whole_epoch(path, reference):
    recorder = TraceRecorder(path, LABELS)
    for epoch in range(2):
        record_epoch(recorder, epoch)
    with pytest.raises(ZeroDivisionError), recorder.epoch(2) as record:
        record(ALL[:9], logits_at(2)[:9])
        1 / 0  # noqa: B018
    assert merge(path, path.with_name("so_far.parquet")) == [0, 1]
    assert pd.read_parquet(path.with_name("so_far.parquet"))["epoch"].max() == 1
    again = TraceRecorder(path, LABELS)
    assert again.next_epoch == 2
    for epoch in range(2, EPOCHS):
        record_epoch(again, epoch)
    again.close()
    again.close()
    assert path.read_bytes() == reference
    with pytest.raises(UserError, match="the recorder is closed"):
        record_epoch(again, EPOCHS)


def test_merged_traces_are_taken_up(path, reference):
    for last in range(1, EPOCHS + 1):
        with TraceRecorder(path, LABELS) as recorder:
            assert recorder.next_epoch == last - 1
            record_epoch(recorder, last - 1)
    assert path.read_bytes() == reference
    recorder = TraceRecorder(path, LABELS)
    assert recorder.next_epoch == EPOCHS
    recorder.close()
    assert path.read_bytes() == reference


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("back", [0, 2, EPOCHS])
def test_a_training_that_goes_on_from_an_earlier_checkpoint(path, reference, merged, back):
    recorder = TraceRecorder(path, LABELS)
    for epoch in range(EPOCHS):
        record_epoch(recorder, epoch, seed=0 if epoch < back else 9)
    if merged:
        recorder.close()
    recorder = TraceRecorder(path, LABELS)
    with pytest.raises(UserError, match="epochs 5 to 6 were never recorded"):
        recorder.resume_at(EPOCHS + 2)
    recorder.resume_at(back)
    assert recorder.next_epoch == back
    assert TraceRecorder(path, LABELS).next_epoch == back
    for epoch in range(back, EPOCHS):
        record_epoch(recorder, epoch)
    recorder.close()
    assert path.read_bytes() == reference


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"labels": LABELS[::-1]}, "other labels, ids or splits; give the recorder another file"),
        ({"ids": [f"s{n}" for n in ALL]}, "other labels, ids or splits;"),
        ({"seed": 1}, r"other seed \(0, now 1\); give the"),
        ({"architecture": "b"}, r"other architecture \(None, now b\)"),
        ({"classes": 5}, "recorded with 4 classes, now 5"),
    ],
)
def test_another_run_does_not_mix_in(path, words, said, merged):
    recorder = TraceRecorder(path, LABELS, seed=0)
    record_epoch(recorder, 0)
    if merged:
        recorder.close()
    with pytest.raises(UserError, match=said):
        TraceRecorder(path, **{"labels": LABELS, "seed": 0, **words})
    again = TraceRecorder(path, LABELS, seed=0)
    with pytest.raises(UserError, match="epoch 1: has the columns correct, earlier"), again.epoch(1) as record:  # fmt: skip
        record(ALL, correct=ALL < 3)
    with pytest.raises(UserError, match="5 classes, earlier ones have 4"), again.epoch(1) as record:
        record(ALL, np.ones((30, 5)))


def test_another_process_on_the_same_file_is_refused(path):
    recorder = TraceRecorder(path, LABELS)
    record_epoch(recorder, 0)
    code = (
        "from retention import TraceRecorder\n"
        f"TraceRecorder({str(path)!r}, {LABELS.tolist()})"
    )  # fmt: skip
    command, where = [sys.executable, "-c", code], {"PYTHONPATH": str(ROOT / "scripts")}
    done = subprocess.run(command, env=where, text=True, capture_output=True)
    assert "another process records there as process 0 of 1; give each process" in done.stderr
    recorder.close()
    assert subprocess.run(command, env=where).returncode == 0


def test_a_recorder_that_saw_nothing_leaves_nothing(path):
    TraceRecorder(path, LABELS).close()
    assert list(path.parent.iterdir()) == []
    with pytest.raises(UserError, match="no whole epoch is recorded, neither there nor in"):
        merge(path)
    with pytest.raises(UserError, match=r"end the name in \.parquet"):
        TraceRecorder("traces.csv", LABELS)


def test_a_file_of_someone_else_is_left_alone(path):
    path.parent.mkdir()
    pd.DataFrame({"sample_index": [0], "epoch": [0], "correct": [True]}).to_parquet(path)
    before = path.read_bytes()
    with pytest.raises(UserError, match="was not written by TraceRecorder; give the recorder an"):
        TraceRecorder(path, LABELS)
    with pytest.raises(UserError, match="was not written by TraceRecorder"):
        merge(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_metadata_survive_what_is_json(path):
    with TraceRecorder(path, LABELS, dataset="birds", treatment="plain", study="s") as recorder:
        record_epoch(recorder, 0)
    found = read_metadata(path)
    assert json.loads(found["classes"]) == CLASSES
    assert {"dataset": "birds", "treatment": "plain", "study": "s"}.items() <= found.items()
