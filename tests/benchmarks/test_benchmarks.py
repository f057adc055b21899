"""A short slice of every benchmark: it must run and end with its JSON line."""

import json
import math
import subprocess
import sys

import pytest
from sources import ROOT

pytestmark = pytest.mark.slow
# what benchmarks share, and a baseline
PARTS = {
    "record",
    "label_scores",
    "label_sets",
    "label_training",
    "layout",
    "handwriting",
    "plain_script",
    "simulated_studies",
    "simulated_training",
    "stored_studies",
    "traced_findings",
}
SLICES = {
    "default_choice": "--samples 400 --repeats 1",
    "calibration": "--cells 2 --minutes 0.1",
    "calibration_from_traces": "--cells 2 --minutes 0.1",
    "decay_fits": "--samples 20000 --loop 30",
    "end_to_end": "--models test_resnet --size 64 --images 64 --held-out 16 --epochs 1 --starts 1 --threads 1",
    "evaluation_precision": "--models resnet --train 60 --test 20 --epochs 3 --seeds 1 --pretraining 0",
    "explorer": "--samples 80",
    "image_path": "--images 96 --epochs 1",
    "label_errors": "--sets digits_400 --draws 1 --shares 0.06 --epochs 5",
    "label_guards": "--epochs 8",
    "large_study": "--samples 1000 --classes 20 --epochs 8 --resamples 99",
    "many_images": "--images 1500",
    "multiverse": "--samples 120 --seeds 2 --epochs 8 --loop 1 --findings fit_quality seed_stability",
    "multiverse_joint": "--studies 2 --cells signal --seeds 5",
    "resampling": "--samples 400 --resamples 200 --seeds 3",
    "same_accuracy": "--models resnet --seeds 2 --train 100 --test 50 --epochs 1 --pretraining 0",
    "planning": "--datasets 2 --repeats 1",
    "recorder": "--samples 2000 --classes 20 --epochs 3",
    "power": "--before . --studies 2 --cells 1",
    "variance_over_seeds": "--studies 3",
}


def test_every_benchmark_has_a_slice():
    own = {path.stem for path in (ROOT / "benchmarks").glob("*.py")} - PARTS
    assert own == set(SLICES)


@pytest.mark.parametrize("name", SLICES)
def test_a_slice_runs_and_ends_with_its_numbers(name):
    command = [sys.executable, f"benchmarks/{name}.py", *SLICES[name].split()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["name"] == name
    assert result["ratios"] and all(map(math.isfinite, result["ratios"].values()))
