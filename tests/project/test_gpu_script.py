"""`make test-gpu` where there is no GPU: its arithmetic, its bookkeeping, and its parts tried out on the CPU."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
from sources import ROOT

GPU = ROOT / "tests" / "gpu"
CPU = torch.device("cpu")


@pytest.fixture
def importable(monkeypatch):
    """Let the script's modules be imported, as it does itself."""
    for folder in (ROOT / "benchmarks", GPU):
        monkeypatch.syspath_prepend(folder)


@pytest.fixture
def run(importable):
    import run

    return run


@pytest.fixture
def parts_of(run, monkeypatch, tmp_path):
    """Return a function that puts Python code in the place of the parts; `name` and `own` are theirs."""

    def put(code: str):
        beginning = "import json, os, sys, time\nfrom pathlib import Path\nname = sys.argv[1]\n"
        beginning += "own = Path(sys.argv[2]) / name\nown.mkdir()\n"
        (tmp_path / "part.py").write_text(beginning + code)
        monkeypatch.setattr(run, "HERE", tmp_path)
        monkeypatch.setattr(run, "LIMITS", {"a": 30, "b": 30, "c": 30})

    return put


def test_without_a_gpu_it_says_so_in_a_line_and_ends_well():
    script, hidden = [sys.executable, "tests/gpu/run.py"], {"CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        script, cwd=ROOT, env={**os.environ, **hidden}, text=True, capture_output=True
    )
    assert done.returncode == 0
    (line,) = done.stdout.splitlines()
    assert line.startswith("test-gpu: left out: torch ") and line.endswith(" sees no GPU")


@pytest.mark.parametrize("gpu", [True, False])
def test_what_a_python_lacks_is_named_and_no_success_where_a_gpu_waits(
    run, monkeypatch, capsys, gpu
):
    find = run.importlib.util.find_spec
    lacking = {"numba", "timm"}
    monkeypatch.setattr(
        run.importlib.util, "find_spec", lambda name: None if name in lacking else find(name)
    )
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(sys, "argv", ["run.py"])
    monkeypatch.setattr(run.signal, "signal", lambda *_: None)
    assert run.main() == gpu
    assert f"{sys.executable} has no timm, numba; call it with" in capsys.readouterr().out


def test_ended_it_ends_the_part_that_runs(tmp_path):
    """As a job's time limit does, by SIGTERM."""
    script = tmp_path / "gpu" / "run.py"
    script.parent.mkdir()
    shutil.copy(GPU / "run.py", script)
    (script.parent / "part.py").write_text(
        "import os, sys, time\nfrom pathlib import Path\n"
        f"Path({str(tmp_path / 'part')!r}).write_text(str(os.getpid()))\ntime.sleep(300)\n"
    )
    process = subprocess.Popen([sys.executable, script, "saver", "--device", "cpu"])
    while not (tmp_path / "part").exists() or not (tmp_path / "part").read_text():
        assert process.poll() is None
        time.sleep(0.05)
    process.terminate()
    assert process.wait() == 143
    part = int((tmp_path / "part").read_text())
    with pytest.raises(ProcessLookupError):
        for _ in range(500):
            os.kill(part, 0)
            time.sleep(0.01)


def test_a_signal_waits_until_the_part_that_is_started_can_be_ended(run):
    happened, usual = [], signal.signal(signal.SIGTERM, lambda *_: happened.append("ended"))
    try:
        with run.held_back(signal.SIGTERM):
            signal.raise_signal(signal.SIGTERM)
            happened.append("started")
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, usual)
    assert happened == ["started", "ended", "ended"]


def test_what_is_known_is_written_after_each_part(run, parts_of, tmp_path, monkeypatch, capsys):
    parts_of(
        "(own / 'facts.json').write_text(json.dumps({'number': 7}))\n"
        "if name == 'b':\n    sys.exit('AssertionError: other bytes')\n"
    )
    monkeypatch.setattr(run, "ROOT", tmp_path)
    written, write = [], run.write
    monkeypatch.setattr(
        run,
        "write",
        lambda *given, **more: (
            write(*given, **more),
            written.append((tmp_path / "gpu.json").read_text()),
        ),
    )
    monkeypatch.syspath_prepend(ROOT / "scripts")
    assert run.run(["a", "b", "c"], "cuda", tmp_path / "gpu.json") == 1
    last = json.loads(written[-1])["parts"]
    assert [len(json.loads(text)["parts"]) for text in written] == [1, 2, 3]
    assert [json.loads(text)["complete"] for text in written] == [False, False, True]
    assert [part["outcome"] for part in last.values()] == ["passed", "failed", "passed"]
    assert last["b"]["reason"] == "AssertionError: other bytes"
    assert last["b"]["facts"] == {"number": 7}
    assert "test-gpu: 2 of 3 parts passed; see gpu.json" in capsys.readouterr().out


