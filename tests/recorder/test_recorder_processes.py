"""Recordings that are killed, and those of several processes."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from forked import start
from sources import ROOT
from torch.utils.data import DistributedSampler
from two_recorders import (
    CLASSES,
    EPOCHS,
    LABELS,
    SAMPLES,
    Numbered,
    model_at,
    one_of,
    record_run,
)

from retention import TraceRecorder
from retention.common.errors import UserError
from retention.common.notes import collected
from retention.recorder import merge

FORBIDDEN = "exit code 9"  # of killed_recorder.py


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "goes_on_at", "at_least"),
    [("saving", {1, 2}, 60), ("closing", {3}, 150), ("going_back", {1, 2}, 100)],
)
def test_killed_at_any_system_call_all_whole_epochs_are_there(what, goes_on_at, at_least, tmp_path):
    command = [sys.executable, ROOT / "tests/helpers/killed_recorder.py", tmp_path, what]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(ROOT / "scripts")}, text=True, capture_output=True
    )
    if done.stderr.strip() == FORBIDDEN:
        pytest.skip("this machine does not let a process follow its child (ptrace)")
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert len(results) >= at_least
    assert {begun for begun, _, _ in results} == goes_on_at
    assert [one for one in results if one[1:] != [["traces.parquet"], True]] == []


def alone(folder):
    with TraceRecorder(folder / "alone.parquet", LABELS) as recorder:
        record_run(recorder)
    return pd.read_parquet(folder / "alone.parquet")


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """Equal up to the rounding of products in batches of other sizes."""
    pd.testing.assert_frame_equal(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_two_gloo_processes_record_what_one_does(tmp_path):
    for until in (2, EPOCHS):  # the first two end without closing
        processes = [start(one_of, rank, 2, tmp_path, until, 60) for rank in (0, 1)]
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0, 0]
        parts = {file.name for file in (tmp_path / "together.parquet.parts").glob("epoch*")}
        whole = {f"epoch_{e:06d}.{rank}-of-2.parquet" for e in range(2) for rank in (0, 1)}
        assert parts == (whole if until == 2 else set())
    same(pd.read_parquet(tmp_path / "together.parquet"), alone(tmp_path))


def recorders(path, processes=2, **words):
    numbers = range(processes)
    return [TraceRecorder(path, LABELS, process=n, processes=processes, **words) for n in numbers]


def shares(processes=2):
    return [
        DistributedSampler(Numbered(), processes, rank, shuffle=False) for rank in range(processes)
    ]


def test_an_epoch_counts_once_all_processes_have_recorded_it(tmp_path):
    path = tmp_path / "together.parquet"
    first, second = recorders(path)
    record_run(first, shares()[0], 3)
    assert TraceRecorder(path, LABELS, process=1, processes=2).next_epoch == 0
    first, second = recorders(path)
    assert first.next_epoch == second.next_epoch == 0
    for recorder, share in zip((first, second), shares(), strict=True):
        record_run(recorder, share, 3)
    one, other, third = recorders(path, 3)  # another number of processes goes on
    assert {one.next_epoch, other.next_epoch, third.next_epoch} == {3}
    for recorder, share in zip((one, other, third), shares(3), strict=True):
        record_run(recorder, share)
    for recorder in (other, third, one):
        recorder.close()
    same(pd.read_parquet(path), alone(tmp_path))


def test_what_a_killed_process_left_of_an_epoch_is_recorded_anew(tmp_path):
    """Else the epoch would count as whole once the other process has written its part."""
    path = tmp_path / "together.parquet"
    first, second = recorders(path)
    record_run(first, shares()[0], 1)
    record_run(second, shares()[1], 2, noise=5)  # the first was killed in epoch 1
    first, second = recorders(path)
    assert [file.name for file in sorted(first.parts.folder.glob("epoch_000001*"))] == []
    with pytest.raises(UserError, match="1 samples came from two processes with other values: 0 "):
        record_run(first, shares()[0])  # epoch 0 as it was left: its padding disagrees
    first.resume_at(0), second.resume_at(0)
    for recorder, share in zip((first, second), shares(), strict=True):
        record_run(recorder, share)
    first.close()
    same(pd.read_parquet(path), alone(tmp_path))


def test_padding_is_told_and_kept_once(tmp_path):
    path = tmp_path / "together.parquet"
    for recorder, share in zip(recorders(path), shares(), strict=True):
        record_run(recorder, share)
    with collected("run") as notes:
        merge(path)
    expected = [
        f"run: epoch {e}: 1 sample came twice, as padding, and stand once" for e in range(EPOCHS)
    ]
    assert notes == expected
    table = pd.read_parquet(path)
    assert len(table) == SAMPLES * EPOCHS and not table.duplicated(["epoch", "sample_index"]).any()


def test_processes_with_other_weights_are_refused(tmp_path):
    path = tmp_path / "together.parquet"
    first, second = recorders(path)
    record_run(second, shares()[1], 2, noise=0.1)
    with pytest.raises(UserError, match=r"epoch 0: 1 samples came from two .*: 0 \(train\); all "):
        record_run(first, shares()[0])
    record_run(second, shares()[1], noise=0.1)
    loose = TraceRecorder(path, LABELS, process=0, processes=2, tolerance=1)
    loose.resume_at(0)
    record_run(loose, shares()[0])
    loose.close()
    assert len(pd.read_parquet(path)) == SAMPLES * EPOCHS


def test_samples_that_no_process_saw_are_named(tmp_path):
    first, second = recorders(tmp_path / "together.parquet")
    logits = model_at(0)(Numbered().points)
    for recorder, seen in ((first, np.arange(20)), (second, np.arange(20, SAMPLES - 2))):
        with recorder.epoch(0) as record:
            record(seen, logits[seen])
    with pytest.raises(
        UserError, match=r"epoch 0: 2 of 41 samples .*: 39 \(train\), 40 \(train\);"
    ):
        first.close()
    assert sorted(file.name for file in first.parts.folder.glob("epoch*"))  # nothing is lost


def test_a_process_without_samples_and_one_that_never_comes(tmp_path):
    path = tmp_path / "together.parquet"
    first, second = recorders(path)
    record_run(first)
    with second.epoch(0):
        pass  # all samples went to the other
    with pytest.raises(UserError, match=r"epoch 3 lacks the parts of process\(es\) 1 of 2; close"):
        first.close(patience=0)
    for epoch in range(1, EPOCHS):
        with second.epoch(epoch):
            pass
    second.close()
    TraceRecorder(path, LABELS, process=0, processes=2).close()
    same(pd.read_parquet(path), alone(tmp_path))


def test_one_process_may_see_its_padding_twice(tmp_path):
    first, second = recorders(tmp_path / "together.parquet")
    logits, both = 5 * np.eye(CLASSES)[LABELS], np.arange(SAMPLES)
    with first.epoch(0) as record:
        record(both, logits)
        record([0, 0, 3], logits[[0, 0, 3]])
        with pytest.raises(UserError, match="1 samples came twice, with other values: 4; evalu"):
            record([4, 3], logits[[5, 3]])
    assert first.next_epoch == 1 and second.next_epoch == 0
