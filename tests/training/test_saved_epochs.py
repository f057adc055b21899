"""An epoch is saved beside the next one: nothing is lost, and nothing goes wrong in silence."""

import contextlib
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from forked import start
from small_run import TRAIN, make_run, outputs_in, results_of

from retention.common.errors import UserError
from retention.training import epochs
from retention.training.locking import orderly_end
from retention.training.saving import Saver
from retention.training.state import RunState

SHORT = {"epochs": 4}
PATIENCE = 60


def saves(monkeypatch, before):
    """Call `before(epoch)` in the thread that saves, before it saves an epoch."""
    save = RunState.save

    def changed(self, epoch, *more):
        before(epoch)
        save(self, epoch, *more)

    monkeypatch.setattr(RunState, "save", changed)


def trainings(monkeypatch, before):
    """Call `before(epoch)` before an epoch's first step."""
    train = epochs.train_epoch

    def changed(learner, batches, epoch, *more):
        before(epoch)
        return train(learner, batches, epoch, *more)

    monkeypatch.setattr(epochs, "train_epoch", changed)


def test_an_epoch_is_trained_while_the_one_before_is_saved(images, tmp_path, monkeypatch):
    make_run(images, tmp_path / "a", SHORT).execute(outputs_in(tmp_path / "alone"))
    begun = {epoch: threading.Event() for epoch in range(5)}
    late = []

    def until_the_next_trains(epoch):
        if epoch < 4 and not begun[epoch + 1].wait(PATIENCE):
            late.append(epoch)

    saves(monkeypatch, until_the_next_trains)
    trainings(monkeypatch, lambda epoch: begun[epoch].set())
    make_run(images, tmp_path / "b", SHORT).execute(outputs_in(tmp_path / "beside"))
    assert late == []
    assert results_of(tmp_path / "beside") == results_of(tmp_path / "alone")


def test_epochs_before_the_last_are_saved_when_a_treatment_reads_them(
    images, tmp_path, monkeypatch
):
    class Reader:
        """An order that reads the run's whole past, as an adaptive treatment may."""

        def order(self, epoch):
            read[epoch] = [run._correct_at(past).tolist() for past in range(epoch)]
            return np.arange(TRAIN)

    read = {}
    saves(monkeypatch, lambda epoch: time.sleep(0.1))
    run = make_run(images, tmp_path / "state", SHORT)
    run.sampler = Reader()
    for _ in run._epochs():
        pass
    records = [run.state.record(epoch)["correct"] for epoch in range(5)]
    expected = [record[run.samples.train].tolist() for record in records]
    assert read == {epoch: expected[:epoch] for epoch in range(1, 5)}
    assert expected[0] != expected[4]


def test_each_epoch_that_is_told_is_saved(images, tmp_path, monkeypatch):
    saves(monkeypatch, lambda epoch: time.sleep(0.1))
    run = make_run(images, tmp_path / "state", SHORT)
    for summary in run.epochs():
        assert run.state.last_epoch() == summary["epoch"]


@pytest.mark.parametrize("broken", [2, 4])
def test_what_goes_wrong_beside_the_training_ends_the_run(images, tmp_path, monkeypatch, broken):
    def refuse(epoch):
        if epoch == broken:
            raise UserError("epoch.safetensors: cannot be written (No space left on device)")

    begun = []
    saves(monkeypatch, refuse)
    trainings(monkeypatch, begun.append)
    run = make_run(images, tmp_path / "state", SHORT)
    with pytest.raises(UserError, match="No space left on device"):
        run.execute(outputs_in(tmp_path / "run"))
    assert max(begun) <= broken + 1
    assert run.progress() == f"epoch {broken - 1} of 4 is saved, the next start goes on there"
    assert not (tmp_path / "run").exists()


def test_a_full_disk_ends_a_long_epoch_before_its_end(images, tmp_path, monkeypatch):
    def refuse(epoch):
        if epoch == 1:
            raise UserError("epoch.safetensors: cannot be written (No space left on device)")

    def train(learner, batches, epoch, tick):
        if epoch == 2:
            with pytest.raises(UserError, match="No space left on device"):
                run.saver.last.result()
            tick(16)
            steps.append("a step after it was known")
        return 0.1

    steps = []
    saves(monkeypatch, refuse)
    monkeypatch.setattr(epochs, "train_epoch", train)
    run = make_run(images, tmp_path / "state", SHORT)
    with pytest.raises(UserError, match="No space left on device"):
        run.execute(outputs_in(tmp_path / "run"))
    assert steps == []


def test_a_state_is_copied_once_the_one_before_is_saved(images, tmp_path, monkeypatch):
    """Two copies of a large model's state at once may not fit into memory."""
    saving = []
    saves(monkeypatch, lambda epoch: (saving.append(epoch), time.sleep(0.1)))
    pack = epochs.pack_stepper

    def packed(stepper):
        assert run.saver.last is None or run.saver.last.done()
        return pack(stepper)

    monkeypatch.setattr(epochs, "pack_stepper", packed)
    run = make_run(images, tmp_path / "state", SHORT)
    run.execute(outputs_in(tmp_path / "run"))
    assert saving == [0, 1, 2, 3, 4]


def test_of_two_errors_neither_is_silent(images, tmp_path, monkeypatch, capsys):
    failed = threading.Event()

    def refuse(epoch):
        if epoch == 1:
            failed.set()
            raise UserError("epoch.safetensors: cannot be written (No space left on device)")

    def break_down(epoch):
        if epoch == 2:
            assert failed.wait(PATIENCE)
            raise UserError("epoch 2: out of memory")

    saves(monkeypatch, refuse)
    trainings(monkeypatch, break_down)
    with pytest.raises(UserError, match="epoch 2: out of memory"):
        make_run(images, tmp_path / "state", SHORT).execute(outputs_in(tmp_path / "run"))
    assert "warning: epoch.safetensors: cannot be written" in capsys.readouterr().err


def test_an_epoch_is_not_saved_before_the_one_before_it_is():
    order, gate = [], threading.Event()

    class Slow:
        def save(self, epoch, *_):
            assert epoch or gate.wait(PATIENCE)
            order.append(epoch)

    with Saver(Slow()) as saver:
        saver.save(0, {}, {}, [])
        assert order == []
        gate.set()
        saver.save(1, {}, {}, [])
        assert order[0] == 0
    assert order == [0, 1]


def stopped_while_saving(folder: Path) -> None:
    """Train; as epoch 1 begins to be saved, be asked to end."""
    save = RunState.save

    def slow(self, epoch, *more):
        if epoch == 1:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.5)
        save(self, epoch, *more)

    RunState.save = slow
    with open(folder / "log", "w") as log:
        os.dup2(log.fileno(), 2)
        run = make_run(folder, folder / "state", SHORT)
        with orderly_end(run.progress):
            run.execute(outputs_in(folder / "run"))


@pytest.mark.slow
def test_who_is_asked_to_end_first_saves_what_is_being_saved(images):
    process = start(stopped_while_saving, images)
    process.join()
    assert process.exitcode == 128 + signal.SIGTERM
    last = (images / "log").read_text().splitlines()[-1]
    assert last == "stopped by SIGTERM; epoch 1 of 4 is saved, the next start goes on there"
    with contextlib.redirect_stderr(None):
        assert make_run(images, images / "state", SHORT).state.load().epoch == 1
    assert not list((images / "state").glob(".*-*"))
