"""Series of single samples: what figures are drawn from is what the runs' files say, counted here by hand."""

import math
from functools import cache

import numpy as np
import pandas as pd
import pytest
from multiverse_study import describe
from sample_study import (
    ARCHITECTURES,
    counted,
    drawn,
    measured,
    pairs_of,
    shares_in,
    training,
    write_study,
)

from retention.common.csv_tables import read_csv
from retention.common.randomness import generator
from retention.statistics.densities import decade_bins, joint_shares, quartiles_along

NO_ROWS = pd.DataFrame(columns=["statistic", "comparison", "architecture"])  # of a finding


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("runs"), findings=False)


def test_bins_are_sixths_of_decades_and_zero_has_its_own():
    values = np.array([0.0, 1e-4, 0.0123, 0.999, 1.0, 20.0, np.nan])
    low, high = decade_bins(values).T
    assert low[0] == high[0] == 0 and np.isnan([low[-1], high[-1]]).all()
    assert (low[1:-1] <= values[1:-1] * (1 + 1e-12)).all() and (values[1:-1] < high[1:-1]).all()
    assert np.allclose(np.log10(high[1:-1] / low[1:-1]), 1 / 6)
    with pytest.raises(ValueError, match="below 0"):
        decade_bins(np.array([-0.1]))


def test_shares_add_up_to_what_is_known():
    draws = np.random.default_rng(0)
    x, y = 10 ** draws.uniform(-3, 1, (2, 400))
    x[:100], y[50:150], y[390:] = 0, 0, np.nan
    edges, shares = joint_shares(x, y)
    assert dict(zip(map(tuple, edges.round(12)), shares, strict=True)) == pytest.approx(
        {key: share for key, share in counted(list(zip(x, y, strict=True))).items() if key}
    )
    assert shares.sum() == pytest.approx(390 / 400)
    edges, shares = joint_shares(np.full(3, np.nan), np.ones(3))
    assert edges.shape == (0, 4) and shares.shape == (0,)


def test_quartiles_are_those_of_groups_that_follow_each_other():
    draws = np.random.default_rng(1)
    x, y = draws.random((2, 25))
    rows = sorted(zip(x, y, strict=True))
    wanted = [
        [np.median([a for a, _ in part]), *np.quantile([b for _, b in part], [0.25, 0.5, 0.75])]
        for part in (rows[:7], rows[7:13], rows[13:19], rows[19:])
    ]
    assert np.allclose(quartiles_along(x, y, 4), wanted)
    assert quartiles_along(np.zeros(0), np.zeros(0), 3).shape == (0, 4)


@pytest.mark.parametrize(("one", "other"), ["aa", "bb", "ab"])
def test_decay_constants_are_counted_pair_by_pair(study, one, other):
    table = read_csv(study / "decay_constants.csv")
    rows = table[table["comparison"] == f"{one} vs {other}"]
    pairs = pairs_of(study, one, other)
    assert any(math.isnan(x + y) for x, y in pairs) and any(x * y > 0 for x, y in pairs)
    assert shares_in(rows) == pytest.approx(counted(pairs))
    assert rows["estimate"].sum() == pytest.approx(1)
    assert set(rows["pairs"]) == {3 if one == other else 6} and not rows["same_seed"].any()
    assert rows["architecture"].isna().all() == (one != other)
    assert (rows["samples"] == len(training(study, one, 0))).all()


def test_one_seed_alone_is_a_pair_of_two_architectures(study, tmp_path):
    samples = [study / name / "seed1" / "samples.parquet" for name in "ab"]
    table = measured("decay_constants", ([], samples), tmp_path)
    assert set(table["comparison"]) == {"a vs b"} and table["same_seed"].all()
    x, y = (training(study, name, 1)["decay_constant"] for name in "ab")
    assert shares_in(table) == pytest.approx(counted(list(zip(x, y, strict=True))))
    (axes, _) = drawn(ARCHITECTURES, NO_ROWS, table).axes
    title = axes.get_title(loc="left")
    assert "1 pair of runs of one seed" in title and "ρ" not in title
    assert measured("decay_constants", ([], samples[:1]), tmp_path).empty


