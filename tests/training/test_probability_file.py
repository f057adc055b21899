"""Probabilities of all epochs: once on the disk, an epoch in memory, and safe at any moment."""

import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
from small_run import make_run, outputs_in, results_of
from sources import ROOT

from retention.common.digests import digest_file
from retention.common.errors import UserError
from retention.training.probability_file import HEADER, give, write_part
from retention.training.state import RunState
from retention.training.state_file import read_state, write_state

SHORT = {"epochs": 3}
ROWS, CLASSES = 41, 4
DOCS = ROOT / "docs/fine_tuning.md"


@pytest.fixture
def expected(images, tmp_path):
    """The results of a run that was never interrupted."""
    make_run(images, tmp_path / "a", SHORT).execute(outputs_in(tmp_path / "whole"))
    return results_of(tmp_path / "whole")


def stopped(images, state, epoch):
    """Train a run up to an epoch; return its folder."""
    for summary in make_run(images, state, SHORT).epochs():
        if summary["epoch"] == epoch:
            break
    return state / "probabilities"


def resumed(images, state, folder):
    make_run(images, state, SHORT).execute(outputs_in(folder))
    return results_of(folder)


@pytest.mark.parametrize("epochs", [1, 3, 100])
def test_the_file_is_numpys_own(tmp_path, epochs):
    values = np.random.default_rng(0).random((epochs, 5, 3)).astype(np.float16)
    for number in range(epochs):
        write_part(tmp_path / "parts", number, values[number])
    give(tmp_path / "parts", values.shape, tmp_path / "given.npy")
    np.save(tmp_path / "plain.npy", values)
    assert (tmp_path / "given.npy").read_bytes() == (tmp_path / "plain.npy").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["given.npy", "parts", "plain.npy"]


@pytest.mark.parametrize("shape", [(1, 1, 2), (999, 10**9 - 1, 10**9 - 1)])
def test_the_room_for_the_header_holds_that_of_any_shape(tmp_path, shape):
    with open(tmp_path / "header", "wb") as stream:
        head = {"descr": "<f2", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, head)
    assert (tmp_path / "header").stat().st_size == HEADER


def test_they_lie_on_the_disk_once(images, tmp_path):
    path = stopped(images, tmp_path / "state", 2)
    assert path.stat().st_size == HEADER + 3 * ROWS * CLASSES * 2
    for epoch in range(3):
        record = safetensors.numpy.load_file(tmp_path / f"state/record_{epoch:06d}.safetensors")
        assert "probabilities" not in record
    write_part(path, 3, np.zeros((ROWS, CLASSES)))
    give(path, (4, ROWS, CLASSES), tmp_path / "given.npy")
    assert path.samefile(tmp_path / "given.npy")


def test_where_a_file_can_have_no_second_name_it_is_copied(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    write_part(tmp_path / "parts", 0, np.ones((2, 2)))
    give(tmp_path / "parts", (1, 2, 2), tmp_path / "given.npy")
    assert np.load(tmp_path / "given.npy").tolist() == [[[1, 1], [1, 1]]]
    assert not (tmp_path / "parts").samefile(tmp_path / "given.npy")


def test_what_a_killed_process_wrote_beyond_the_last_state_is_written_again(
    images, tmp_path, expected
):
    path = stopped(images, tmp_path / "state", 1)
    with open(path, "ab") as stream:
        stream.write(b"half of an epoch, and more than is left" * 30)
    assert resumed(images, tmp_path / "state", tmp_path / "run") == expected


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_damaged_probabilities_are_noticed(images, tmp_path, expected, damage, capsys):
    path = stopped(images, tmp_path / "state", 2)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content[:-5] if damage == "cut" else content)
    if damage == "gone":
        path.unlink()
    assert resumed(images, tmp_path / "state", tmp_path / "run") == expected
    said = capsys.readouterr().err
    assert "warning: the state of epoch 2 is damaged" in said
    again = "no state is whole" if damage == "gone" else "resuming after epoch 1"
    assert again in said


