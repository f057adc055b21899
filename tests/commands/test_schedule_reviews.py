"""The command that schedules reviews: what it writes, and what it refuses in one line."""

import json
import re
from itertools import product

import numpy as np
import pandas as pd
import pytest
import schedule_reviews as command
from review_runs import EPOCHS, N, presentations, run_of

from retention.common.errors import UserError
from retention.common.parquet_tables import read_metadata, write_parquet
from retention.reviews.sources import check_sources
from retention.sampling.keys import SOURCES
from retention.training.reviews import read_schedule
from retention.workflow.sources import source_runs


@pytest.fixture
def files(tmp_path):
    """An index and the samples.parquet of three seeds."""
    train = run_of(0).samples[["split", "sample_index", "label", "class_name"]]
    held_out = pd.DataFrame({"split": "test", "sample_index": [N, N + 1], "label": [0, 1]})
    write_parquet(tmp_path / "index.parquet", pd.concat([held_out, train]))
    for seed in range(3):
        metadata = {"study": "s", "dataset": "digits", "architecture": "resnet"}
        metadata |= {"treatment": "random", "seed": str(seed)}
        write_parquet(tmp_path / f"{seed}.parquet", run_of(seed).samples, metadata)
    return tmp_path


def make_schedule(files, definition: dict, sources: list[int], **more) -> pd.DataFrame:
    names = {
        "study": "s",
        "dataset": "digits",
        "architecture": "resnet",
        "treatment": "t",
        "seed": 0,
    }
    options = names | {"treatment-definition": json.dumps(definition), "epochs": EPOCHS} | more
    words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    words += ["--index", str(files / "index.parquet"), "--output", str(files / "reviews.parquet")]
    command.main([*words, "--samples", *(str(files / f"{seed}.parquet") for seed in sources)])
    return pd.read_parquet(files / "reviews.parquet")


NAMES = {"study": "s", "dataset": "digits", "architecture": "resnet", "treatment": "t", "seed": 0}


def test_the_command_writes_a_schedule_that_training_reads(files):
    table = make_schedule(files, {"sampler": "spaced_repetition"}, [1])
    metadata = read_metadata(files / "reviews.parquet")
    more = np.maximum(table["rate"] - 1, 0).sum()  # what some get more, others get less
    assert float(metadata["moved"]) == pytest.approx(more / N, abs=1e-4)
    assert metadata["sources"] == "resnet seed 1"
    assert (metadata["source_study"], metadata["source_treatment"]) == ("s", "random")
    assert metadata["score"] == "review_weight, decay_constant, hazard"
    assert 0 <= float(metadata["below_hazard"]) <= 1
    assert float(metadata["kappa"]) > 0
    backwards = np.arange(N)[::-1]
    counts = read_schedule(files / "reviews.parquet", backwards, EPOCHS, NAMES)
    np.testing.assert_array_equal(counts, presentations(table)[:, ::-1])
    before = (files / "reviews.parquet").read_bytes()
    make_schedule(files, {"sampler": "spaced_repetition"}, [1])
    assert (files / "reviews.parquet").read_bytes() == before


def test_the_log_says_what_makes_the_schedule_less_than_it_seems(files, capsys):
    make_schedule(files, {"sampler": "spaced_repetition"}, [1])
    assert (
        "of the forgotten samples have a λ below their smoothed hazard" in capsys.readouterr().out
    )
    make_schedule(files, {"keep_fraction": 0.02}, [1])
    assert "100 samples, 4 of them presented" in (text := capsys.readouterr().out)
    assert "one of every class is kept, which is more than the 2 of keep_fraction" in text


def test_a_schedule_follows_from_its_sources_and_not_from_the_run_itself(files):
    """The run is seed 0: whatever its own scores become, the schedule from seed 1 stays."""
    definition = {"sampler": "spaced_repetition"}
    before = make_schedule(files, definition, [1])
    metadata = read_metadata(files / "0.parquet")
    own = run_of(0).samples.assign(decay_constant=9.0)
    write_parquet(files / "0.parquet", own, metadata)
    pd.testing.assert_frame_equal(make_schedule(files, definition, [1]), before)
    other = run_of(1).samples.assign(decay_constant=run_of(2).samples["decay_constant"])
    write_parquet(files / "1.parquet", other, metadata | {"seed": "1"})
    assert not make_schedule(files, definition, [1])["rate"].equals(before["rate"])