@pytest.mark.parametrize("architecture", ["a", "b"])
def test_losses_and_their_quartiles_are_those_of_all_seeds(study, architecture):
    table = read_csv(study / "early_loss_against_decay.csv")
    rows = table[table["architecture"] == architecture]
    runs = pd.concat([training(study, architecture, seed) for seed in range(3)])
    pairs = list(zip(runs["loss_0"], runs["decay_constant_from_1"], strict=True))
    assert shares_in(rows[rows["statistic"] == "density"]) == pytest.approx(counted(pairs))
    known = sorted((x, y) for x, y in pairs if not math.isnan(x + y))
    parts = np.array_split(np.arange(len(known)), min(10, len(known) // 30))
    for name, share in (("lower_quartile", 25), ("median", 50), ("upper_quartile", 75)):
        found = rows[rows["statistic"] == name]
        of_parts = [np.array([known[place] for place in part]) for part in parts]
        assert found["loss"].to_numpy() == pytest.approx([np.median(p[:, 0]) for p in of_parts])
        wanted = [np.percentile(p[:, 1], share) for p in of_parts]
        assert found["estimate"].to_numpy() == pytest.approx(wanted)


def test_small_losses_are_one_bin_and_its_axis_says_so(study, tmp_path):
    from retention.common.parquet_tables import read_metadata, write_parquet

    source = study / "a" / "seed0" / "samples.parquet"
    table = pd.read_parquet(source)
    losses = np.where(np.arange(len(table)) % 3 == 0, 1e-6, table["loss_0"])
    path = tmp_path / "samples.parquet"
    keys = ("dataset", "architecture", "seed")
    named = {key: read_metadata(source)[key] for key in keys}
    write_parquet(path, table.assign(loss_0=losses), named)
    found = measured("early_loss_against_decay", ([], [path]), tmp_path)
    small = found[found["x_low"] == 0]
    kept = table["split"] == "train"
    lacking = table["decay_constant_from_1"].isna() & kept
    wanted = (losses[kept & ~lacking] < 1e-3).sum() / kept.sum()
    assert set(small["x_high"]) == {0.001} and small["estimate"].sum() == pytest.approx(wanted)
    axes = drawn("early_loss_against_decay", NO_ROWS, found).axes[0]
    axes.figure.draw_without_rendering()
    assert axes.get_xticklabels()[0].get_text() == "< 0.001"
    assert axes.get_yticklabels()[0].get_text() == "0"


@pytest.mark.parametrize("architecture", ["a", "b"])
def test_the_distributions_are_those_of_the_samples_and_of_their_shuffled_traces(
    study, architecture
):
    table = read_csv(study / "fit_r2_against_null.csv")
    for seed in range(3):
        rows = table[(table["architecture"] == architecture) & (table["seed"] == seed)]
        samples = training(study, architecture, seed)
        known = samples["r_squared"].dropna()
        shuffled = np.concatenate(
            [shuffled_naively(*counts) for counts in epochs_of(study, architecture, seed)]
        )
        assert len(shuffled) == 100 * len(known)
        for statistic, values in (("observed", known), ("shuffled", shuffled)):
            found = rows[rows["statistic"] == statistic]
            assert len(found) == 201 and set(found["samples"]) == {len(known)}
            for row in found[::10].itertuples():
                share = np.mean(values <= row.r_squared + 1e-9)
                assert row.estimate == pytest.approx(share, abs=2e-4)
        never = samples["fit_status"].isin(["never_learned", "too_short"])
        shares = rows.set_index("statistic")["estimate"]
        assert shares["unidentified"] == pytest.approx(never.mean())
        lacking = samples["r_squared"].isna() & ~never
        assert shares["constant"] == pytest.approx(lacking.mean()) and lacking.any()


def test_the_mean_of_the_null_is_what_samples_are_described_with(study, tmp_path):
    traces = study / "a" / "seed0" / "traces.parquet"
    path = tmp_path / "samples.parquet"
    describe(study, traces, path, "a", 0, "--dynamics", '{"shuffles": 100}')
    table = measured("fit_r2_against_null", ([traces], [path]), tmp_path)
    null = table[table["statistic"] == "shuffled"]["estimate"].to_numpy()
    samples = pd.read_parquet(path).query("split == 'train'")
    mean = 1 - 0.01 * null[:-1].sum() - 0.005  # of a distribution in steps of 0.01
    assert mean == pytest.approx(samples["r_squared_null"].mean(), abs=0.005)


def epochs_of(study, architecture, seed) -> list[tuple[int, int]]:
    """Return how many epochs follow the first right one, and how many of them are right, of samples with an R²."""
    traces = pd.read_parquet(study / architecture / f"seed{seed}" / "traces.parquet")
    samples = training(study, architecture, seed)
    kept = samples["sample_index"][samples["r_squared"].notna()]
    matrix = traces.pivot(index="sample_index", columns="epoch", values="correct").loc[kept]
    after = [row[int(np.argmax(row)) + 1 :] for row in matrix.to_numpy()]
    return [(len(row), int(row.sum())) for row in after]


@cache
def shuffled_naively(length: int, correct: int) -> np.ndarray:
    """Return R² of 100 shuffled traces, λ by a fine grid."""
    trace = np.zeros((100, length))
    trace[:, :correct] = 1
    shuffled = generator("r_squared_null", length, correct).permuted(trace, axis=1)
    curves = np.exp(-np.r_[0, np.geomspace(1e-4, 20, 2000)][:, None] * np.arange(1, length + 1))
    squares = (curves**2).sum(axis=1) - 2 * shuffled @ curves.T + correct
    total = correct * (length - correct) / length
    return 1 - squares.min(axis=1) / total