def test_a_process_killed_before_its_state_is_gone_has_lost_nothing(
    images, tmp_path, expected, monkeypatch
):
    monkeypatch.setattr(RunState, "remove", lambda self: None)
    for _ in range(2):
        assert resumed(images, tmp_path / "state", tmp_path / "run") == expected
    shutil.rmtree(tmp_path / "run")  # as Snakemake does
    assert resumed(images, tmp_path / "state", tmp_path / "run") == expected
    assert not list((tmp_path / "run").glob(".*"))


def test_a_state_of_version_0_1_0_is_resumed(images, tmp_path, expected, capsys):
    """Its records hold the probabilities, and its description says nothing of them."""
    state = tmp_path / "state"
    path = stopped(images, state, 1)
    values = path.read_bytes()[HEADER:]
    parts = np.frombuffer(values, "<f2").reshape(-1, ROWS, CLASSES)
    digests = {}
    for epoch in range(2):
        file = state / f"record_{epoch:06d}.safetensors"
        record = safetensors.numpy.load_file(file)
        safetensors.numpy.save_file({**record, "probabilities": parts[epoch]}, file)
        digests[str(epoch)] = digest_file(file)
    for file in state.glob("epoch_*.json"):
        content = read_state(file)
        del content["probabilities"]
        content["records"] = {key: digests[key] for key in content["records"]}
        write_state(file, content)
    path.unlink()
    assert resumed(images, state, tmp_path / "run") == expected
    assert "resuming after epoch 1" in capsys.readouterr().err


def test_a_full_disk_is_told_by_the_name_of_the_file(tmp_path):
    with pytest.raises(UserError, match="parts: cannot be written"):
        write_part(tmp_path / "parts" / "parts", 0, np.zeros((2, 2)))


MEMORY = """
import resource, sys
from pathlib import Path
from types import SimpleNamespace
import numpy as np, torch
from retention.training.machine import process_peak
from retention.training.saving import Saver
from retention.training.state import RunState
from retention.training.tracking import Evaluation, Samples, evaluate

torch.set_num_threads(1)
count, classes, folder = 20_000, 1000, Path(sys.argv[1])
model, inputs = torch.nn.Linear(4, classes), torch.randn(count, 4)
maker = SimpleNamespace(device=torch.device("cpu"), clean=lambda batches: (inputs[b] for b in batches))
samples = Samples(np.arange(count), np.full(count, "train"), np.arange(count) % classes, classes)
evaluate(model, maker, samples.only(slice(256)), Evaluation(256))
before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
state = RunState(folder / "state", {})
with Saver(state) as saver:
    for epoch in range(4):
        saver.wait()
        how = Evaluation(256, keep_probabilities=True)
        saver.save(epoch, {}, evaluate(model, maker, samples, how).record, [])
state.give_probabilities(folder / "probabilities.npy", count, classes)
print((process_peak() - before) / (2 * count * classes))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_one_epochs_probabilities_are_in_memory(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, tmp_path],
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert np.load(tmp_path / "probabilities.npy", mmap_mode="r").shape == (4, 20_000, 1000)
    assert float(done.stdout) < 2.5  # times those of an epoch, with all that torch needs beside


def test_rows_are_held_out_samples_first_each_by_index_as_the_docs_say(images, tmp_path):
    """The order in which samples.parquet, sorted by split and sample_index, has them, too."""
    make_run(images, tmp_path / "a", SHORT).execute(outputs_in(tmp_path / "whole"))
    last = np.load(tmp_path / "whole/probabilities.npy")[-1]
    traces = pd.read_parquet(tmp_path / "whole/traces.parquet")
    traces = traces[traces["epoch"] == traces["epoch"].max()].sample(frac=1, random_state=0)
    ordered = traces.sort_values(["split", "sample_index"])
    assert list(dict.fromkeys(ordered["split"])) == ["test", "train"]
    labels = pd.read_parquet(images / "index.parquet").set_index("sample_index")["label"]
    own = last[np.arange(len(last)), labels.loc[ordered["sample_index"]].to_numpy()]
    assert np.abs(own - ordered["confidence"].to_numpy()).max() < 1e-3
    assert np.ptp(own) > 0.05  # another order would have other numbers
    (said,) = re.findall(
        r"\*\*Rows of `probabilities.npy`\*\*: .*?\n\n", DOCS.read_text(), re.DOTALL
    )
    assert "held-out samples (split `test`) first, then the\ntraining samples" in said
