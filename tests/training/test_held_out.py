"""Of the held-out samples a fixed draw may be evaluated; training samples all are."""

import numpy as np
import pandas as pd
import pytest
import yaml
from small_run import CPU, RECIPE, make_run, outputs_in

from retention.commands import describe_samples
from retention.common.errors import UserError
from retention.common.options import without_defaults
from retention.common.parquet_tables import write_parquet
from retention.training.recipe import complete_recipe
from retention.training.tracking import Samples
from retention.training.weight_files import read_weights

FEW = {"epochs": 3, "held_out_samples": 3}


def samples_of(held_out: int, train: int) -> Samples:
    count = held_out + train
    split = np.repeat(["test", "train"], [held_out, train])
    return Samples(np.arange(count)[::-1], split, np.arange(count) % 5, 5)


def test_a_draw_leaves_the_training_samples_and_their_order():
    samples = samples_of(100, 50)
    found = samples.holding_out(20, ("study", "data"))
    assert (found.split == "train").sum() == 50
    assert (found.split == "test").sum() == 20
    assert found.classes == 5
    places = 149 - found.index  # index i lies at place 149 - i
    assert (np.diff(places) > 0).all()
    np.testing.assert_array_equal(found.label, samples.label[places])
    np.testing.assert_array_equal(found.split, samples.split[places])


def test_a_smaller_draw_is_part_of_a_larger_and_another_purpose_draws_others():
    samples = samples_of(100, 50)
    drawn = {count: set(samples.holding_out(count, ("a",)).index) for count in (5, 20, 99)}
    assert drawn[5] < drawn[20] < drawn[99]
    assert set(samples.holding_out(20, ("b",)).index) != drawn[20]
    for count in ("all", 100, 1000):
        assert samples.holding_out(count, ("a",)) is samples


def test_every_held_out_sample_is_drawn_equally_often():
    samples = samples_of(10, 2)
    times = np.zeros(12)
    for number in range(2000):
        times[samples.holding_out(3, (number,)).index] += 1
    assert times[:2].tolist() == [2000, 2000]
    # Binomial(2000, 0.3) lies within 5 of its deviations, 20.5 each.
    assert np.abs(times[2:] - 600).max() < 103


def finished(images, folder, recipe, seed=0):
    """Return the traces and run.yaml of a run."""
    make_run(images, folder / "state", recipe, seed=seed).execute(outputs_in(folder))
    facts = yaml.safe_load((folder / "run.yaml").read_text())
    return pd.read_parquet(folder / "traces.parquet"), facts


def test_a_run_evaluates_the_draw_alone_and_trains_as_ever(images, tmp_path, capsys):
    whole, _ = finished(images, tmp_path / "whole", FEW | {"held_out_samples": "all"})
    assert "held_out_samples" not in capsys.readouterr().err
    few, facts = finished(images, tmp_path / "few", FEW)
    assert "evaluating 3 of 8 held-out samples (held_out_samples)" in capsys.readouterr().err
    for _, epoch in few.groupby("epoch"):
        assert epoch["split"].value_counts().to_dict() == {"train": 33, "test": 3}
    assert facts["test_samples"] == 3
    assert np.load(tmp_path / "few/probabilities.npy").shape == (4, 36, 4)
    # The same samples at the same epochs, to what a batch of other neighbours does to the last bits.
    both = few.merge(whole, on=["split", "sample_index", "epoch"], validate="1:1")
    assert len(both) == len(few)
    np.testing.assert_allclose(both["loss_x"], both["loss_y"], rtol=1e-4, atol=1e-5)
    accuracy = few[few["split"] == "test"].groupby("epoch")["correct"].mean()
    stated = pd.read_csv(tmp_path / "few/epochs.csv")["test_accuracy"]
    np.testing.assert_allclose(stated, accuracy)
    one, other = (read_weights(tmp_path / name / "final.safetensors") for name in ("whole", "few"))
    assert all(one[key].equal(other[key]) for key in one)


def test_all_runs_of_a_data_set_evaluate_the_same_and_can_be_described(images, tmp_path):
    held_out = []
    index = pd.read_parquet(images / "index.parquet")
    names = {"class_name": index["label"].astype(str), "group": index["sample_index"].astype(str)}
    write_parquet(tmp_path / "index.parquet", index.assign(**names))
    for seed in range(2):
        traces, _ = finished(images, tmp_path / str(seed), FEW, seed)
        held_out.append(set(traces.loc[traces["split"] == "test", "sample_index"]))
        words = ["--traces", f"{tmp_path / str(seed)}/traces.parquet"]
        words += ["--index", f"{tmp_path}/index.parquet", "--output", f"{tmp_path}/s.parquet"]
        describe_samples.main(words)
        described = pd.read_parquet(tmp_path / "s.parquet")
        assert set(described.loc[described["split"] == "test", "sample_index"]) == held_out[-1]
        assert (described["split"] == "train").sum() == 33
    assert held_out[0] == held_out[1]
    assert len(held_out[0]) == 3


def test_the_option_is_checked_and_at_its_default_no_part_of_a_run():
    assert "held_out_samples" not in without_defaults("recipe", complete_recipe(RECIPE, CPU))
    for wrong, expected in (
        (0, "at least 1"),
        (2.5, "all or a number"),
        ("some", "all or a number"),
    ):
        with pytest.raises(UserError, match=f"held_out_samples: is .*, expected {expected}"):
            complete_recipe(RECIPE | {"held_out_samples": wrong}, CPU)
