"""The GPUs of a workstation, listed by a stand-in for the driver, and how many runs then train at once."""

import os
from itertools import accumulate
from pathlib import Path

import pytest
import yaml
from sources import ROOT, Workflow

from retention.common.errors import UserError
from retention.workflow import gpus
from retention.workflow.cluster import cores_of_gpu_job
from retention.workflow.configuration import load_study
from retention.workflow.gpus import Gpus, gpus_for, within

A, B = "GPU-5c89a1e2-0001", "GPU-5c8fb377-0002"
FIRST, SECOND = "MIG-83a1-01", "MIG-9b20-02"
PLAIN = ((A,), (B,))
DIVIDED = ((A, FIRST, SECOND), (B,))
LISTING = f"GPU 0: NVIDIA A100 (80 GB) (UUID: {A})\n"
LISTING_OF_PARTS = f"{LISTING}  MIG 1g.5gb     Device  0: (UUID: {FIRST})\n  MIG 1g.5gb     Device  1: (UUID: {SECOND})\n"
LISTING_OF_TWO = f"{LISTING}GPU 1: NVIDIA A100 (UUID: {B})\n"


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """Return a function that puts an nvidia-smi on the PATH, which prints a listing and counts its calls."""
    folder = tmp_path / "driver"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def install(listing: str, then: str = "exit 0") -> Path:
        command = folder / "nvidia-smi"
        (folder / "listing").write_text(listing)
        lines = ["#!/bin/sh", f'echo "$@" >> {folder}/calls', f"cat {folder}/listing", then]
        command.write_text("\n".join([*lines, ""]))
        command.chmod(0o755)
        return folder / "calls"

    gpus._cards.cache_clear()
    yield install
    gpus._cards.cache_clear()


@pytest.mark.parametrize(
    ("cards", "wanted", "visible"),
    [
        (PLAIN, None, (A, B)),
        (PLAIN, "", ()),
        (PLAIN, "-1", ()),
        (PLAIN, "1", (B,)),
        (PLAIN, " 1 , 0 ", (B, A)),
        (PLAIN, "1,-1,0", (B,)),
        (PLAIN, "1,2,0", (B,)),
        (PLAIN, "0,0", ()),
        (PLAIN, B, (B,)),
        (PLAIN, "GPU-5c8f", (B,)),
        (PLAIN, "GPU-5c8", ()),  # both begin so
        (PLAIN, f"{A},1", (A,)),
        (PLAIN, "GPU-dead,GPU-5c8f", ()),
        (PLAIN, "two", ()),
        (DIVIDED, None, (FIRST, SECOND, B)),
        (DIVIDED, f"{SECOND},MIG-83", (SECOND, FIRST)),
        (DIVIDED, "0,1", (FIRST, B)),
        (DIVIDED, A, (FIRST,)),
        ((), None, ()),
        ((), "0", ()),
    ],
)
def test_what_cuda_lets_a_process_see(cards, wanted, visible):
    assert within(cards, wanted) == visible


@pytest.mark.parametrize(
    ("listing", "name", "visible", "each", "shared"),
    [
        (LISTING_OF_TWO, "auto", None, 1, Gpus(2, (A, B), 1, "", "cuda")),
        (LISTING_OF_TWO, "cuda", None, 3, Gpus(6, (A, B), 3, "", "cuda")),
        (LISTING_OF_PARTS, "auto", None, 1, Gpus(2, (FIRST, SECOND), 1, "", "cuda")),
        (LISTING, "auto", None, 1, Gpus(1, (A,), 1, "", "cuda")),
        (LISTING_OF_TWO, "auto", "1", 2, Gpus(2, (), 2, B, "cuda")),
        (LISTING_OF_TWO, "cuda:1", None, 1, Gpus(1, (), 1, B, "cuda")),
        (LISTING_OF_PARTS, "cuda:1", None, 1, Gpus(1, (), 1, SECOND, "cuda")),
        (LISTING_OF_TWO, "auto", "", 4, Gpus(auto="cpu")),
        (LISTING_OF_TWO, "cpu", None, 4, Gpus()),
        ("No devices found.\n", "auto", None, 1, Gpus(auto="cpu")),
        ("No devices found.\n", "cuda", None, 2, Gpus(2, (), 2, "", "cuda")),
    ],
)
def test_jobs_share_the_visible_gpus(driver, monkeypatch, listing, name, visible, each, shared):
    driver(listing)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpus_for(name, each) == shared