def test_a_part_that_hangs_is_ended_with_all_that_it_started(run, parts_of, monkeypatch, tmp_path):
    parts_of(
        "import subprocess\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])\n"
        f"Path({str(tmp_path / 'child')!r}).write_text(str(child.pid))\n"
        "time.sleep(300)\n"
    )
    monkeypatch.setattr(run, "LIMITS", {"a": 1.5})
    monkeypatch.setattr(run, "LEAST", 0)
    outcome = run.done("a", tmp_path, "cuda", time.monotonic() + 100)
    assert outcome["outcome"] == "failed" and outcome["reason"] == "not done in 2 s"
    child = int((tmp_path / "child").read_text())
    with pytest.raises(ProcessLookupError):
        for _ in range(500):  # whoever adopts it takes it away
            os.kill(child, 0)
            time.sleep(0.01)


def test_when_the_time_is_over_the_rest_is_left_out(run, tmp_path):
    outcome = run.done("saver", tmp_path, "cuda", time.monotonic() + 1)
    assert outcome == {"outcome": "left out", "reason": "the 470 s of the whole were over"}


def test_each_part_has_a_limit_and_a_function(run):
    import importlib

    import part

    assert list(part.PARTS) == list(run.LIMITS)
    for module, function, *_ in part.PARTS.values():
        assert callable(getattr(importlib.import_module(module), function))


def test_time_that_several_kernels_share_counts_once(importable):
    from speed import covered

    assert covered([]) == 0
    assert covered([(5, 6), (0, 2), (1, 3), (1.5, 2.5), (3, 4)]) == 5


def test_a_peak_is_that_of_the_makers_name(importable):
    from speed import peak_of

    names = {
        "NVIDIA H200": 989,
        "NVIDIA H100 80GB HBM3": 989,
        "NVIDIA H100 PCIe": 756,
        "NVIDIA A100-SXM4-40GB": 312,
        "NVIDIA A10": 125,
        "NVIDIA L4": 121,
        "NVIDIA L40S": 362,
        "NVIDIA H100 80GB HBM3 MIG 1g.10gb": None,
        "NVIDIA A1000 Laptop GPU": None,
        "Tesla T4": None,
    }
    assert {name: peak_of(name) for name in names} == names


@pytest.mark.parametrize(
    ("model", "products"),
    [
        ("resnet18", 1.8e9),  # He et al., CVPR 2016, table 1: 1.8e9 multiply-adds
        ("deit_small_patch16_224", 4.6e9),  # Touvron et al., ICML 2021, table 5
    ],
)
def test_a_step_takes_three_times_the_published_operations(importable, model, products):
    from speed import operations

    # Of the forward pass, and of the gradients by inputs and by weights; the first layer's inputs have none.
    assert operations(model, 224) == pytest.approx(3 * 2 * products, rel=0.04)


def test_a_byte_in_the_wrong_place_is_seen(importable):
    from checks import digest

    batch = torch.randint(0, 256, (2, 3, 8, 8), generator=torch.Generator().manual_seed(0)).float()
    assert digest(batch) == digest(batch.to(memory_format=torch.channels_last))
    assert digest(batch) != digest(batch.flip(0))
    assert digest(batch) != digest(batch.flip(3))


def test_a_run_that_waits_for_its_saving_is_found_out(importable, monkeypatch, tmp_path):
    import checks

    from retention.training.saving import Saver

    begin = Saver.save
    monkeypatch.setattr(Saver, "save", lambda own, *given: (begin(own, *given), own.wait()))
    monkeypatch.setattr(checks, "PATIENCE", 0.1)
    with pytest.raises(AssertionError, match=r"epochs \[0, 1\] were not saved beside"):
        checks.saver(tmp_path, CPU, {})


def test_speed_is_measured_with_the_cpu_in_the_place_of_a_gpu(importable, tmp_path):
    import speed

    facts = {}
    for name, measure in {
        "images": speed.images,
        "ours": lambda *given: speed.ours(0, *given),
        "plain": lambda *given: speed.plain(0, *given),
    }.items():
        (tmp_path / name).mkdir()
        facts[name] = {}
        measure(tmp_path / name, CPU, facts[name])
    assert facts["images"] == {"jpegs": 16, "images_of_an_epoch": 32}
    assert all(facts[side]["images_per_second"] > 0 for side in ("ours", "plain"))
    assert facts["ours"]["gflop_per_image"] == facts["plain"]["gflop_per_image"]
    assert facts["ours"]["peak_tflops"] == facts["ours"]["mfu"] == "unknown"
    assert all(0 < share <= 1.01 for share in facts["ours"]["computing_share"].values())


@pytest.mark.slow
def test_a_dry_run_passes_and_writes_nothing():
    before = sorted((ROOT / "benchmarks" / "results").iterdir())
    script = [sys.executable, "tests/gpu/run.py", "--device", "cpu"]
    done = subprocess.run(script, cwd=ROOT, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing of a GPU is shown" in done.stdout.splitlines()[0]
    assert done.stdout.splitlines()[-1].endswith("parts passed; nothing was written")
    assert sorted((ROOT / "benchmarks" / "results").iterdir()) == before
