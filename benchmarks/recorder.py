"""What recording costs: one epoch of a hundred thousand samples of a thousand classes, as a training loop gives them.

Seconds of one epoch in batches of logits, the part of it that writes the file, and the memory that the process
takes beyond what it had before, logits included, which are of one batch. With as many threads as numpy has: one.

    python benchmarks/recorder.py --write
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from record import record

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from retention import TraceRecorder

MEGABYTE = 1024  # getrusage tells kilobytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="write the numbers that the docs show")
    arguments = parser.parse_args()
    draws = np.random.default_rng(0)
    labels = draws.integers(0, arguments.classes, arguments.samples)
    logits = draws.normal(0, 3, (arguments.batch, arguments.classes)).astype(np.float32)
    seconds, saving = [], []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as folder:
        recorder = TraceRecorder(
            Path(folder) / "traces.parquet",
            labels,
            ids=[f"image {n}" for n in range(arguments.samples)],
        )
        for epoch in range(arguments.epochs):
            start = time.perf_counter()
            with recorder.epoch(epoch) as taken:
                for first in range(0, arguments.samples, arguments.batch):
                    indices = np.arange(first, min(first + arguments.batch, arguments.samples))
                    taken(indices, logits[: len(indices)])
                given = time.perf_counter()
            saving.append(time.perf_counter() - given)
            seconds.append(time.perf_counter() - start)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        start = time.perf_counter()
        recorder.close()
        closing = time.perf_counter() - start
    ratios = {
        "epoch_seconds": float(np.median(seconds)),
        "slowest_epoch_seconds": max(seconds),
        "saving_seconds": float(np.median(saving)),
        "closing_seconds_per_epoch": closing / arguments.epochs,
        "megabytes_of_memory": grown / MEGABYTE,
    }
    names = ("samples", "classes", "batch", "epochs")
    settings = {name: getattr(arguments, name) for name in names}
    record("recorder", settings, ratios, write=arguments.write)


if __name__ == "__main__":
    main()