@pytest.mark.parametrize(
    ("name", "visible", "fault"),
    [
        ("cuda:2", None, "is cuda:2, but this machine has 2 GPUs, cuda:0 to cuda:1; name"),
        ("cuda:1", "0", "is cuda:1, but this machine has 1 GPU, cuda:0 within CUDA_VISIBLE_DEV"),
        ("cuda", "-1", "is cuda, but this machine has no GPU within CUDA_VISIBLE_DEVICES=-1; name"),
    ],
)
def test_a_gpu_that_is_not_there_is_refused_before_any_job(
    driver, monkeypatch, name, visible, fault
):
    driver(LISTING_OF_TWO)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with pytest.raises(UserError, match=f"^device: {fault}"):
        gpus_for(name, 1)


def test_the_driver_is_asked_once_and_only_where_a_gpu_may_be_used(driver, monkeypatch):
    calls = driver(LISTING_OF_TWO)
    gpus_for("cpu", 1)
    for hidden in ("", "-1", " -1 , 0"):
        with monkeypatch.context() as patch:
            patch.setenv("CUDA_VISIBLE_DEVICES", hidden)
            assert gpus_for("auto", 1) == Gpus(auto="cpu")
    assert not calls.exists()
    for _ in range(3):
        gpus_for("auto", 1)
    assert calls.read_text() == "-L\n"


@pytest.mark.parametrize(
    ("listing", "then", "shared", "told"),
    [
        (
            "",
            "echo Version mismatch; exit 18",
            Gpus(auto="cpu"),
            "fails (Version mismatch); no GPU is counted",
        ),
        ("", "exec sleep 9", Gpus(1), "gave no answer in 0.3 s; one run trains at a time"),
        (
            LISTING_OF_TWO,
            "echo GPU is lost >&2; exit 15",
            Gpus(4, (A, B), 2, "", "cuda"),
            f"fails ({' '.join(LISTING_OF_TWO.split())} GPU is lost); the GPUs that it lists are counted",
        ),
    ],
    ids=["fails", "hangs", "one card is lost"],
)
def test_a_driver_that_fails_or_hangs_is_told(
    driver, monkeypatch, capsys, listing, then, shared, told
):
    monkeypatch.setattr(gpus, "ANSWER_SECONDS", 0.3 if "sleep" in then else 60)
    monkeypatch.setattr(gpus, "UNLISTED", ())
    driver(listing, then)
    assert gpus_for("auto", 2) == shared
    assert capsys.readouterr().err == f"warning: nvidia-smi -L {told}\n"


@pytest.mark.parametrize("there", [True, False])
def test_a_gpu_of_another_make_is_told_to_be_passed_over(
    driver, monkeypatch, capsys, tmp_path, there
):
    driver("No devices found.\n")
    monkeypatch.setattr(gpus, "UNLISTED", (tmp_path / "none", tmp_path / "kfd"))
    if there:
        (tmp_path / "kfd").touch()
    assert gpus_for("auto", 1) == Gpus(auto="cpu")
    told = capsys.readouterr().err
    assert told.startswith("warning: device auto trains on the CPU, as") if there else told == ""


@pytest.mark.parametrize(
    ("slots", "cores", "each"), [(8, 8, 1), (4, 4, 1), (2, 6, 2), (1, 2, 1), (1, 64, 8)]
)
def test_every_gpu_has_a_run_however_few_the_cores_are(slots, cores, each):
    assert cores_of_gpu_job({}, {"gpu": 1}, slots, cores) == each


