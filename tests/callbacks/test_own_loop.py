"""The examples in examples/own_loop run as they stand, and what they leave can be described."""

import os
import subprocess
import sys

import pytest
from sources import ROOT

from retention.dynamics.trace_table import read_traces


@pytest.mark.parametrize(
    ("name", "backend"),
    [
        ("plain", ""),
        ("boosted_trees", ""),
        ("with_lightning", ""),
        ("with_transformers", ""),
        ("with_keras", "torch"),
        ("with_keras", "jax"),
    ],
)
def test_an_example_learns_and_is_recorded(name, backend, tmp_path):
    path = tmp_path / "traces.parquet"
    command = [sys.executable, f"examples/own_loop/{name}.py", path]
    environment = {**os.environ, "PYTHONPATH": "scripts", "OMP_NUM_THREADS": "1"}
    environment["KERAS_BACKEND"] = backend
    done = subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    traces = read_traces(path)
    assert traces.epochs.tolist() == [*range(11)]
    assert traces.keys["split"].value_counts().to_dict() == {"train": 400, "test": 100}
    accuracy = traces.correct.mean(axis=0)
    assert accuracy[0] < 0.3 < accuracy[-1]
    assert traces.metadata.items() >= {"dataset": "digits", "seed": "0"}.items()


def test_the_package_imports_none_of_the_libraries():
    code = (
        "import sys, retention, retention.callbacks; from retention import TraceRecorder\n"
        "print({'torch', 'lightning', 'transformers', 'keras'} & set(sys.modules))"
    )
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}/scripts"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, text=True, capture_output=True)  # fmt: skip
    assert done.stdout == "set()\n", done.stderr
