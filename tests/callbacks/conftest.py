"""A small data set that every test of callbacks trains on."""

import os

os.environ["KERAS_BACKEND"] = "torch"  # before anything imports keras

import pytest
import torch
from small_points import SAMPLES, points

torch.set_num_threads(1)


@pytest.fixture
def data():
    return {split: points(split) for split in SAMPLES}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "traces" / "0.parquet"