# Makes the files that a rule's command names, and notes when a training begins and ends.
STAND_IN = """#!/bin/bash
case "$1" in
  */finetune.py)
    echo "begin $WORKFLOW_RUNS_PER_GPU $WORKFLOW_ON_OTHER_DEVICE $WORKFLOW_GPUS" >> "$NOTES"
    echo "$WORKFLOW_CORES" >> "$NOTES.cores"
    sleep 0.5;;
esac
for word in "$@"; do
  case "$word" in
    /*|-*|{*) ;;
    *.parquet|*.yaml|*.npy|*.csv|*.safetensors|*.txt) mkdir -p "${word%/*}"; [ -e "$word" ] || : > "$word";;
  esac
done
case "$1" in */finetune.py) echo end >> "$NOTES";; esac
"""


RUNS = [f"results/paper/octdl/runs/resnet18/random/seed{k}/traces.parquet" for k in range(3)]


def trained(clone: Workflow, *options: str) -> tuple[int, set[str]]:
    """Train three runs with a stand-in for Python on six cores; return the most at once, and what they were told."""
    stand_in, notes = clone.folder / "stand_in/python", clone.folder / "notes"
    stand_in.parent.mkdir()
    stand_in.write_text(STAND_IN)
    stand_in.chmod(0o755)
    paths = {"PATH": f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}", "NOTES": str(notes)}
    code, output = clone.snakemake("--cores", "6", *RUNS, *options, **paths)
    assert code == 0, output[-2000:]
    lines = notes.read_text().splitlines()
    most = max(accumulate(-1 if line == "end" else 1 for line in lines))
    return most, {line.strip() for line in lines} - {"end"}


@pytest.mark.parametrize(
    ("listing", "options", "at_once", "told"),
    [
        (LISTING_OF_TWO, [], 2, f"begin 1 go_on {A} {B}"),
        (
            LISTING,
            ["--resources", "gpu=1", "--config", "runs_per_gpu=3", "on_other_device=stop"],
            1,
            f"begin 3 stop {A}",
        ),
    ],
    ids=["two", "one for three, and one wanted"],
)
def test_as_many_runs_train_at_once_as_there_are_gpus(
    driver, clone: Workflow, listing, options, at_once, told
):
    driver(listing)
    assert trained(clone, *options) == (at_once, {told})


def test_without_gpus_runs_fill_the_cores_and_on_a_machine_with_some_nothing_repeats(
    driver, clone: Workflow, monkeypatch
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # whatever this machine has
    assert trained(clone) == (3, {"begin 1 go_on"})  # two threads each
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    driver(LISTING_OF_TWO)
    assert clone.planned(*RUNS, "--config", "runs_per_gpu=2", "on_other_device=stop") == {}


def test_a_run_is_told_its_cores_and_repeats_nothing_where_they_change(
    driver, clone: Workflow, monkeypatch
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # whatever this machine has
    trained(clone, "--set-threads", "finetune=5")
    told = (clone.folder / "notes.cores").read_text().split()
    assert told == ["5"] * len(RUNS)
    assert clone.planned(*RUNS) == {}
    assert clone.planned(*RUNS, "--set-threads", "finetune=2") == {}
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    driver(LISTING_OF_TWO)
    assert clone.planned(*RUNS, "--cores", "8") == {}  # three cores each


@pytest.mark.parametrize("name", ["mps", "cuda:", "cuda:-1", "gpu"])
def test_another_kind_of_device_is_refused_before_any_job(name):
    study = yaml.safe_load((ROOT / "config.yaml").read_text()) | {"device": name}
    with pytest.raises(UserError) as error:
        load_study(study, ROOT)
    assert str(error.value) == (
        f"device: is '{name}', expected auto, cpu, cuda or cuda:N, one GPU by its number; no other kind of device "
        "is supported"
    )
