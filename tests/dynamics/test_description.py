"""Traces read, described and refused; the null of R² against all permutations."""

import itertools
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from simulated_traces import correctness
from sources import ROOT

from retention.common.errors import UserError
from retention.dynamics import description
from retention.dynamics.decay import fit
from retention.dynamics.description import describe, null_r_squared
from retention.dynamics.trace_table import read_traces

FITS = [{"retention": "lag", "curve": "scaled_exponential"}]


def long_table(samples=40, epochs=9, seed=0):
    """Return traces of made-up samples in two splits, sorted by epoch, split and sample."""
    draws = np.random.default_rng(seed)
    correct = correctness(samples, epochs, draws)
    epoch, sample = np.divmod(np.arange(samples * epochs), samples)
    confidence = draws.random(samples * epochs).astype(np.float32)
    return pd.DataFrame(
        {
            "split": np.where(sample < samples // 4, "test", "train"),
            "sample_index": sample,
            "epoch": epoch,
            "correct": correct.T.ravel(),
            "loss": -np.log(confidence),
            "margin": draws.normal(size=samples * epochs),
            "confidence": confidence,
            "error_norm": draws.random(samples * epochs),
            "predicted": draws.integers(0, 5, samples * epochs),
        }
    )


def write(path, table, rows_per_group):
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    pq.write_table(arrow, path, row_group_size=rows_per_group)
    return path


def test_every_order_of_rows_gives_the_same_description(tmp_path):
    table = long_table()
    by_epoch = write(tmp_path / "by_epoch.parquet", table, 40)
    shuffled = write(tmp_path / "shuffled.parquet", table.sample(frac=1, random_state=1), 1000)
    by_sample = table.sort_values(["sample_index", "epoch"])
    by_sample = write(tmp_path / "by_sample.parquet", by_sample, 50)
    found = [describe(read_traces(path), FITS, 20) for path in (by_epoch, shuffled, by_sample)]
    for other in found[1:]:
        pd.testing.assert_frame_equal(found[0], other)


def test_samples_described_in_chunks_are_those_described_at_once(tmp_path, monkeypatch):
    traces = read_traces(write(tmp_path / "t.parquet", long_table(), 40))
    fits = [*FITS, {"retention": "aligned", "curve": "power"}]
    whole = describe(traces, fits, 20)
    monkeypatch.setattr(description, "CHUNK", 7)
    pd.testing.assert_frame_equal(describe(traces, fits, 20), whole, check_exact=True)


def test_means_and_deviations_are_numpys(tmp_path):
    table = long_table()
    traces = read_traces(write(tmp_path / "t.parquet", table, 40))
    wide = {
        name: table.pivot(index=["split", "sample_index"], columns="epoch", values=name).to_numpy()
        for name in ("correct", "loss", "margin", "confidence", "error_norm", "predicted")
    }
    np.testing.assert_array_equal(traces.correct, wide["correct"])
    np.testing.assert_array_equal(traces.predicted, wide["predicted"])
    kept = traces.per_sample
    for name in ("margin", "confidence", "error_norm"):
        np.testing.assert_allclose(kept[name], wide[name].mean(axis=1, dtype=float), rtol=1e-12)
    deviation = wide["confidence"].astype(float).std(axis=1)
    np.testing.assert_allclose(kept["variability"], deviation, rtol=1e-10)
    np.testing.assert_allclose(kept["loss_0"], wide["loss"][:, 0])


@pytest.mark.parametrize("rows_per_group", [40, 7])
def test_a_column_is_kept_at_every_epoch_where_it_is_asked_for(tmp_path, rows_per_group):
    table = long_table()
    path = write(tmp_path / "t.parquet", table, rows_per_group)
    assert read_traces(path).whole == {}
    (name, kept), *others = read_traces(path, {"confidence"}).whole.items()
    wide = table.pivot(index=["split", "sample_index"], columns="epoch", values="confidence")
    np.testing.assert_array_equal(kept, wide.to_numpy())
    assert (name, others, kept.dtype) == ("confidence", [], np.float32)
    lacking = write(tmp_path / "l.parquet", table.drop(columns="confidence"), rows_per_group)
    with pytest.raises(UserError, match=r"lacks the column\(s\) confidence; it has split"):
        read_traces(lacking, {"confidence"})


@pytest.mark.parametrize("rows_per_group", [40, 7])
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            lambda t: t.drop(index=[57]),
            r"1 samples lack epochs .*the first are 17 \(epoch 1\); .* all 9 epochs",
        ),
        (lambda t: pd.concat([t, t.iloc[[3]]]), "sample and epoch stand twice in 1 rows"),
        (
            lambda t: pd.concat([t, t.tail(2).assign(sample_index=[90, 91])]),
            r"2 samples lack .* 90 \(epoch 0\), 91 \(epoch 0\)",
        ),
        (lambda t: t[t["epoch"] != 4], r"no row has the epoch\(s\) 4; number the evaluations one"),
        (lambda t: t.assign(epoch=t["epoch"] + 0.5), "epoch is not a whole number in 360 rows"),
        (
            lambda t: t.assign(sample_index=t["sample_index"].where(t.index != 5)),
            "sample_index is empty in 1 rows, the first are 5 ",
        ),
        (lambda t: t.assign(loss="0.5"), "column loss is of type .*string"),
        (
            lambda t: t.assign(loss=t["loss"].where(t.index != 5)),
            "loss is not finite in 1 rows.* 5 ",
        ),
        (
            lambda t: t.assign(margin=t["margin"].where(t.index != 5, np.inf)),
            "margin is not finite",
        ),
        (lambda t: t.assign(correct=t["correct"] * 2), "correct is neither 0 nor 1"),
        (
            lambda t: t.assign(predicted=t["predicted"].where(t.index != 5, 2**32 + 1)),
            "predicted is no whole number below 2.31 in 1 rows, the first are 5 ",
        ),
        (lambda t: t.assign(predicted=t["predicted"] + 0.5), "predicted is no whole number"),
        (
            lambda t: t.assign(
                sample_id=np.where(t.index == 57, "x", t["sample_index"].astype(str))
            ),
            "sample_id is not that of earlier rows of the sample_index in 1 rows, .* 57 ",
        ),
        (lambda t: t.iloc[:0], "has no rows"),
        (lambda t: t[t["epoch"] == 0], r"has 1 epoch\(s\); dynamics need at least 3"),
        (lambda t: t.assign(epoch=t["epoch"].astype(str)), "column epoch is of type .*string"),
        (lambda t: t.drop(columns="epoch"), "lacks the column.*epoch"),
        (lambda t: t.drop(columns="sample_index"), "lacks a column sample_index or sample_id"),
    ],
    ids=[
        "missing",
        "twice",
        "unequal",
        "gap",
        "half",
        "no id",
        "text loss",
        "nan",
        "inf",
        "two",
        "large class",
        "half a class",
        "two names",
        "empty",
        "single",
        "text",
        "no epoch",
        "no sample",
    ],
)
def test_a_faulty_table_is_refused_by_its_rows(tmp_path, spoil, said, rows_per_group):
    path = write(tmp_path / "t.parquet", spoil(long_table()), rows_per_group)
    with pytest.raises(UserError, match=said):
        read_traces(path)


