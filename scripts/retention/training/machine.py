"""The machine a run is trained on: made repeatable, described, and explained when it runs out."""

import ctypes
import os
import platform
import resource
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import torch

from retention.common.errors import UserError

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
KEPT_BYTES = 1 << 30
# of torch's allocator on the CPU, of the CUDA runtime, and of cuBLAS and cuDNN
OUT_OF_MEMORY = ("can't allocate memory", "out of memory", "STATUS_ALLOC_FAILED")
# Said by the workflow, and no options: how many cores a job is given, and how many share its GPU, is no part of it.
CORES, RUNS_PER_GPU = "WORKFLOW_CORES", "WORKFLOW_RUNS_PER_GPU"
PACKAGES = ("torch", "timm", "numpy", "safetensors", "pyarrow")


def prepare_torch(threads: int, device: torch.device) -> None:
    """Make torch repeatable: threads by the recipe, deterministic kernels alone.

    A kernel without a deterministic form is an error until `determinism.settled` allows it. On a CPU freed
    memory is kept for the next step.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # before the first product on a GPU
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    # It would fill new memory with NaN, to find reads of it: a pass over memory for nothing.
    torch.utils.deterministic.fill_uninitialized_memory = False
    # fp32 means fp32: TF32's ten bits are the default of cuDNN's convolutions.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    if device.type == "cpu":
        _keep_freed_memory()


def has_fast_bf16(device: torch.device) -> bool:
    """Tell whether the device computes with bf16 itself; a CPU without it emulates it slowly."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    able = torch.cpu.get_capabilities()
    return device.type == "cpu" and bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def _keep_freed_memory() -> None:
    """Let glibc keep what a training step frees, for the next one.

    It gives large blocks back otherwise, and the system clears every page that it hands out
    again. It does so for the thread that trains alone: others have heaps of their own, which it gives
    back whatever is said. No number depends on it; another C library ignores it.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)


def reading_threads(device: torch.device) -> int:
    """Return how many threads read images: the job's cores without those that a training step keeps busy.

    These are torch's threads on a CPU, and the one that feeds a GPU. Call it after `prepare_torch`.
    """
    busy = torch.get_num_threads() if device.type == "cpu" else 1
    return max(cores_given() - busy, 1)


def cores_given() -> int:
    """Return how many cores the job may use: what the workflow or Slurm says, within those that the system allows."""
    allowed = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    said = os.environ.get(CORES) or os.environ.get("SLURM_CPUS_PER_TASK")
    return min(int(said), allowed) if said else allowed


@contextmanager
def out_of_memory_explained(
    where: str, recipe: Mapping, training: bool = True, images: int | None = None
) -> Iterator[None]:
    """Turn torch's and numpy's out-of-memory errors into one line of advice.

    training: whether steps are taken there, not features and evaluations alone. images: how many there are at once,
    where they are so few that no batch could be smaller.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        sharing = "runs_per_gpu: 1 first, then " if runs_per_gpu() > 1 else ""
        if images is not None:
            raise UserError(
                f"{where}: out of memory at {images} images at once, so the model alone does not fit; "
                f"{sharing and 'set runs_per_gpu: 1, '}end what else uses this memory, or take a smaller model or image_size"
            ) from error
        size = recipe["evaluation_batch_size"]
        advice = f"evaluation_batch_size {max(size // 2, 1)}"
        if training:
            size = -(-recipe["batch_size"] // recipe["gradient_accumulation"])
            advice = f"{_smaller_steps(recipe)} and {advice}"
        raise UserError(
            f"{where}: out of memory at {size} images at once; try {sharing}{advice} in the recipe, which begins "
            "the run anew; epochs that are over stay saved for this one"
        ) from error


def runs_per_gpu() -> int:
    """Return how many jobs share this job's GPU, as the workflow says."""
    return int(os.environ.get(RUNS_PER_GPU) or 1)


def _smaller_steps(recipe: Mapping) -> str:
    """Say what makes a step need less memory; it is still that of `batch_size` where that can be."""
    batch_size, parts = recipe["batch_size"], 2 * recipe["gradient_accumulation"]
    if parts <= batch_size // 2:
        return f"gradient_accumulation {parts}, with which a step is still of {batch_size} images,"
    return f"batch_size {max(batch_size // 2, 2)}"


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether memory is exhausted; what is not torch's allocator says so in words alone."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(sign in str(error) for sign in OUT_OF_MEMORY)


def versions() -> dict[str, str]:
    """Return the versions of the packages that can change a run's numbers."""
    return {
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in PACKAGES},
    }


def device_in_words(device: torch.device) -> str:
    """Return the device's name as its maker gives it, of a CPU with the instructions that torch uses."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type != "cpu":
        return f"{device.type} ({platform.machine()})"
    # In a virtual machine the name alone says little, and it is the instructions that change the bits.
    able = torch.cpu.get_capabilities()
    more = [name for name in ("amx_bf16", "avx512_bf16") if able.get(name)]
    words = [
        able.get("cpu_name") or platform.machine(),
        torch.backends.cpu.get_cpu_capability(),
        *more,
    ]
    return f"cpu ({', '.join(words)})"


def peak_memory(device: torch.device) -> dict[str, int | None]:
    """Return the most memory in use so far, in MB: of this process and of the GPU."""
    gpu = torch.cuda.max_memory_allocated(device) // 10**6 if device.type == "cuda" else None
    return {"peak_memory_mb": process_peak() // 10**6, "peak_gpu_memory_mb": gpu}


def process_peak() -> int:
    """Return the most memory, in bytes, that this process has held at once.

    On Linux it is read from /proc: there `getrusage` starts from what the process's parent held.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
