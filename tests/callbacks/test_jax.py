"""Logits of jax are taken as they come, in any precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest
from small_points import CLASSES, SAMPLES, points

from retention import TraceRecorder


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_logits_of_jax_say_what_their_numbers_do(tmp_path, precision):
    inputs, labels = points("train")
    weights = jax.random.normal(jax.random.key(0), (4, CLASSES))

    @jax.jit
    def logits_of(batch):
        return (batch @ weights).astype(precision)

    for name, form in (("jax", lambda given: given), ("numpy", lambda given: np.asarray(given, np.float32))):  # fmt: skip
        with (
            TraceRecorder(tmp_path / f"{name}.parquet", jnp.asarray(labels)) as recorder,
            recorder.epoch(0) as record,
        ):
            for batch in jnp.array_split(jnp.arange(SAMPLES["train"]), 4):
                record(batch, form(logits_of(inputs[np.asarray(batch)])))
    one, other = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("jax", "numpy"))
    pd.testing.assert_frame_equal(one, other)
    assert one["loss"].nunique() > 10
