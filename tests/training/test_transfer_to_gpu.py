"""Batches that cross to a GPU, with a stand-in that copies as late as the order of its events allows."""

from unittest import mock

import numpy as np
import pytest
import torch
from late_copies import LateCopies

from retention.training import transfer
from retention.training.machine import reading_threads
from retention.training.transfer import ROOMS, Crossing, CudaCopies

CUDA = torch.device("cuda")


def sent(crossing, value, shape=(2, 4, 4, 3)):
    """Send a batch full of one value."""
    return crossing.send(crossing.begin(shape, np.dtype(np.uint8)), lambda batch: batch.fill(value))


def value_of(batch):
    (value,) = batch.unique().tolist()
    return value


def test_batches_arrive_whole_though_their_copies_are_late():
    crossing = Crossing(LateCopies())
    on_their_way = [sent(crossing, value) for value in range(2, 9)]
    assert [value_of(crossing.receive(each)) for each in on_their_way] == list(range(2, 9))


def test_memory_is_pinned_once_for_the_largest_batches():
    copies = LateCopies()
    crossing = Crossing(copies)
    for size in (8, 3, 8, 20, 8, 3, 20) * 3:
        sent(crossing, 5, (size, 4, 4, 3))
    assert len(copies.pinning) == 2 * ROOMS  # for 8 images, then for 20


def test_a_batch_that_nobody_receives_holds_nothing_up():
    crossing = Crossing(LateCopies())
    for value in range(2, 12):
        sent(crossing, value)
    assert value_of(crossing.receive(sent(crossing, 12))) == 12
    assert crossing.free.qsize() == ROOMS


def test_a_batch_that_cannot_be_read_leaves_its_room_to_others():
    def broken(batch):
        raise OSError("the disk is gone")

    crossing = Crossing(LateCopies())
    for _ in range(ROOMS):
        with pytest.raises(OSError, match="the disk is gone"):
            crossing.send((2, 4, 4, 3), broken)
    assert crossing.free.qsize() == ROOMS
    assert value_of(crossing.receive(sent(crossing, 7))) == 7


def test_floats_do_not_cross():
    with pytest.raises(TypeError, match="batches cross as bytes, not as float32"):
        Crossing(LateCopies()).begin((2, 3, 4, 4), np.dtype(np.float32))


def test_cuda_is_asked_in_the_right_order(monkeypatch):
    """The calls are held against torch's own signatures; that CUDA keeps its promises only a GPU shows."""
    own, training = (mock.create_autospec(torch.cuda.Stream, instance=True) for _ in range(2))
    asked, within = mock.Mock(), mock.MagicMock()
    host, given = mock.create_autospec(torch.Tensor, instance=True), mock.Mock()
    host.to.return_value = given
    for name, of in {"own": own, "training": training, "host": host, "given": given}.items():
        asked.attach_mock(of, name)
    asked.attach_mock(within.__enter__, "enter")
    asked.attach_mock(within.__exit__, "leave")
    monkeypatch.setattr(torch.cuda, "Stream", lambda device: own)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: within if stream is own else None)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: training)
    copies = CudaCopies(CUDA)
    batch, copied = copies.start(host)
    assert (batch, copied) == (given, own.record_event.return_value)
    copies.await_on_device(batch, copied)
    assert asked.mock_calls == [
        mock.call.enter(),
        mock.call.host.to(CUDA, non_blocking=True),
        mock.call.own.record_event(),
        mock.call.leave(None, None, None),
        mock.call.training.wait_event(copied),
        mock.call.given.record_stream(training),
    ]


@pytest.mark.parametrize(
    ("said", "device", "readers"),
    [
        ({}, "cuda", 15),
        ({"WORKFLOW_CORES": "6"}, "cuda", 5),
        ({"SLURM_CPUS_PER_TASK": "8"}, "cuda", 7),
        ({"WORKFLOW_CORES": "4", "SLURM_CPUS_PER_TASK": "8"}, "cuda", 3),
        ({"WORKFLOW_CORES": "", "SLURM_CPUS_PER_TASK": "8"}, "cuda", 7),
        ({"WORKFLOW_CORES": "64"}, "cuda", 15),  # the system allows 16
        ({"WORKFLOW_CORES": "1"}, "cuda", 1),
        ({"WORKFLOW_CORES": "6"}, "cpu", 4),  # two compute
        ({"WORKFLOW_CORES": "2"}, "cpu", 1),
    ],
)
def test_the_cores_of_a_job_that_do_not_compute_read_images(monkeypatch, said, device, readers):
    for name in ("WORKFLOW_CORES", "SLURM_CPUS_PER_TASK"):
        monkeypatch.delenv(name, raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(16)))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert reading_threads(torch.device(device)) == readers


def test_each_device_has_its_carrier(monkeypatch):
    monkeypatch.setattr(transfer, "CudaCopies", lambda device: LateCopies())
    assert isinstance(transfer.carrier_to(CUDA), Crossing)
    assert isinstance(transfer.carrier_to(torch.device("cpu")), transfer.OnTheSpot)