def test_own_traces_need_three_columns(tmp_path):
    table = long_table()[["sample_index", "epoch", "correct"]]
    table = table.assign(sample_id="id" + table["sample_index"].astype(str))
    table = table.drop(columns="sample_index")
    path = write(tmp_path / "mine.parquet", table, 1000)
    command = [sys.executable, ROOT / "scripts/describe_samples.py", "--traces", path]
    output = tmp_path / "samples.parquet"
    done = subprocess.run([*command, "--output", output], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    samples = pd.read_parquet(output)
    assert len(samples) == 40
    assert samples["confidence"].isna().all()
    expected = table.sort_values("epoch").groupby("sample_id")["correct"]
    lost = expected.agg(lambda c: int(((c.shift() == True) & ~c).sum()))  # noqa: E712
    found = samples.set_index("sample_id")["forgetting_events"]
    assert found.to_dict() == lost.to_dict()


@pytest.mark.parametrize("rows_per_group", [40, 7])
def test_names_are_kept_beside_numbers(tmp_path, rows_per_group):
    table = long_table()
    names = [f"id{number % 7}.{number}" for number in table["sample_index"]]
    path = write(tmp_path / "t.parquet", table.assign(sample_id=names), rows_per_group)
    samples = describe(read_traces(path), [], 0)
    known = dict(zip(table["sample_index"], names, strict=True))
    assert samples["sample_id"].tolist() == samples["sample_index"].map(known).tolist()


def test_epochs_are_counted_as_the_file_counts_them(tmp_path):
    rows = [(s, e, c) for s, marks in enumerate(["0101", "1111"]) for e, c in enumerate(marks, 1)]
    table = pd.DataFrame(rows, columns=["sample_index", "epoch", "correct"])
    path = write(tmp_path / "t.parquet", table.assign(correct=table["correct"].astype(int)), 100)
    samples = describe(read_traces(path), [], 0)
    assert samples["first_learned"].tolist() == [2, 1]
    assert samples["learned_for_good"].tolist() == [4, 1]
    assert samples["last_forgotten"][0] == 3


@pytest.mark.parametrize(
    ("output", "dynamics", "said"),
    [
        ("samples.csv", "", "is written as Parquet; end it in .parquet"),
        ("traces.parquet/samples.parquet", "", "cannot be written"),
        (
            "s.parquet",
            '{"fits": [{"retention": "lagg", "curve": "power"}]}',
            "'lagg', expected one of aligned, confidence, cumulative, cumulative_events, from_first_loss, lag",
        ),
    ],
)
def test_a_command_that_cannot_be_obeyed_ends_in_one_line(tmp_path, output, dynamics, said):
    path = write(tmp_path / "traces.parquet", long_table(), 40)
    command = [sys.executable, ROOT / "scripts/describe_samples.py", "--traces", path]
    command += ["--output", tmp_path / output] + (["--dynamics", dynamics] if dynamics else [])
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and said in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_null_of_r_squared_is_the_mean_over_all_permutations():
    length, ones = 7, 4
    traces = np.array(
        [
            [1.0 if k in chosen else 0.0 for k in range(length)]
            for chosen in itertools.combinations(range(length), ones)
        ]
    )
    times = np.arange(1.0, length + 1)
    every = fit(times, traces, np.ones(traces.shape), "exponential")["r_squared"]
    correct = np.array([[0, 1, 1, 1, 0, 0, 1, 0, 1], [1] * 9, [0] * 9], dtype=bool)
    null = null_r_squared(correct, 4000)
    error = every.std() / np.sqrt(4000)
    assert null[0] == pytest.approx(every.mean(), abs=4 * error)
    assert np.isnan(null[1:]).all()
