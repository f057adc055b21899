"""Runs of treatments: what they train on, what all of them share, and that they resume."""

import signal
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from forked import start
from small_run import RECIPE, TRAIN, make_run, outputs_in, results_of, write_images

from retention.common.errors import UserError
from retention.common.parquet_tables import write_parquet

EPOCHS = 4
SHORT = {"epochs": EPOCHS}
TREATMENTS = {
    "class_balanced": {"sampler": "class_balanced"},
    "adaptive": {"sampler": "adaptive_spaced_repetition"},
    "pruned": {"keep_fraction": 0.5, "prune_by": "random"},
}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    write_images(folder)
    write_schedule(folder / "reviews.parquet", EPOCHS)
    write_schedule(folder / "long.parquet", RECIPE["epochs"])
    return folder


def write_schedule(path: Path, epochs: int) -> None:
    """Keep every second of the 33 training samples, most of them twice per epoch."""
    counts = np.where(np.arange(TRAIN) % 2, 0, 2)
    counts[:2] = 1, 0  # 17 are kept: 33 presentations
    columns = {f"epoch_{epoch}": counts for epoch in range(1, epochs + 1)}
    write_parquet(path, pd.DataFrame({"sample_index": np.arange(TRAIN), **columns}))


def arguments(images: Path, name: str, schedule: str = "reviews.parquet") -> dict:
    reviews = images / schedule if name == "pruned" else None
    return {"treatment": TREATMENTS.get(name), "reviews": reviews}


@pytest.fixture(scope="module")
def trained(images, tmp_path_factory):
    """The folder of one short run per treatment, by name."""
    folders = {}
    for name in ("random", *TREATMENTS):
        folders[name] = tmp_path_factory.mktemp(name)
        run = make_run(images, folders[name] / "state", SHORT, **arguments(images, name))
        run.execute(outputs_in(folders[name]))
    return folders


def presented(folder: Path) -> np.ndarray:
    """Return presentations, int [epochs 0 … T, training samples]."""
    traces = pd.read_parquet(folder / "traces.parquet")
    training = traces[traces["split"] == "train"]
    return training.pivot(index="epoch", columns="sample_index", values="presentations").to_numpy()


def test_every_treatment_presents_as_many_samples_in_every_epoch(trained):
    for name, folder in trained.items():
        assert presented(folder).sum(axis=1).tolist() == [0] + [TRAIN] * EPOCHS, name


def test_a_pruned_run_trains_on_what_is_kept_and_evaluates_everything(trained):
    shown = presented(trained["pruned"])[1:]
    assert (shown[:, 1::2] == 0).all()
    assert (shown[:, 2::2] == 2).all() and (shown[:, 0] == 1).all()
    traces = pd.read_parquet(trained["pruned"] / "traces.parquet")
    assert len(traces) == 41 * (EPOCHS + 1)
    assert traces["loss"].notna().all()


def test_all_treatments_of_a_seed_share_the_warm_up_and_epoch_0(trained):
    traces = {name: pd.read_parquet(folder / "traces.parquet") for name, folder in trained.items()}
    first = traces["random"][traces["random"]["epoch"] == 0]
    for name, table in traces.items():
        pd.testing.assert_frame_equal(table[table["epoch"] == 0], first)
        later = table[table["epoch"] > 0]["loss"].to_numpy()
        assert name == "random" or (later != traces["random"]["loss"][41:]).mean() > 0.9
        centroids = (trained[name] / "centroids.npy").read_bytes()
        assert centroids == (trained["random"] / "centroids.npy").read_bytes()


@pytest.mark.parametrize("name", ["adaptive", "pruned", "class_balanced"])
def test_a_run_stopped_after_an_epoch_goes_on_as_if_it_had_not(images, trained, tmp_path, name):
    options = arguments(images, name)
    stopped = make_run(images, tmp_path / "state", SHORT, **options).epochs()
    for _ in range(3):  # epochs 0, 1 and 2
        next(stopped)
    stopped.close()
    make_run(images, tmp_path / "state", SHORT, **options).execute(outputs_in(tmp_path))
    assert results_of(tmp_path) == results_of(trained[name])


def test_a_schedule_for_more_epochs_is_refused(images, tmp_path):
    with pytest.raises(
        UserError, match=r"long.parquet: schedules epoch_1 … epoch_8 .* epochs are 4"
    ):
        make_run(images, tmp_path / "state", SHORT, **arguments(images, "pruned", "long.parquet"))


def train(images: Path, folder: Path, name: str) -> None:
    options = arguments(images, name)
    make_run(images, folder / "state", SHORT, **options).execute(outputs_in(folder))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["adaptive", "pruned"])
def test_a_killed_run_ends_with_the_bytes_of_one_that_was_not(images, trained, tmp_path, name):
    for epoch in (1, 2):
        process = start(train, images, tmp_path, name)
        while process.is_alive() and not (tmp_path / f"state/epoch_00000{epoch}.json").exists():
            time.sleep(0.002)
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    train(images, tmp_path, name)
    assert results_of(tmp_path) == results_of(trained[name])
