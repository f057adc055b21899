"""A GPU for each job: real locks between real processes, and what CUDA then sees."""

import fcntl
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from errno import EBADF
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from sources import ROOT

from retention.common.errors import UserError
from retention.training import device
from retention.training.gpu_locks import taken

A, B = "GPU-5c89a1e2-0001", "GPU-5c8fb377-0002"
HOLD = """
import os, sys, time
from pathlib import Path
from retention.training.gpu_locks import taken
folder, user, *gpus = sys.argv[1:]
if int(user) != os.getuid():
    os.umask(0o077)
    os.setuid(int(user))
with taken(gpus, 1, Path(folder)) as gpu:
    print(gpu, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holding():
    """Return a function that starts a process which takes one of some GPUs and keeps it."""
    with ExitStack() as stack:

        def start(folder: Path, *names: str, user: int = os.getuid()) -> subprocess.Popen:
            command = [sys.executable, "-c", HOLD, str(folder), str(user), *names]
            environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            process = subprocess.Popen(command, env=environment, **pipes)
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        yield start


def test_each_process_has_its_gpu_and_the_next_waits_for_one(holding, tmp_path):
    folder = tmp_path / "locks"
    first, second = holding(folder, A, B), holding(folder, A, B)
    assert {first.stdout.readline().strip(), second.stdout.readline().strip()} == {A, B}
    third = holding(folder, A, B)
    assert third.stderr.readline() == "all 2 GPUs are taken by other jobs; waiting for one\n"
    time.sleep(1.2)  # it tries again, and says so no more
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert third.stdout.readline().strip() in {A, B}
    third.kill()
    assert third.stderr.read() == ""


def test_as_many_jobs_share_a_gpu_as_may_and_empty_ones_come_first(tmp_path):
    with ExitStack() as stack:
        found = [stack.enter_context(taken([A, B], 2, tmp_path / "locks")) for _ in range(4)]
        assert found == [A, B, A, B]
        with pytest.raises(UserError, match="all 2 GPUs are taken by other jobs for 0 h; wait"):
            stack.enter_context(taken([A, B], 2, tmp_path / "locks", patience_hours=0))
    with taken([A], 1, tmp_path / "locks", patience_hours=0) as gpu:
        assert gpu == A


def test_an_instance_in_an_older_drivers_words_has_a_lock(tmp_path):
    with taken([f"MIG-{A}/1/0"], 1, tmp_path / "locks", patience_hours=0):
        assert [path.name for path in (tmp_path / "locks").iterdir()] == [f"MIG-{A}_1_0.0"]


def test_a_folder_that_locks_only_what_can_be_written_is_served(tmp_path, monkeypatch):
    """As NFS does."""
    lock = fcntl.flock

    def as_nfs(handle, how):
        if fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(EBADF, "Bad file descriptor")
        lock(handle, how)

    monkeypatch.setattr(fcntl, "flock", as_nfs)
    with taken([A], 1, tmp_path / "locks"), pytest.raises(UserError, match="the GPU is taken"):
        taken([A], 1, tmp_path / "locks", patience_hours=0).__enter__()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be two users")
def test_users_share_a_machines_gpus_whatever_their_umask(holding):
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o1777)
        locks = Path(folder, "locks")
        other = holding(locks, A, user=65534)
        assert other.stdout.readline().strip() == A, other.stderr.read()
        assert stat.S_IMODE(locks.stat().st_mode) == 0o1777
        with pytest.raises(UserError, match="the GPU is taken by other jobs for 0 h"):
            taken([A], 1, locks, patience_hours=0).__enter__()
        other.kill()
        other.wait()
        with taken([A], 1, locks, patience_hours=0):
            pass


def test_a_folder_that_somebody_has_laid_out_otherwise_is_one_line(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "locks").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UserError, match=r"lock of a GPU cannot be made \(File exists\); delete"):
        taken([A], 1, tmp_path / "locks").__enter__()
    assert list((tmp_path / "elsewhere").iterdir()) == []


class Cuda:
    """What a job does to CUDA, in order, on a machine that has two GPUs."""

    def __init__(self, monkeypatch):
        self.done: list[tuple] = []
        monkeypatch.setattr(torch.cuda, "is_available", self.is_available)
        monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", self.limit)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: (7, 5))
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device=None: "a card")
        monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_75", "sm_90", "compute_120"])
        card = SimpleNamespace(total_memory=8 * 10**9)
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device=None: card)

    def is_available(self) -> bool:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        self.done.append(("sees", visible))
        return visible in (None, "0", "1", A, B)

    def limit(self, share: float) -> None:
        self.done.append(("takes", share))


@pytest.fixture
def cuda(monkeypatch, tmp_path):
    variables = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "WORKFLOW_RUNS_PER_GPU")
    for name in (*variables, device.GPUS, device.CHOSEN, device.AUTO):
        monkeypatch.setenv(name, "")  # so that it is as before in the end, whatever a test sets
        monkeypatch.delenv(name)

    def elsewhere(names, each):
        return taken(names, each, tmp_path / "locks", patience_hours=0)

    monkeypatch.setattr(device, "taken", elsewhere)
    return Cuda(monkeypatch)


def test_a_job_takes_its_gpu_before_cuda_starts_and_no_more_memory_than_its_share(
    cuda, monkeypatch, tmp_path
):
    monkeypatch.setenv("WORKFLOW_GPUS", f"{A} {B}")
    monkeypatch.setenv("WORKFLOW_RUNS_PER_GPU", "2")
    with taken([A], 1, tmp_path / "locks"), device.taken_device("auto") as chosen:
        assert chosen == torch.device("cuda")
        share = pytest.approx(0.5 - 0.6 / 8)  # the half of 8 GB, without a context of 0.6 GB
        assert set(cuda.done[:-1]) == {("sees", B)} and cuda.done[-1] == ("takes", share)
    assert os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"


@pytest.mark.parametrize("jobs", [1, 2, 4, 20])
def test_the_shares_of_all_jobs_and_their_contexts_fit_together(monkeypatch, jobs):
    monkeypatch.setenv("WORKFLOW_RUNS_PER_GPU", str(jobs))
    used = jobs * (device.memory_share(80 * 10**9) * 80e9 + 0.6e9)
    assert used == pytest.approx(80e9)
    assert jobs * device.memory_share(10**9) == pytest.approx(max(1 - jobs * 0.6, 0.5))


def test_auto_keeps_off_a_gpu_that_nobody_shares_out(cuda, monkeypatch, capsys):
    monkeypatch.setenv(device.AUTO, "cpu")
    with device.taken_device("auto") as chosen:
        assert chosen == torch.device("cpu")
    assert "torch sees a card: device cuda trains on it" in capsys.readouterr().err
    with device.taken_device("cuda") as chosen:
        assert chosen == torch.device("cuda")


def test_a_gpu_that_torch_does_not_see_is_told(cuda, monkeypatch, capsys):
    monkeypatch.setenv(device.AUTO, "cuda")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "none")
    with device.taken_device("auto") as chosen:
        assert chosen == torch.device("cpu")
    assert "warning: a GPU was expected, and torch" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["auto", "cuda", "cuda:1"])
def test_a_gpu_that_torch_was_not_compiled_for_is_one_line(cuda, monkeypatch, name):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: (7, 0))
    with pytest.raises(
        UserError, match=r"a card has compute capability 7\.0, and torch .* 7\.5 or"
    ):
        device.taken_device(name).__enter__()


def test_a_numbered_part_of_a_gpu_is_seen_by_its_name(cuda, monkeypatch):
    monkeypatch.setenv(device.CHOSEN, B)
    with device.taken_device("cuda:1"):
        assert set(cuda.done) == {("sees", B)}


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_without_gpus_to_share_nothing_is_locked_or_limited(cuda, monkeypatch, tmp_path, name):
    monkeypatch.setenv("WORKFLOW_GPUS", "")
    monkeypatch.setenv("WORKFLOW_RUNS_PER_GPU", "1")
    with device.taken_device(name) as chosen:
        assert chosen == torch.device("cuda")
    with device.taken_device("cpu") as chosen:
        assert chosen == torch.device("cpu")
    assert set(cuda.done) == {("sees", None)}
    assert not (tmp_path / "locks").exists()


@pytest.mark.parametrize(
    ("name", "visible", "seen"),
    [("cuda:1", None, "1"), ("cuda:1", f"{A},{B}", B), ("cuda:0", "1", "1")],
)
def test_a_numbered_gpu_is_the_only_one_that_cuda_sees(cuda, monkeypatch, name, visible, seen):
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with device.taken_device(name) as chosen:
        assert chosen == torch.device("cuda")
    assert set(cuda.done) == {("sees", seen)}
    assert os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"


@pytest.mark.parametrize(
    ("name", "visible", "fault"),
    [
        ("mps", None, "device 'mps' is unknown; use auto, cpu, cuda or cuda:N"),
        ("cuda:x", None, "device 'cuda:x' is unknown"),
        ("cuda:2", None, "'cuda:2' was asked for, but torch sees no such GPU; use a lower number"),
        ("cuda:1", A, f"torch sees no such GPU within CUDA_VISIBLE_DEVICES={A}; use"),
    ],
)
def test_a_device_that_is_none_is_one_line(cuda, monkeypatch, name, visible, fault):
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with pytest.raises(UserError, match=fault) as error:
        device.taken_device(name).__enter__()
    assert "\n" not in str(error.value)
