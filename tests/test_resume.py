"""A run killed at any moment ends with the bytes of one that was never interrupted."""

import contextlib
import multiprocessing
import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from small_run import RECIPE, make_run, outputs_in, results_of, write_images

from retention.training import state as state_module

pytestmark = pytest.mark.slow
KILLS = 20
BETWEEN_STATES = 15


def train(folder: Path, recipe: dict | None = None) -> None:
    """Train the run of a folder in this process, from whatever state is there."""
    with open(folder / "log", "a") as log, contextlib.redirect_stderr(log):
        make_run(folder, folder / "state", recipe).execute(outputs_in(folder / "run"))


def train_and_die(folder: Path, step: int, epoch: int) -> None:
    """Train, and SIGKILL this very process at the n-th system call that saves an epoch."""
    calls = 0
    save = state_module.RunState.save

    def counted(call):
        def wrapper(*arguments, **keywords):
            nonlocal calls
            calls += 1
            if calls == step:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **keywords)

        return wrapper

    def dangerous_save(self, number, *rest):
        if number == epoch:
            for name in ("fsync", "chmod", "replace", "open", "unlink"):
                setattr(os, name, counted(getattr(os, name)))
        save(self, number, *rest)
        if number == epoch:
            os._exit(7)  # fewer steps than that: nothing was killed

    state_module.RunState.save = dangerous_save
    train(folder)


@pytest.fixture(scope="module")
def start():
    """Start a function in a process of its own that has imported torch already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["small_run"])

    def launch(target, *arguments):
        process = context.Process(target=target, args=arguments)
        process.start()
        return process

    return launch


@pytest.fixture(scope="module")
def whole(tmp_path_factory, start):
    """Images, and the results of a run that was never interrupted; how long it took."""
    folder = tmp_path_factory.mktemp("whole")
    write_images(folder)
    process = start(train, folder)
    process.join()
    assert process.exitcode == 0
    return folder


def beside(whole: Path, folder: Path) -> Path:
    for name in ("pixels.npy", "layout.parquet", "index.parquet"):
        shutil.copy(whole / name, folder)
    return folder


def saved_epoch(folder: Path) -> int:
    """Return the last epoch whose state is on disk, -1 for none."""
    epochs = [int(path.stem.split("_")[1]) for path in (folder / "state").glob("epoch_*.json")]
    return max(epochs, default=-1)


def test_killed_at_random_moments(whole, start, tmp_path):
    draws = random.Random(0)
    kills = between = chains = 0
    while kills < KILLS or between < BETWEEN_STATES:
        chains += 1
        assert chains < 60, (kills, between)
        folder = tmp_path / str(chains)
        folder.mkdir()
        beside(whole, folder)
        while True:
            process = start(train, folder)
            target = saved_epoch(folder) + draws.choice((0, 1, 2))
            while process.is_alive() and saved_epoch(folder) < target:
                time.sleep(0.002)
            process.join(draws.uniform(0, 0.4))
            if process.exitcode is not None:
                break
            process.kill()
            process.join()
            kills += 1
            between += 0 <= saved_epoch(folder) < RECIPE["epochs"]
        assert process.exitcode == 0
        assert results_of(folder / "run") == results_of(whole / "run")
        assert not list((folder / "state").glob("*"))
    print(f"{kills} kills, {between} between the first state and the last epoch")
    assert kills >= KILLS
    assert between >= BETWEEN_STATES


def test_killed_inside_each_step_of_saving(whole, start, tmp_path):
    steps = 0
    for step in range(1, 60):
        folder = tmp_path / str(step)
        folder.mkdir()
        process = start(train_and_die, beside(whole, folder), step, 3)
        process.join()
        if process.exitcode == 7:
            break
        assert process.exitcode == -signal.SIGKILL
        steps += 1
        process = start(train, folder)
        process.join()
        assert process.exitcode == 0
        assert results_of(folder / "run") == results_of(whole / "run"), f"step {step}"
    assert steps >= 12


def interrupted(whole: Path, start, folder: Path, epoch: int) -> Path:
    """Return a folder in which a run was stopped after saving an epoch."""
    process = start(train_and_die, beside(whole, folder), 10_000, epoch)
    process.join()
    assert process.exitcode == 7
    return folder


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied"])
def test_a_damaged_state_is_passed_over(whole, start, tmp_path, damage):
    folder = interrupted(whole, start, tmp_path, 5)
    path = folder / "state" / "epoch_000005.safetensors"
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[-40] ^= 1
    path.write_bytes({"cut": content[:-9], "flipped": content, "emptied": b""}[damage])
    process = start(train, folder)
    process.join()
    assert process.exitcode == 0
    said = (folder / "log").read_text()
    assert "warning: the state of epoch 5 is damaged" in said
    assert "resuming after epoch 4" in said
    assert results_of(folder / "run") == results_of(whole / "run")


def test_a_changed_recipe_starts_anew_and_says_why(whole, start, tmp_path):
    folder = interrupted(whole, start, tmp_path, 5)
    process = start(train, folder, {"learning_rate": 1e-3})
    process.join()
    assert process.exitcode == 0
    said = (folder / "log").read_text()
    assert "restarting from the beginning: recipe changed since epoch 5" in said
    assert results_of(folder / "run") != results_of(whole / "run")


def test_a_full_disk_leaves_the_last_good_state(whole, start, tmp_path, monkeypatch):
    folder = interrupted(whole, start, tmp_path, 5)
    before = {path.name for path in (folder / "state").iterdir()}
    process = start(train_on_a_full_disk, folder)
    process.join()
    assert process.exitcode == 1
    assert {path.name for path in (folder / "state").iterdir()} >= before
    process = start(train, folder)
    process.join()
    assert results_of(folder / "run") == results_of(whole / "run")


def train_on_a_full_disk(folder: Path) -> None:
    """Train where no file may grow beyond what a record needs."""
    import resource

    with contextlib.suppress(OSError):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    train(folder)
