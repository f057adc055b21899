"""What the multiverse reads, and what it refuses in one line."""

import numpy as np
import pandas as pd
import pytest
from multiverse_study import ARCHITECTURES, SEEDS, describe, write_runs

from retention.commands import measure_multiverse
from retention.common.errors import UserError
from retention.multiverse.study import read_study

RUNS = [(architecture, seed) for architecture in ARCHITECTURES for seed in SEEDS]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_runs(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def study(files):
    return read_study(*files)


def test_traces_and_samples_of_other_runs_are_refused(files, tmp_path):
    traces, samples = files
    with pytest.raises(UserError, match=r"^--traces: names 1 files, --samples 6; name those of"):
        read_study(traces[:1], samples)
    with pytest.raises(
        UserError,
        match=r"forgets \d+ samples another number of times than .* sample_index \d+; name",
    ):
        read_study(traces[::-1], samples)
    short = pd.read_parquet(traces[0])
    short[short["sample_index"] != 6].to_parquet(tmp_path / "short.parquet")
    with pytest.raises(
        UserError, match=r"short.parquet: lacks training samples that .* has; name the files"
    ):
        read_study([tmp_path / "short.parquet", *traces[1:]], samples)


def test_files_that_are_none_are_named(files, tmp_path):
    traces, samples = files
    text = tmp_path / "text.parquet"
    text.write_text("no Parquet")
    for wrong, told in (
        (tmp_path / "nothere.parquet", r"nothere\.parquet: there is no such file$"),
        (text, r"text\.parquet: is not a Parquet file"),
        (tmp_path, r"cannot be read"),
    ):
        with pytest.raises(UserError, match=told):
            read_study([wrong, *traces[1:]], samples)
        with pytest.raises(UserError, match=told):
            read_study(traces, [wrong, *samples[1:]])


def test_the_order_of_the_runs_is_no_matter(files, study):
    turned = read_study([*files[0][::-1]], [*files[1][::-1]])
    assert [(run.architecture, run.seed) for run in turned.runs] == RUNS
    for one, other in zip(
        study.correct + study.confidence, turned.correct + turned.confidence, strict=True
    ):
        assert np.array_equal(one, other)


def test_a_command_says_what_it_can_not_take(files, tmp_path):
    words = ["--traces", *map(str, files[0]), "--samples", *map(str, files[1])]
    words += ["--output", str(tmp_path / "m.csv"), "--shares", str(tmp_path / "s.csv")]
    with pytest.raises(
        UserError, match=r"^--multiverse\.fix\.curve: there is no level 'x'; known are"
    ):
        measure_multiverse.main([*words, "--multiverse", '{"fix": {"curve": "x"}}'])
    one = [*words[:2], "--samples", words[8], *words[14:]]
    only = '{"findings": ["architecture_overlap"]}'
    with pytest.raises(
        UserError, match=r"^--multiverse: of architecture_overlap none can be made of these runs$"
    ):
        measure_multiverse.main([*one, "--multiverse", only])


def test_samples_by_another_definition_are_refused(files, tmp_path):
    traces, _ = files
    folder, other = traces[0].parents[2], tmp_path / "other.parquet"
    describe(folder, traces[0], other, "a", 0, "--definition", '{"curve": "power"}')
    told = r"other.parquet: .*power.*; describe it without --definition"
    with pytest.raises(UserError, match=told):
        read_study(traces[:1], [other])
