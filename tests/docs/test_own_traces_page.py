"""The code of docs/own_traces.md runs as it stands."""

import re

import numpy as np
import pandas as pd
import pytest
from sources import ROOT

from retention.dynamics.trace_table import read_traces

TEXT = (ROOT / "docs/own_traces.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
LABELS = np.arange(12) % 3


class Model:
    """Twelve samples of three classes; each training turns the logits."""

    trained = 0


def train_one_epoch(model):
    model.trained += 1


def evaluate(model):
    draws = np.random.default_rng(model.trained)
    for part in np.array_split(draws.permutation(12), 3):
        yield part, draws.normal(size=(len(part), 3))


def test_the_loop_records_and_writes_the_index(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {"labels": LABELS, "paths": [f"{n}.jpg" for n in range(12)], "names": list("abc")}
    given |= {"epochs": 4, "model": Model(), "train_one_epoch": train_one_epoch}
    loop = next(block for block in BLOCKS if "write_index" in block)
    exec(loop, given | {"evaluate": evaluate})
    assert read_traces("traces/mine_0.parquet").correct.shape == (12, 5)
    index = pd.read_parquet("traces/index.parquet")
    assert index["class_name"].tolist() == list("abc") * 4
    assert index["group"].tolist() == given["paths"]


@pytest.mark.parametrize("row", re.findall(r"`(record\(.*?\))`[ ;|]", TEXT))
def test_each_way_to_record_is_taken(row, tmp_path):
    from retention import TraceRecorder

    two = "np.stack" in row
    labels = {"train": LABELS, "test": LABELS} if "split" in row else LABELS % 2 if two else LABELS
    scores = np.random.default_rng(0).dirichlet(np.ones(3), 12)
    given = {"np": np, "indices": np.arange(12), "z": scores[:, 0], "logits": np.log(scores)}
    given |= {"probabilities": scores, "some": scores[:, 0]}
    if "correct" in row:
        row = "record(indices, correct=some < 0.5, loss=some, confidence=some)"
    with TraceRecorder(tmp_path / "t.parquet", labels) as recorder, recorder.epoch(0) as record:
        exec(row, given | {"record": record})
        if "split" in row:
            exec(row.replace("test", "train"), given | {"record": record})
    assert len(pd.read_parquet(tmp_path / "t.parquet")) == (24 if "split" in row else 12)
