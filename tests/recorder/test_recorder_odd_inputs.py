"""What scripts of all kinds give a recorder: numbers, names and splits of other types, right or refused in one line."""

import numpy as np
import pandas as pd
import pytest
from recorded_logits import ALL, LABELS, logits_at

from retention import TraceRecorder
from retention.common.errors import UserError
from retention.recorder import merge


@pytest.fixture
def path(tmp_path):
    return tmp_path / "traces" / "seed0.parquet"


def record_epoch(recorder, epoch, **words):
    with recorder.epoch(epoch, **words) as record:
        record(ALL, logits_at(0))


def refused(said):
    return pytest.raises(UserError, match=rf"\A{said}[^\n]*\Z")


class Index:
    """A number of another library, as torch's tensors are."""

    def __index__(self):
        return 0

    def __repr__(self):
        return "tensor(0)"


@pytest.mark.parametrize("epoch", [0.0, np.int64(0), np.float64(0), Index()])
def test_an_epoch_may_be_a_whole_number_of_any_type(path, epoch):
    recorder = TraceRecorder(path, LABELS)
    record_epoch(recorder, epoch)
    assert recorder.next_epoch == 1
    recorder.close()
    assert pd.read_parquet(path)["epoch"].unique().tolist() == [0]


@pytest.mark.parametrize("epoch", [0.5, "0", None, [0], float("nan")])
def test_another_epoch_is_refused_before_it_is_evaluated(path, epoch):
    recorder = TraceRecorder(path, LABELS)
    with refused("epoch: is .*; expected a whole number"):
        record_epoch(recorder, epoch)
    with refused("resume_at: is .*; expected a whole number"):
        recorder.resume_at(epoch)


def test_epochs_end_where_their_type_does(path):
    recorder = TraceRecorder(path, LABELS)
    record_epoch(recorder, 0)
    recorder._next = 2**15  # as after so many epochs
    with refused("epoch 32768: the last that traces hold is 32767"):
        record_epoch(recorder, 2**15)


def test_a_number_of_classes_is_whole(path):
    recorder = TraceRecorder(path, LABELS, classes=4.0)
    record_epoch(recorder, 0)
    recorder.release()
    assert TraceRecorder(path, LABELS).classes == 4
    with refused("classes: is '4'; expected a whole number"):
        TraceRecorder(path.with_name("other.parquet"), LABELS, classes="4")


def test_presentations_of_some_epochs_are_refused_at_once_and_mended(path):
    recorder = TraceRecorder(path, LABELS)
    record_epoch(recorder, 0)
    with refused("epoch 1: has presentations, and earlier epochs have none;"):
        record_epoch(recorder, 1, presentations=np.ones(30, int))
    recorder.release()
    recorder = TraceRecorder(path, LABELS)  # the file says it, too
    with refused("epoch 1: has presentations"):
        record_epoch(recorder, 1, presentations=np.ones(30, int))
    recorder.resume_at(0)
    for epoch in (0, 1):
        record_epoch(recorder, epoch, presentations=np.full(30, epoch))
    with refused("epoch 2: lacks presentations, and earlier epochs have them;"):
        record_epoch(recorder, 2)
    recorder.close()
    assert pd.read_parquet(path).groupby("epoch")["presentations"].sum().tolist() == [0, 30]


def test_negative_presentations_are_not_called_labels(path):
    with refused(r"presentations: 30 are below 0; expected numbers from 0\Z"):
        record_epoch(TraceRecorder(path, LABELS), 0, presentations=np.full(30, -1))


def test_what_is_recorded_after_all_was_forgotten_may_have_other_columns(path):
    recorder = TraceRecorder(path, LABELS)
    record_epoch(recorder, 0)
    recorder.resume_at(0)
    with recorder.epoch(0) as record:
        record(ALL, correct=LABELS == 0)
    recorder.close()
    assert "loss" not in pd.read_parquet(path)


