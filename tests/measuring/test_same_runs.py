"""Traces beside samples of other runs are refused by every command that takes both lists."""

import numpy as np
import pandas as pd
import pytest
from shown_runs import drawn_study, options, write_study

from retention.commands import (
    build_explorer,
    build_gallery,
    measure_multiverse,
    measure_series,
    rank_suspects,
)
from retention.common.errors import UserError
from retention.common.parquet_tables import read_metadata, write_parquet
from retention.measuring.same_runs import require_same_runs

OUTPUT = {
    build_gallery: "gallery",
    build_explorer: "explorer.html",
    rank_suspects: "suspects.csv",
    measure_multiverse: "multiverse.csv",
}


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    runs = (("resnet", 0), ("resnet", 1), ("vit", 0))
    files = write_study(drawn_study(runs=runs), tmp_path_factory.mktemp("runs"))
    for path in files["samples"]:  # the multiverse wants groups
        write_parquet(path, pd.read_parquet(path).assign(group=""), read_metadata(path))
    return files


def renamed(paths, folder, identity):
    """Copy the traces with other metadata, the same for each: none, or a name in part."""
    copies = [folder / path.name for path in paths]
    for path, copy in zip(paths, copies, strict=True):
        write_parquet(copy, pd.read_parquet(path), identity)
    return copies


@pytest.mark.parametrize("command", OUTPUT, ids=lambda one: one.__name__.rpartition(".")[2])
@pytest.mark.parametrize("named", [True, False])
def test_commands_refuse_the_traces_of_other_runs(paths, tmp_path, command, named):
    traces = paths["traces"] if named else renamed(paths["traces"], tmp_path, {})
    files = {"samples": paths["samples"], "traces": traces[::-1]}
    words = [*options(files), "--output", str(tmp_path / OUTPUT[command])]
    if command is measure_multiverse:
        words += ["--shares", str(tmp_path / "shares.csv")]
    with pytest.raises(UserError, match=r"traces_2\.parquet: .*samples_0\.parquet.* same order$"):
        command.main(words)
    assert not (tmp_path / OUTPUT[command]).exists()


@pytest.mark.parametrize(
    "series", ["learning_curves", "trace_raster", "retention_curves", "fit_r2_against_null"]
)
def test_series_refuse_the_traces_of_other_runs(paths, tmp_path, series):
    files = {"samples": paths["samples"], "traces": paths["traces"][::-1]}
    with pytest.raises(UserError, match=r"traces_2\.parquet: .*; name .* of the same runs"):
        measure_series.main([series, *options(files), "--output", str(tmp_path / "table.csv")])


def test_what_is_said_names_both_runs(paths):
    with pytest.raises(
        UserError,
        match=r"traces_2\.parquet: is of vit, seed 0, as .*samples_2\.parquet, and stands where .*samples_0\.parquet is "
        r"of resnet, seed 0; name those",
    ):
        require_same_runs(paths["samples"], paths["traces"][::-1])
    with pytest.raises(UserError, match=r"^--traces: names 2 files, --samples 3; name those"):
        require_same_runs(paths["samples"], paths["traces"][:2])


@pytest.mark.parametrize("identity", [{}, {"seed": "9", "architecture": "own"}, {"seed": "0"}])
def test_unnamed_and_renamed_traces_are_told_by_their_events(paths, tmp_path, identity):
    """A run may be named otherwise at its description: its events are the same."""
    traces = renamed(paths["traces"], tmp_path, identity)
    require_same_runs(paths["samples"], traces)
    one, other = (
        pd.read_parquet(path).set_index("sample_index")["forgetting_events"]
        for path in paths["samples"][:2]
    )
    count = int((one != other).sum())
    assert 0 < count < len(one)
    with pytest.raises(
        UserError, match=f"forgets {count} samples another number of times than .*samples_0"
    ):
        require_same_runs(paths["samples"], [traces[1], traces[0], traces[2]])


def test_one_sample_that_is_forgotten_once_more_is_enough(paths, tmp_path):
    (traces,) = renamed(paths["traces"][:1], tmp_path, {})
    table = pd.read_parquet(traces)
    of_one = table["sample_index"] == 5
    table.loc[of_one, "correct"] = np.array([True, False] * 3)[table.loc[of_one, "epoch"]]
    described = pd.read_parquet(paths["samples"][0]).set_index("sample_index")
    assert described.loc[5, "forgetting_events"] != 3
    write_parquet(traces, table)
    with pytest.raises(
        UserError, match=rf"forgets 1 samples .* first is {described.loc[5, 'sample_id']};"
    ):
        require_same_runs(paths["samples"][:1], [traces])


def test_another_data_set_of_the_same_name_of_run_is_told_by_its_events(paths, tmp_path):
    identity = read_metadata(paths["samples"][0]) | {"dataset": "fish"}
    traces = renamed(paths["traces"][1:2], tmp_path, identity)
    with pytest.raises(UserError, match="is of resnet, seed 0 by its metadata, and forgets"):
        require_same_runs(paths["samples"][:1], traces)


def test_samples_without_events_say_what_they_lack(paths, tmp_path):
    (traces,) = renamed(paths["traces"][:1], tmp_path, {})
    bare = tmp_path / "bare.parquet"
    table = pd.read_parquet(paths["samples"][0]).drop(columns="forgetting_events")
    write_parquet(bare, table, read_metadata(paths["samples"][0]))
    with pytest.raises(UserError, match=r"bare\.parquet: lacks the column forgetting_events; name"):
        require_same_runs([bare], [traces])
