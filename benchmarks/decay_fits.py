"""Decay fits against a loop of scipy.optimize.curve_fit, and ImageNet's size from a Parquet file.

One core. The loop is what its usual user writes: one trace after another, Levenberg-Marquardt without
bounds for one parameter, bounded (trf) for three; it is timed on a sample of the traces. The ImageNet
part writes traces of 1,281,167 samples x 90 epochs as this workflow does, then reads, describes and fits
them with scripts/describe_samples.py in a process of its own.

    python benchmarks/decay_fits.py
    python benchmarks/decay_fits.py --samples 20000 --loop 40
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from record import record
from scipy.optimize import curve_fit

SCRIPTS = Path(__file__).parents[1] / "scripts"
sys.path.insert(0, str(SCRIPTS))

from retention.dynamics.decay import fit
from retention.dynamics.retention.aligned import points as aligned

IMAGENET, EPOCHS = 1_281_167, 90
ROUNDS = 5  # in turn; the quickest of each side counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=IMAGENET)
    parser.add_argument("--loop", type=int, default=400, help="traces that curve_fit is timed on")
    parser.add_argument("--write", action="store_true", help="write the table that the docs show")
    arguments = parser.parse_args()
    ratios = against_curve_fit(arguments.loop)
    for samples, epochs in ((5994, 30), (23976, 30), (5994, 120), (23976, 120)):
        ratios[f"us_per_sample_epoch_{samples}x{epochs}"] = seconds_of(samples, epochs) / (
            samples * epochs * 1e-6
        )
    ratios |= whole_file(arguments.samples)
    settings = {"samples": arguments.samples, "epochs": EPOCHS, "loop": arguments.loop}
    record("decay_fits", settings, ratios, write=arguments.write)


def flickering(samples: int, epochs: int) -> tuple:
    """Return aligned traces, nearly all distinct, none constant by design."""
    draws = np.random.default_rng(0)
    correct = draws.random((samples, epochs + 1)) < draws.uniform(0.25, 0.85, (samples, 1))
    correct[:, 0] = True
    return aligned(correct)


def against_curve_fit(count: int) -> dict[str, float]:
    times, values, weights = flickering(5994, 30)
    distinct = len(np.unique(values, axis=0)) / len(values)
    moving = np.mean(values.std(axis=1) > 0)
    print(f"5,994 x 30 traces: {distinct:.1%} distinct, {moving:.1%} not constant")
    ratios = {}
    for curve, function, options in (
        ("exponential", lambda t, r: np.exp(-r * t), {"p0": [0.1]}),
        (
            "scaled_exponential",
            lambda t, r, s, f: s * (f + (1 - f) * np.exp(-r * t)),
            {"p0": [0.1, 0.5, 0.5], "bounds": ([0, 0, 0], [20, 1, 1])},
        ),
    ):
        fit(times, values[:10], weights[:10], curve)  # compiles
        rounds = [
            (
                timed(lambda f=function, o=options: loop(f, times, values[:count], o)) / count,
                timed(lambda c=curve: fit(times, values, weights, c)) / len(values),
            )
            for _ in range(ROUNDS)
        ]
        theirs, ours = np.min(rounds, axis=0)
        print(f"{curve}: curve_fit {theirs * 1e6:.0f} us a trace, ours {ours * 1e6:.2f} us")
        ratios |= {f"{curve}_us": ours * 1e6, f"{curve}_curve_fit_us": theirs * 1e6}
        ratios[f"{curve}_speedup"] = theirs / ours
    return ratios


def loop(function, times, values, options) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for trace in values:
            try:
                curve_fit(function, times, trace, **options)
            except RuntimeError:  # no convergence
                continue


def timed(call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def seconds_of(samples: int, epochs: int) -> float:
    points = flickering(samples, epochs)
    return min(timed(lambda: fit(*points, "exponential")) for _ in range(3))


def whole_file(samples: int) -> dict[str, float]:
    """Describe a file of traces in a process of its own; return its seconds and peak memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "traces.parquet"
        write_traces(path, samples)
        print(f"traces of {samples:,} samples x {EPOCHS}: {path.stat().st_size / 1e9:.2f} GB")
        command = [sys.executable, SCRIPTS / "describe_samples.py", "--traces", path]
        command += ["--output", Path(folder) / "samples.parquet"]
        start, peak = time.perf_counter(), 0
        process = psutil.Popen(command, stdout=subprocess.DEVNULL)
        while process.poll() is None:
            try:
                peak = max(peak, process.memory_info().rss)
            except psutil.Error:
                break
            time.sleep(0.05)
        if process.wait():
            raise SystemExit("describe_samples.py failed")
        seconds = time.perf_counter() - start
    print(f"described and fitted in {seconds:.1f} s, {peak / 1e9:.2f} GB resident")
    return {"imagenet_seconds": seconds, "imagenet_resident_gb": peak / 1e9}


def write_traces(path: Path, samples: int) -> None:
    """Write traces like those of training: learned at some epoch, then lost now and then."""
    draws = np.random.default_rng(0)
    first = draws.geometric(0.08, samples) - 1
    loss = draws.beta(0.4, 6, samples)
    gain = draws.beta(3, 3, samples)
    state = np.zeros(samples, dtype=bool)
    writer = None
    for epoch in range(EPOCHS):
        state = np.where(state, draws.random(samples) >= loss, draws.random(samples) < gain)
        state &= epoch >= first
        confidence = draws.random(samples, dtype=np.float32)
        table = pa.table(
            {
                "split": pa.DictionaryArray.from_arrays(np.zeros(samples, np.int32), ["train"]),
                "sample_index": np.arange(samples, dtype=np.int32),
                "epoch": np.full(samples, epoch, np.int16),
                "correct": state,
                "loss": confidence,
                "margin": confidence,
                "confidence": confidence,
                "error_norm": confidence,
                "predicted": np.zeros(samples, np.int16),
            }
        )
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=samples)
    writer.close()


if __name__ == "__main__":
    main()
