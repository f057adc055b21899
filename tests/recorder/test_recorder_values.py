"""What a recorder computes of logits is what fine-tuning computes, and what the formulas say."""

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from scipy.special import log_softmax
from small_run import LABELS, RECIPE, make_run, outputs_in

from retention import TraceRecorder
from retention.recorder import values
from retention.recorder.values import MEASURED, REAL, measure
from retention.training import tracking

# Of float32, per unit of the largest logit: softmax subtracts it, and its sum has C terms.
ROUNDING = 8 * np.finfo(np.float32).eps


def logits_of(kind: str) -> np.ndarray:
    """Return logits [997, 23] of a kind."""
    draws = np.random.default_rng(3).normal(size=(997, 23)).astype(np.float32)
    return {
        "small": draws * 1e-3,
        "usual": draws * 3,
        "sure": draws * 200,
        "ties": np.round(draws).astype(np.float32),
        "half": torch.tensor(draws * 5).to(torch.bfloat16).float().numpy(),
    }[kind]


@pytest.mark.parametrize("kind", ["small", "usual", "sure", "ties", "half"])
def test_it_is_what_fine_tuning_records(kind):
    logits = logits_of(kind)
    labels = np.random.default_rng(4).integers(0, 23, 997)
    ours = measure(logits, labels)
    theirs = tracking.measure(torch.tensor(logits), torch.tensor(labels))
    for name in ("correct", "predicted", "margin"):
        np.testing.assert_array_equal(ours[name], theirs[name].numpy())
    scale = max(1.0, float(np.abs(logits).max()))
    for name in ("loss", "confidence", "error_norm"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=0, atol=scale * ROUNDING)
    assert {name: array.dtype for name, array in ours.items()} == MEASURED
    assert all(theirs[name].numpy().dtype == kind for name, kind in MEASURED.items())


@pytest.mark.parametrize("kind", ["usual", "sure"])
def test_it_is_what_scipy_finds_in_double_precision(kind, monkeypatch):
    monkeypatch.setattr(values, "BLOCK", 23 * 10)  # several blocks, the last one shorter
    logits, rows = logits_of(kind), np.arange(997)
    labels = np.random.default_rng(4).integers(0, 23, 997)
    found, logs = measure(logits, labels), log_softmax(logits.astype(float), axis=1)
    chances = np.exp(logs)
    scale = max(1.0, float(np.abs(logits).max()))
    expected = {"loss": -logs[rows, labels], "confidence": chances[rows, labels]}
    expected["error_norm"] = np.linalg.norm(chances - np.eye(23)[labels], axis=1)
    expected["margin"] = [
        row[label] - np.delete(row, label).max() for row, label in zip(logits, labels, strict=True)
    ]
    for name, truth in expected.items():
        np.testing.assert_allclose(found[name], truth, rtol=0, atol=scale * ROUNDING)
    assert found["predicted"].tolist() == logits.argmax(axis=1).tolist()


def test_the_file_is_finetunes_own_of_the_same_weights(images, tmp_path, monkeypatch):
    """Logits of every epoch are given to the recorder as they come, in batches of 7, test before train."""
    seen, take = [], tracking.measure

    def listening(logits, labels):
        seen.append(logits.clone())
        return take(logits, labels)

    monkeypatch.setattr(tracking, "measure", listening)
    run = make_run(images, tmp_path / "state")
    run.execute(outputs_in(tmp_path / "run"))
    path, order = tmp_path / "run/traces.parquet", run.samples.index
    theirs = pd.read_parquet(path)
    index = pd.read_parquet(images / "index.parquet").sort_values("sample_index")
    metadata = {"study": "study", "dataset": "noise", "architecture": "resnet"}
    each = -(-len(LABELS) // 7)
    batches = iter(seen[-each * (RECIPE["epochs"] + 1) :])  # before that a trial of determinism
    with TraceRecorder(
        tmp_path / "own.parquet", index["label"], splits=index["split"], **metadata, seed=0
    ) as recorder:
        for epoch in range(RECIPE["epochs"] + 1):
            shown = theirs[theirs["epoch"] == epoch].set_index("sample_index")["presentations"]
            with recorder.epoch(epoch, presentations=shown.sort_index()) as record:
                for start in range(0, len(LABELS), 7):
                    record(order[start : start + 7], next(batches))
    assert next(batches, None) is None
    assert pq.read_schema(tmp_path / "own.parquet").equals(pq.read_schema(path))
    ours = pd.read_parquet(tmp_path / "own.parquet")
    close = ["loss", "confidence", "error_norm"]
    pd.testing.assert_frame_equal(ours.drop(columns=close), theirs.drop(columns=close))
    for name in close:
        scale = max(1.0, float(theirs["margin"].abs().max()))
        np.testing.assert_allclose(ours[name], theirs[name], rtol=0, atol=scale * ROUNDING)
    assert set(REAL) >= set(close)
    ours, theirs = (pq.ParquetFile(file).metadata for file in (tmp_path / "own.parquet", path))
    assert ours.num_row_groups == theirs.num_row_groups == RECIPE["epochs"] + 1


def test_more_classes_than_int16_has_numbers_are_kept():
    logits = np.zeros((2, 40_000), np.float32)
    logits[1, 39_999] = 1
    assert measure(logits, np.array([0, 39_999]))["predicted"].tolist() == [0, 39_999]