@pytest.mark.parametrize(
    ("definition", "sources", "more", "fault"),
    [
        ({"sampler": "random"}, [], {}, "sampler random schedules nothing"),
        ({"sampler": "spaced_repetition"}, [], {}, "needs the scores of other runs"),
        ({"keep_fraction": 0.5, "prune_by": "random"}, [1], {}, "takes no scores"),
        ({"keep_fraction": 1.5}, [1], {}, "keep_fraction: is 1.5, expected more than 0"),
        ({"keep_fraction": 0.5, "prune_by": "hazrd"}, [1], {}, "did you mean hazard?"),
        ({"keep_fraction": 0.5}, [1], {"epochs": 0}, "--epochs: is 0"),
    ],
)
def test_the_command_says_in_one_line_what_does_not_fit(files, definition, sources, more, fault):
    with pytest.raises(UserError, match=fault) as error:
        make_schedule(files, definition, sources, **more)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("source", "seeds", "change", "fault"),
    [
        (
            "next_seed",
            [0],
            {},
            "0.parquet is of resnet seed 0; source: next_seed of resnet seed 0 takes",
        ),
        (
            "same_seed",
            [1],
            {},
            "takes the one run of its own architecture and seed; give such files",
        ),
        ("other_seeds", [1, 0], {}, "0.parquet is of resnet seed 0; source: other_seeds"),
        ("next_seed", [1, 2], {}, "names 2 runs; source: next_seed takes one run of"),
        ("other_architecture", [0], {}, "takes one run of another architecture and its own seed"),
        (
            "next_seed",
            [1],
            {"dataset": "mnist"},
            "1.parquet is of the data set mnist, and the schedule of",
        ),
        ("next_seed", [1], {"architecture": "vit"}, "1.parquet is of vit seed 1"),
        ("other_seeds", [1, 2], {"architecture": "vit"}, "1.parquet is of vit seed 1"),
        (
            "next_seed",
            [1],
            {"treatment": "keep_50_random"},
            "is of treatment keep_50_random; expected",
        ),
    ],
)
def test_sources_that_are_not_those_of_the_definition_are_refused(
    files, source, seeds, change, fault
):
    path = files / f"{seeds[0]}.parquet"
    write_parquet(path, pd.read_parquet(path), read_metadata(path) | change)
    with pytest.raises(UserError, match=re.escape(fault)) as error:
        make_schedule(files, {"sampler": "spaced_repetition", "source": source}, seeds)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("source", SOURCES)
def test_the_sources_of_the_workflow_are_accepted(tmp_path, source):
    architectures, numbers = ["resnet", "vit"], [0, 1, 2]
    definition, run = {"sampler": "spaced_repetition", "source": source}, {"dataset": "d"}
    for architecture, seed in product(architectures, numbers):
        names = {"dataset": "d", "architecture": architecture, "seed": str(seed)}
        write_parquet(tmp_path / f"{architecture}{seed}", pd.DataFrame({"a": [1]}), names)
    for architecture, seed in product(architectures, numbers):
        sources = source_runs(definition, architecture, seed, architectures, numbers)
        paths = [tmp_path / f"{name}{number}" for name, number in sources]
        found = check_sources(source, run | {"architecture": architecture, "seed": seed}, paths)
        assert found == {"source_study": "unknown", "source_treatment": "unknown"}


@pytest.mark.parametrize("text", ['["a"]', "{keep_fraction:0.3}", "3", ""])
def test_a_definition_that_is_no_json_object_is_answered_with_an_example(files, text):
    with pytest.raises(UserError, match=r"no JSON object, such as '\{.sampler") as error:
        make_schedule(files, {}, [1], **{"treatment-definition": text})
    assert "\n" not in str(error.value)


def test_every_option_is_explained(capsys):
    with pytest.raises(SystemExit):
        command.main(["--help"])
    options = capsys.readouterr().out.split("options:")[1]
    for option in re.findall(r"^  (--.*(?:\n {10}.*)*)", options, re.MULTILINE):
        assert re.search(r"\s{2,}\w.* \w+", option), option


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda table: table.drop(columns="epoch_10"), "schedules epoch_1 … epoch_9 .9 columns."),
        (
            lambda table: table.iloc[1:],
            "schedules 99 samples, expected each of the 100 .* differ: 0",
        ),
        (lambda table: table.assign(sample_index=0), "expected each of the 100"),
        (lambda table: table.assign(epoch_3=1, epoch_4=2), "epoch 4 presents 200 samples"),
        (lambda table: table.assign(epoch_3=0.5), "whole numbers"),
        (lambda table: table.drop(columns="sample_index"), "lacks the column.s. sample_index"),
    ],
)
def test_a_schedule_for_something_else_is_refused(files, change, fault):
    table = make_schedule(files, {"keep_fraction": 0.5}, [1])
    write_parquet(files / "changed.parquet", change(table))
    with pytest.raises(UserError, match=fault):
        read_schedule(files / "changed.parquet", np.arange(N), EPOCHS, NAMES)


def test_a_schedule_of_another_run_is_refused(files):
    make_schedule(files, {"keep_fraction": 0.5}, [1])
    with pytest.raises(UserError, match="is the schedule of seed 0, and this run's is 3"):
        read_schedule(files / "reviews.parquet", np.arange(N), EPOCHS, NAMES | {"seed": 3})
