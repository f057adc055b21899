"""Processes that record one run together, as those of distributed training do."""

import numpy as np
import torch
import torch.distributed
from torch.utils.data import DataLoader, Dataset, DistributedSampler

from retention.recorder import TraceRecorder

SAMPLES, CLASSES, EPOCHS = 41, 3, 4  # two processes: one sample is padded
LABELS = np.arange(SAMPLES) % CLASSES


class Numbered(Dataset):
    """Points with their numbers."""

    def __init__(self):
        self.points = torch.randn(SAMPLES, 5, generator=torch.Generator().manual_seed(0))

    def __len__(self):
        return SAMPLES

    def __getitem__(self, number):
        return number, self.points[number]


def model_at(epoch: int) -> torch.nn.Module:
    torch.manual_seed(epoch)
    return torch.nn.Linear(5, CLASSES)


@torch.no_grad()
def record_run(
    recorder: TraceRecorder, sampler=None, until: int = EPOCHS, noise: float = 0
) -> None:
    """Record a run from where it stands; `noise` is added to the logits."""
    loader = DataLoader(Numbered(), batch_size=8, sampler=sampler)
    for epoch in range(recorder.next_epoch, until):
        model = model_at(epoch)
        with recorder.epoch(epoch) as record:
            for indices, points in loader:
                record(indices, model(points) + noise * torch.randn(len(points), CLASSES))


def one_of(rank: int, world: int, folder, until: int, patience: float) -> None:
    """Be one of `world` processes; meet the others by gloo before each recording."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting_{until}", rank=rank, world_size=world
    )
    path, number = folder / "together.parquet", {"process": rank, "processes": world}
    recorder = TraceRecorder(path, LABELS, **number)
    torch.distributed.barrier()
    record_run(recorder, DistributedSampler(Numbered(), shuffle=False), until)
    if until == EPOCHS:  # else this is a process that is killed
        recorder.close(patience)
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()