def test_parts_that_someone_deleted_are_told_at_once(path):
    recorder = TraceRecorder(path, LABELS)
    record_epoch(recorder, 0)
    for part in recorder.parts.every():
        part.path.unlink()
    with refused(".*epoch 0 was recorded and is gone from there; open another recorder"):
        recorder.close()  # with its usual patience of minutes
    assert TraceRecorder(path, LABELS).next_epoch == 0


@pytest.mark.parametrize(
    ("ids", "written"),
    [
        (np.array([b"a", "é".encode()]), ["a", "é"]),
        (np.arange(2) + 5, ["5", "6"]),
        (iter(["a", "b"]), ["a", "b"]),
        (pd.Series(["a", "b"], index=[1, 0]), ["a", "b"]),
    ],
)
def test_names_are_written_as_what_they_are(path, ids, written):
    assert TraceRecorder(path, [0, 1], ids=ids).samples.ids.tolist() == written


def test_names_may_be_numbers_of_torch(path):
    torch = pytest.importorskip("torch")
    ids = torch.tensor([5, 6])
    assert TraceRecorder(path, [0, 1], ids=ids).samples.ids.tolist() == ["5", "6"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"ids": ["a", None]}, "ids: 1 are missing"),
        ({"ids": [np.nan, pd.NA]}, "ids: 2 are missing"),
        ({"ids": ["a", "b\udce9.png"]}, "ids: some are no Unicode text"),
        ({"ids": ["a", b"\xe9"]}, "ids: some are no Unicode text"),
        ({"splits": ["train", None]}, "splits: 1 are missing"),
        ({"splits": ["Train", "test"]}, "splits: 'Train' would count as held out; call .* 'train'"),
        ({"splits": ["training", "train"]}, "splits: 'training' would count as held out"),
        ({"splits": ["train2017", "val2017"]}, "splits: 'train2017' would count as held out"),
        ({"labels": {"TRAIN": [0, 1]}}, "splits: 'TRAIN' would count as held out"),
        ({"labels": {"a.png": 0, "b.png": 1}}, "labels: are a map from 'a.png' to int; .* ids=…"),
    ],
)
def test_what_would_be_another_name_or_split_is_refused(path, words, said):
    with refused(said):
        TraceRecorder(path, **({"labels": [0, 1]} | words))
    assert not path.parent.exists()


def test_splits_may_be_bytes(path):
    recorder = TraceRecorder(path, [0, 1], splits=np.array([b"train", b"val"]))
    assert recorder.samples.split.tolist() == ["train", "val"]


def test_a_long_name_is_shortened_in_messages_alone(path):
    ids = [f"{'x' * 5000}{number}" for number in range(30)]
    recorder = TraceRecorder(path, LABELS, ids=ids)
    with pytest.raises(UserError) as error, recorder.epoch(0) as record:
        record([0], logits_at(0)[:1])
    assert len(str(error.value)) < 1500
    assert "x…x" in str(error.value)
    record_epoch(recorder, 0)
    merge(path, path.with_name("so_far.parquet"))
    assert set(pd.read_parquet(path.with_name("so_far.parquet"))["sample_id"]) == set(ids)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"correct": LABELS == 0, "confidence": np.full(30, 99.0)}, ".*expected probabilities, 0 to 1"),
        ({"correct": LABELS == 0, "predicted": LABELS}, ".*correct and predicted of 22 samples do not fit"),
        ({"logits": np.ma.masked_greater(logits_at(0), 0)}, "epoch 0, logits: .* are masked; leave"),
    ],
)  # fmt: skip
def test_values_that_contradict_each_other_are_refused(path, values, said):
    recorder = TraceRecorder(path, LABELS)
    with refused(said), recorder.epoch(0) as record:
        record(ALL, **values)


def test_confidence_of_half_precision_may_round_beyond_one(path):
    recorder = TraceRecorder(path, LABELS)
    with recorder.epoch(0) as record:
        record(ALL, correct=LABELS == 0, predicted=np.zeros(30), confidence=np.full(30, 1.0004))
    recorder.close()
    assert pd.read_parquet(path)["correct"].sum() == (LABELS == 0).sum()
