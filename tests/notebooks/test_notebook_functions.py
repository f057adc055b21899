"""Functions for notebooks give what the commands write, and say what is wrong in one line."""

import sys

import numpy as np
import pandas as pd
import pytest
from simulated_traces import correctness

import retention
from retention.commands import describe_samples, measure_finding
from retention.common.csv_tables import read_csv
from retention.common.errors import UserError
from retention.notebooks.frames import called

SAMPLES, EPOCHS = 40, 9
FEW = {"resamples": 99}


@pytest.fixture
def index():
    number = np.arange(SAMPLES)
    table = pd.DataFrame({"sample_index": number, "sample_id": [f"i{n}" for n in number]})
    table = table.assign(split="train", label=number % 3, group=[f"g{n // 2}" for n in number])
    return table.assign(class_name=table["label"].map({0: "cat", 1: "dog", 2: "emu"}))


def traces_of(seed):
    """Return a run's traces, with predictions."""
    marks = correctness(SAMPLES, EPOCHS, np.random.default_rng(seed)).ravel()
    sample, epoch = np.divmod(np.arange(SAMPLES * EPOCHS), EPOCHS)
    table = pd.DataFrame({"sample_index": sample, "epoch": epoch, "correct": marks})
    return table.assign(predicted=np.where(marks, sample % 3, (sample + 1) % 3))


@pytest.fixture
def runs(index):
    return [
        retention.describe(traces_of(seed), index, dataset="d", architecture="a", seed=seed)
        for seed in range(3)
    ]


@pytest.fixture
def files(index, tmp_path):
    """Return the paths of what the command writes of the same runs."""
    paths = []
    index.to_parquet(tmp_path / "index.parquet")
    for seed in range(3):
        traces_of(seed).to_parquet(tmp_path / "traces.parquet")
        paths.append(tmp_path / f"{seed}.parquet")
        words = ["--traces", tmp_path / "traces.parquet", "--index", tmp_path / "index.parquet"]
        words += ["--output", paths[-1], "--dataset", "d", "--architecture", "a", "--seed", seed]
        words += ["--confusions", tmp_path / f"confusions_{seed}.csv"]
        describe_samples.main([str(word) for word in words])
    return paths


def test_descriptions_are_those_of_the_command(runs, files):
    for frame, path in zip(runs, files, strict=True):
        pd.testing.assert_frame_equal(frame, pd.read_parquet(path), check_dtype=False)
    assert (
        runs[2].attrs["run"].items() >= {"dataset": "d", "architecture": "a", "seed": "2"}.items()
    )


@pytest.mark.parametrize("finding", ["seed_stability", "fit_quality", "class_forgetting"])
def test_findings_are_those_of_the_command(finding, runs, files, tmp_path):
    output = tmp_path / "table.csv"
    words = ["--samples", *files, "--statistics", '{"resamples": 99}', "--output", output]
    measure_finding.main([finding, *map(str, words)])
    expected = read_csv(output)
    pd.testing.assert_frame_equal(retention.measure(finding, runs, statistics=FEW), expected)
    mixed = [runs[0], str(files[1]), files[2]]
    pd.testing.assert_frame_equal(retention.measure(finding, mixed, statistics=FEW), expected)


def test_a_finding_takes_what_else_it_reads(runs, files, tmp_path):
    paths = [tmp_path / f"confusions_{seed}.csv" for seed in range(3)]
    output = tmp_path / "table.csv"
    words = ["--samples", *files, "--confusions", *paths, "--output", output]
    measure_finding.main(
        ["class_forgetting", *map(str, words), "--statistics", '{"resamples": 99}']
    )
    frames = [paths[0], read_csv(paths[1]), paths[2]]
    found = retention.measure("class_forgetting", runs, confusions=frames, statistics=FEW)
    pd.testing.assert_frame_equal(found, read_csv(output))
    without = retention.measure("class_forgetting", runs, statistics=FEW)
    assert len(found) > len(without)


def test_notes_are_passed_on_and_nothing_else_is_printed(index, capsys):
    words = {"dataset": "d", "architecture": "a", "seed": 0}
    retention.describe(traces_of(0), index, **words)
    assert capsys.readouterr().out == ""
    plain = retention.describe(traces_of(0), index, dynamics={"shuffles": 0}, **words)
    assert plain["r_squared_null"].isna().all()
    other = {"curve": "scaled_exponential", "estimator": "curve_fit_free", "start": "kept"}
    found = retention.describe(traces_of(0), index, definition=other, **words)
    assert "curve_fit_free" in found.attrs["run"]["definition"]
    printed = capsys.readouterr().out.splitlines()
    assert [line for line in printed if not line.startswith("note: ")] == []


def test_values_that_a_command_can_not_read_end_no_notebook(runs, index, capsys):
    with pytest.raises(UserError, match=r"^argument --seed: invalid int value: 'x'$"):
        retention.describe(traces_of(0), index, seed="x")
    with pytest.raises(UserError, match=r"^samples: is empty; expected a list with an entry per"):
        retention.measure("seed_stability", [])
    assert capsys.readouterr() == ("", "")


def test_what_a_command_says_besides_is_passed_on(capsys):
    def main(words):
        print("beside", file=sys.stderr)
        raise UserError("it is so")

    with pytest.raises(UserError, match=r"^it is so$"):
        called(main, {})
    assert capsys.readouterr().err == "beside\n"


def test_what_is_wrong_is_said_without_the_folder(runs, index):
    with pytest.raises(
        UserError, match=r"^traces.parquet: lacks a column sample_index or sample_id$"
    ):
        retention.describe(traces_of(0).drop(columns="sample_index"))
    with pytest.raises(
        UserError, match=r"^traces: is of type int; expected a path or a data frame"
    ):
        retention.describe(3)
    with pytest.raises(
        UserError, match=r"no finding 'seed_stabilty'; .*did you mean seed_stability"
    ):
        retention.measure("seed_stabilty", runs)
    with pytest.raises(UserError, match="reads no sample; expected of samples"):
        retention.measure("seed_stability", runs, sample=runs)
    with pytest.raises(UserError, match=r"^seed_stability: needs samples, a list"):
        retention.measure("seed_stability")
    with pytest.raises(UserError, match="samples: is one alone; expected a list"):
        retention.measure("seed_stability", runs[0])
    with pytest.raises(UserError, match="samples: entry 1 does not say which run it is of"):
        retention.measure("seed_stability", [runs[0], pd.DataFrame(runs[1].to_dict("list"))])
    with pytest.raises(UserError, match=r"^--samples: names a run twice"):
        retention.measure("seed_stability", [runs[0], runs[0]])
    with pytest.raises(UserError, match="entry 0 is a data frame; expected the path"):
        retention.measure("class_forgetting", runs, centroids=[runs[0]])
