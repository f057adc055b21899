"""A run killed at any moment ends with the bytes of one that was never interrupted."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from fnmatch import fnmatch
from pathlib import Path

import pytest
from forked import start
from killed import NOT_KILLED, die_while_saving
from small_run import DEFINITION, RECIPE, make_run, outputs_in, results_of, write_images
from sources import ROOT

from retention.common.errors import UserError
from retention.sampling.orders import RandomSampler

pytestmark = pytest.mark.slow
KILLS = 20
BETWEEN_STATES = 15
REFUSED = 3  # the exit code of a child that met a UserError


def train(folder: Path, recipe: dict | None = None, definition: dict | None = None) -> None:
    """Train the run of a folder in this process, from whatever state is there."""
    with open(folder / "log", "a") as log, contextlib.redirect_stderr(log):
        run = make_run(folder, folder / "state", recipe, definition)
        run.execute(outputs_in(folder / "run"))


def train_and_die(folder: Path, step: int, epoch: int) -> None:
    """Train, and SIGKILL this very process at the n-th system call that saves an epoch."""
    die_while_saving(step, epoch)
    train(folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
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
    try:
        names = os.listdir(folder / "state")
    except FileNotFoundError:  # not begun yet, or done
        return -1
    return max((int(name[6:12]) for name in names if fnmatch(name, "epoch_*.json")), default=-1)


def test_killed_at_random_moments(whole, tmp_path):
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


def test_killed_inside_each_step_of_saving(whole, tmp_path):
    steps = 0
    for step in range(1, 60):
        folder = tmp_path / str(step)
        folder.mkdir()
        process = start(train_and_die, beside(whole, folder), step, 3)
        process.join()
        if process.exitcode == NOT_KILLED:
            break
        assert process.exitcode == -signal.SIGKILL
        steps += 1
        process = start(train, folder)
        process.join()
        assert process.exitcode == 0
        assert results_of(folder / "run") == results_of(whole / "run"), f"step {step}"
    assert steps >= 12


def interrupted(whole: Path, folder: Path, epoch: int) -> Path:
    """Return a folder in which a run was stopped after saving an epoch."""
    process = start(train_and_die, beside(whole, folder), 10_000, epoch)
    process.join()
    assert process.exitcode == NOT_KILLED
    return folder


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied"])
def test_a_damaged_state_is_passed_over(whole, tmp_path, damage):
    folder = interrupted(whole, tmp_path, 5)
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


def test_a_changed_recipe_starts_anew_and_says_why(whole, tmp_path):
    folder = interrupted(whole, tmp_path, 5)
    process = start(train, folder, {"learning_rate": 1e-3})
    process.join()
    assert process.exitcode == 0
    said = (folder / "log").read_text()
    assert "restarting from the beginning: recipe changed since epoch 5" in said
    assert results_of(folder / "run") != results_of(whole / "run")


def test_a_full_disk_leaves_the_last_good_state(whole, tmp_path, monkeypatch):
    folder = interrupted(whole, tmp_path, 5)
    before = {path.name for path in (folder / "state").iterdir()}
    process = start(train_on_a_full_disk, folder)
    process.join()
    assert process.exitcode == REFUSED
    said = (folder / "log").read_text().splitlines()[-1]
    assert "epoch_000006.safetensors: cannot be written" in said
    assert "File too large" in said
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
    explained(folder)


def explained(folder: Path, **settings) -> None:
    """Train; log a `UserError` and end in a way of its own."""
    try:
        train(folder, **settings)
    except UserError as error:
        with open(folder / "log", "a") as log:
            log.write(str(error))
        os._exit(REFUSED)


def test_exhausted_memory_is_explained_and_the_state_kept(whole, tmp_path):
    folder = beside(whole, tmp_path)
    process = start(train_in_little_memory, folder)
    process.join()
    assert process.exitcode == REFUSED
    said = (folder / "log").read_text().splitlines()[-1]
    assert "epoch 1: out of memory at 16 images at once; try gradient_accumulation 2" in said
    assert saved_epoch(folder) == 0


def train_in_little_memory(folder: Path) -> None:
    """Train on large images where, once the first training step comes, 100 MB are left."""
    import resource

    order = RandomSampler.order

    def starved(sampler, epoch):
        if sampler.purpose[-1] == "order":
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + 100_000_000,) * 2)
        return order(sampler, epoch)

    RandomSampler.order = starved
    explained(folder, definition={"image_size": 448})


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_asked_to_end_says_what_is_saved(whole, tmp_path, number):
    folder = beside(whole, tmp_path)
    options = command_of(folder)
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(options, stderr=log)
        while saved_epoch(folder) < 2 and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(number)
        assert process.wait() == 128 + number
    said = (folder / "log").read_text().splitlines()
    saved = saved_epoch(folder)
    assert said[-1] == (
        f"stopped by {number.name}; epoch {saved} of 60 is saved, the next start goes on there"
    )
    done = subprocess.run(options, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    assert f"resuming after epoch {saved} of 60" in done.stderr
    assert (folder / "run/traces.parquet").exists()


def command_of(folder: Path) -> list[str]:
    """Return the command line that Snakemake would call, with enough epochs to be interrupted."""
    names = {"study": "s", "dataset": "d", "architecture": "a", "treatment": "random", "seed": 0}
    maps = {"definition": DEFINITION, "recipe": {**RECIPE, "epochs": 60}}
    maps |= {"treatment-definition": {}, "store": {"probabilities": "none", "weights": "none"}}
    files = {"index": "index.parquet", "pixels": "pixels.npy", "layout": "layout.parquet"}
    files |= {"state": "state", "traces": "run/traces.parquet", "epochs": "run/epochs.csv"}
    files |= {"run": "run/run.yaml", "centroids": "run/centroids.npy"}
    options = names | {key: json.dumps(value) for key, value in maps.items()} | {"device": "cpu"}
    options |= {key: folder / name for key, name in files.items()}
    words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    return [sys.executable, str(ROOT / "scripts/finetune.py"), *words]
