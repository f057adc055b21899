"""What a recorder refuses: epochs, values and samples that would be wrong."""

import numpy as np
import pytest
from recorded_logits import ALL, LABELS, logits_at

from retention import TraceRecorder
from retention.common.errors import UserError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "traces" / "seed0.parquet"


NAN = np.where((ALL == 3)[:, None], np.nan, logits_at(0))


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ([(ALL[:20], None)], "10 of 30 samples are missing: 20, 21, .* 29; evaluate all"),
        ([(ALL, None), ([5, 4], None)], "2 samples came twice: 5, 4; evaluate each sample once"),
        ([([1, 1], None)], "1 samples came twice: 1;"),
        ([([30], None)], "indices: 30 are none of the 30 samples"),
        ([([-1], None)], "indices: -1 are none of the 30 samples"),
        ([([0.5], None)], "indices: are of type float64; expected whole numbers"),
        ([([[0]], None)], r"indices: have the shape \[1, 1\]"),
        ([(ALL, NAN)], "the logits of 1 samples have NaN or infinities: 3; lower"),
        ([(ALL, -np.inf * np.abs(NAN))], "the logits of 30 samples .*: 0, 1, .*9 and 20 more; lower"),
        ([(ALL, logits_at(0)[:, :3])], "3 classes, and 7 labels lie beyond, up to 3: 3, 7, 11"),
        ([([0], np.ones((1, 4))), ([1], np.ones((1, 5)))], "5 classes, earlier ones have 4"),
        ([(ALL, logits_at(0)[:, :1])], "logits have one class; of a single logit z give two"),
        ([(ALL, logits_at(0)[:9])], r"shape \[9, 4\] for 30 indices"),
        ([(ALL, np.array(["a"] * 30))], "of type <U1; expected numbers"),
        ([(ALL, np.full((30, 4), 0.25))], "sums to 1, as probabilities do; give them as"),
    ],
)  # fmt: skip
def test_a_faulty_epoch_is_refused_and_nothing_is_written(path, calls, said):
    recorder = TraceRecorder(path, LABELS)
    with pytest.raises(UserError, match=f"^(epoch 0(: |, ))?.*{said}") as error, recorder.epoch(0) as record:  # fmt: skip
        for indices, logits in calls:
            record(indices, logits_at(0)[np.clip(np.ravel(indices), 0, 29).astype(int)] if logits is None else logits)  # fmt: skip
    assert "\n" not in str(error.value)
    assert recorder.next_epoch == 0
    assert not list(path.parent.rglob("*epoch*"))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"loss": np.ones(30)}, "the column correct is lacking; expected correct, and of confid"),
        ({"correct": ALL < 9, "lost": ALL}, "lost are unknown; expected"),
        ({"correct": ALL}, "correct of 28 samples is out of range: 2, 3, .*; expected 0 and 1"),
        ({"correct": ALL < 9, "loss": NAN[:, 0]}, "loss of 1 samples is out of range: 3; expected fin"),
        ({"correct": ALL < 9, "predicted": -ALL}, "predicted of 29 samples is out of range"),
        ({"correct": ALL[:3] < 9}, r"epoch 0, correct: have the shape \[3\] for 30 indices"),
        ({"correct": ALL < 9, "logits": NAN}, "and one of these alone"),
        ({"probabilities": np.abs(logits_at(0))}, "30 samples are below 0 or do not sum to 1"),
    ],
)  # fmt: skip
def test_faulty_values_are_refused(path, values, said):
    recorder = TraceRecorder(path, LABELS)
    with pytest.raises(UserError, match=said), recorder.epoch(0) as record:
        record(ALL, **values)
    assert recorder.next_epoch == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"labels": ["cat", "dog"]}, "labels: are text; expected whole numbers from 0"),
        ({"labels": [0, -1]}, "labels: 1 are below 0, the first at 1"),
        ({"labels": [0.5, 1]}, "labels: are of type float64; expected whole"),
        ({"labels": [0]}, "has 1 samples; expected at least 2"),
        ({}, "needs labels, or ids where only values are recorded"),
        ({"labels": [0, 1], "ids": ["a"]}, "ids: are 1 for 2 samples"),
        ({"labels": [0, 1], "ids": ["a", "a"]}, "ids: a stand more than once"),
        ({"labels": [0, 1], "ids": ["a", ""]}, "ids: 1 are empty"),
        ({"labels": [0, 1], "splits": ["train"]}, "splits: are 1 for 2 samples"),
        ({"labels": {"a": [0], "b": [1]}, "ids": {"a": "x"}}, "ids: expected a map with the splits"),
        ({"labels": {"a": [0], "b": [1]}, "ids": {"a": ["x"], "b": ["x"]}}, "ids: x stand more"),
        ({"labels": {"a": [0], "b": [1]}, "splits": ["a", "b"]}, "splits: are given twice"),
        ({"labels": [0, 7], "classes": 7}, "classes: are 7, and 1 labels lie beyond, up to 7: 1;"),
        ({"labels": [0, 1], "process": 2, "processes": 2}, "process: is 2; expected 0 to 1"),
    ],
)  # fmt: skip
def test_faulty_samples_are_refused(path, words, said):
    with pytest.raises(UserError, match=said):
        TraceRecorder(path, **words)


def test_a_split_must_be_said_where_there_are_several(path):
    recorder = TraceRecorder(path, {"train": [0, 1, 2], "test": [0, 1]})
    with pytest.raises(UserError, match="split: is not given"), recorder.epoch(0) as record:
        record([0], [[0.0, 1, 2]])
    with pytest.raises(UserError, match=r"there is no 'val'.* are train, test"), recorder.epoch(0) as record:  # fmt: skip
        record([0], [[0.0, 1, 2]], split="val")
    with pytest.raises(UserError, match=r"missing: 2 \(train\), 4 \(test\);"), recorder.epoch(0) as record:  # fmt: skip
        record([0, 1], [[0.0, 1, 2]] * 2, split="train")
        record([0], [[0.0, 1, 2]], split="test")


@pytest.mark.parametrize("seed", ["zero", -1, 0.5, ""])
def test_a_seed_is_a_whole_number(path, seed):
    with pytest.raises(UserError, match=r"seed: is .*; expected a whole number from 0"):
        TraceRecorder(path, LABELS, seed=seed)


@pytest.mark.parametrize(
    ("file", "names", "said"),
    [
        (
            "index.csv",
            None,
            r"index\.csv: an index is written as Parquet; end the name in \.parquet",
        ),
        ("index.parquet", ["a", "b", "a", "c"], "class_names: a stand for several labels"),
    ],
)
def test_an_index_that_could_not_be_read_is_not_written(path, tmp_path, file, names, said):
    recorder = TraceRecorder(path, LABELS)
    with pytest.raises(UserError, match=said):
        recorder.write_index(tmp_path / file, names)
    assert not (tmp_path / file).exists()
