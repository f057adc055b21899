"""Series: what figures are drawn from is what the runs' files say, computed here sample by sample."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from described_study import command
from multiverse_study import write_runs
from scipy.stats import hypergeom

from retention.commands import measure_finding, measure_series
from retention.common.csv_tables import read_csv
from retention.common.errors import UserError
from retention.common.parts import load_part, part_names
from retention.statistics.chance_overlap import chance_range

STATISTICS = '{"tie_breaks": 400, "resamples": 99, "top_fraction": 0.2, "score": "hazard"}'


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return write_runs(tmp_path_factory.mktemp("runs"))


def series(name, runs, tmp_path, *more) -> pd.DataFrame:
    """Return a series that the command measures, as the figure reads it."""
    reads = load_part("retention.series", name).SERIES.reads
    files = {"traces": runs[0], "samples": runs[1]}
    words = [word for option in reads for word in (f"--{option}", *files[option])]
    command(measure_series, name, *words, *more, "--output", tmp_path / "series.csv")
    return read_csv(tmp_path / "series.csv")


def files_of(runs, architecture, seed) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return traces and samples of a run, with the index' split in both."""
    (place,) = [k for k, path in enumerate(runs[1]) if f"{architecture}/seed{seed}" in str(path)]
    samples = pd.read_parquet(runs[1][place])
    traces = pd.read_parquet(runs[0][place])
    splits = samples.set_index("sample_index")["split"]
    return traces.assign(split=traces["sample_index"].map(splits)), samples


def matrix_of(runs, architecture, seed) -> tuple[np.ndarray, pd.DataFrame]:
    """Return who of the training samples is right at which epoch, bool [N, E], and their samples, by sample_index."""
    traces, samples = files_of(runs, architecture, seed)
    training = traces[traces["split"] == "train"]
    matrix = training.pivot(index="sample_index", columns="epoch", values="correct")
    return matrix.to_numpy(), samples.set_index("sample_index").loc[matrix.index]


def test_learning_curves_are_means_over_the_samples_of_a_split(runs, tmp_path):
    table = series("learning_curves", runs, tmp_path)
    assert len(table) == 6 * 2 * 9
    for row in table.sample(20, random_state=1).itertuples():
        traces, _ = files_of(runs, row.architecture, row.seed)
        found = traces[(traces["split"] == row.split) & (traces["epoch"] == row.epoch)]
        assert row.samples == len(found)
        assert row.accuracy == pytest.approx(found["correct"].mean())
        assert row.loss == pytest.approx(found["loss"].mean(), rel=1e-6)
    assert set(table["samples"]) == {10, 50}


def test_traces_without_losses_and_splits_have_accuracies_alone(runs, tmp_path):
    traces = [tmp_path / f"{k}.parquet" for k in range(len(runs[0]))]
    for path, source in zip(traces, runs[0], strict=True):
        pd.read_parquet(source)[["sample_index", "epoch", "correct"]].to_parquet(path)
    whole = series("learning_curves", runs, tmp_path)
    bare = series("learning_curves", (traces, runs[1]), tmp_path)
    pd.testing.assert_frame_equal(bare.drop(columns="loss"), whole.drop(columns="loss"))
    assert bare["loss"].isna().all()


def test_curves_of_unequal_lists_of_files_are_refused(runs, tmp_path):
    for name in ("learning_curves", "retention_curves", "trace_raster"):
        with pytest.raises(UserError, match="--traces: names 1 files, --samples 6; name those"):
            series(name, (runs[0][:1], runs[1]), tmp_path)


def test_retention_is_the_mean_over_the_samples_that_have_a_point(runs, tmp_path):
    table = series("retention_curves", runs, tmp_path)
    assert set(table["definition"]) == {"aligned"}
    for (architecture, seed), rows in table.groupby(["architecture", "seed"]):
        right, samples = matrix_of(runs, architecture, seed)
        values = {time: [] for time in range(1, 9)}
        fitted = {time: [] for time in range(1, 9)}
        rates = samples["aligned_exponential_decay_constant"].to_numpy()
        for trace, rate in zip(right, rates, strict=True):
            if trace.any() and np.isfinite(rate):
                first = int(np.argmax(trace))
                for time in range(1, len(trace) - first):
                    values[time].append(trace[first + time])
                    fitted[time].append(np.exp(-rate * time))
        for statistic, means in (("observed", values), ("exponential", fitted)):
            found = rows[rows["statistic"] == statistic].set_index("time")
            known = [time for time, of in means.items() if of]
            assert list(found.index) == known
            assert found["estimate"].to_numpy() == pytest.approx([np.mean(means[t]) for t in known])
            assert list(found["samples"]) == [len(means[time]) for time in known]


def test_every_definition_that_a_study_fits_has_its_curves(tmp_path):
    from multiverse_study import describe

    runs = write_runs(tmp_path, 40, 8, ("a",), (0,))
    fits = [("aligned", "power"), ("aligned", "scaled_exponential"), ("lag", "exponential_floor")]
    fits += [("confidence", "exponential")]
    text = ", ".join(f'{{"retention": "{trace}", "curve": "{curve}"}}' for trace, curve in fits)
    more = ("--dynamics", f'{{"fits": [{text}], "shuffles": 2}}')
    describe(tmp_path, runs[0][0], runs[1][0], "a", 0, *more)
    table = series("retention_curves", runs, tmp_path)
    found = table.groupby("definition")["statistic"].unique().map(set).to_dict()
    assert found == {
        "aligned": {"observed", "exponential", "power", "scaled_exponential"},
        "confidence": {"observed", "exponential"},
        "lag": {"observed", "exponential_floor"},
    }
    samples = pd.read_parquet(runs[1][0])
    fitted = {key: samples[f"aligned_power_{key}"] for key in ("decay_constant", "a", "c")}
    assert np.isfinite(fitted["decay_constant"]).any()
    assert table["estimate"].between(0, 1).all()


def test_overlaps_are_those_of_f1_at_the_studys_fraction(runs, tmp_path):
    table = series("overlap_against_fraction", runs, tmp_path, "--statistics", STATISTICS)
    words = ["--samples", *runs[1], "--statistics", STATISTICS, "--output", tmp_path / "f.csv"]
    command(measure_finding, "architecture_overlap", *words)
    finding = read_csv(tmp_path / "f.csv")
    own = table[table["own"]]
    assert set(own["fraction"]) == {0.2}
    for kind in ("a vs a", "b vs b", "a vs b"):
        rows = own[(own["comparison"] == kind) & (own["seed"] != own["other_seed"])]
        (f1,) = finding[
            (finding["comparison"] == kind) & (finding["statistic"] == "jaccard")
        ].to_dict("records")
        # both draw lots for ties
        assert rows["estimate"].mean() == pytest.approx(f1["estimate"], abs=0.02)
        assert rows["chance"].mean() == pytest.approx(f1["chance"], abs=0.005)


def test_overlaps_are_counted_pair_by_pair(runs, tmp_path):
    """Where no place is given by lot there is one overlap, which sets tell."""
    statistics = '{"score": "one_minus_retention", "tie_breaks": 3}'
    samples = []
    for place, path in enumerate(runs[1]):
        table = pd.read_parquet(path)
        table["mean_retention"] = np.random.default_rng(place).random(len(table))  # no ties
        samples.append(tmp_path / f"{place}.parquet")
        of_run = {"dataset": "made_up", "architecture": "ab"[place // 3], "seed": str(place % 3)}
        write_with(samples[-1], table, of_run)
    found = series("overlap_against_fraction", ([], samples), tmp_path, "--statistics", statistics)
    assert len(found) == 15 * found["fraction"].nunique()
    assert (found["by_lot"] == 0).all()
    for row in found.sample(25, random_state=0).itertuples():
        names = row.comparison.split(" vs ")
        tops = []
        for name, seed in zip(names, (row.seed, row.other_seed), strict=True):
            table = pd.read_parquet(samples["ab".index(name) * 3 + seed])
            kept = table[(table["split"] == "train")].sort_values("mean_retention")
            tops.append(set(kept["sample_index"].head(round(row.fraction * len(kept)))))
        assert row.estimate == pytest.approx(len(tops[0] & tops[1]) / len(tops[0] | tops[1]))
    assert found["architecture"].isna().sum() == 9 * found["fraction"].nunique()


def write_with(path, table, metadata):
    from retention.common.parquet_tables import write_parquet

    write_parquet(path, table, metadata)


def test_one_run_has_no_overlap(runs, tmp_path):
    found = series("overlap_against_fraction", ([], runs[1][:1]), tmp_path)
    assert found.empty and "by_lot" in found


@pytest.mark.parametrize(("n", "k"), [(60, 6), (500, 50), (20, 20), (9, 1)])
def test_the_range_of_chance_holds_what_random_lists_share(n, k):
    draws = np.random.default_rng(1)
    low, high = chance_range(n, k)
    shared = [len({*draws.permutation(n)[:k]} & {*draws.permutation(n)[:k]}) for _ in range(1000)]
    inside = np.mean([low - 1e-9 <= x / (2 * k - x) <= high + 1e-9 for x in shared])
    assert inside >= 0.93
    below = hypergeom.cdf(round(2 * k * low / (1 + low)) - 1, n, k, k)
    assert below <= 0.025 + 1e-9


def test_the_raster_has_every_sample_once_and_the_mean_of_the_seeds(runs, tmp_path):
    table = series("trace_raster", runs, tmp_path)
    for architecture, rows in table.groupby("architecture"):
        right = np.mean([matrix_of(runs, architecture, seed)[0] for seed in range(3)], axis=0)
        drawn = rows.pivot(index="row", columns="epoch", values="estimate").to_numpy()
        assert drawn.shape == right.shape
        assert sorted(map(tuple, drawn.round(9))) == sorted(map(tuple, right.round(9)))
        edges = rows.drop_duplicates("row")
        assert list(edges["first"]) == list(range(50)) and (edges["samples"] == 1).all()


def test_the_raster_is_sorted_by_group_then_hazard(runs, tmp_path):
    table = series("trace_raster", runs, tmp_path)
    for architecture, rows in table.groupby("architecture"):
        found = [matrix_of(runs, architecture, seed) for seed in range(3)]
        keyed = []
        for n in range(50):
            events = [int(((right[n, :-1]) & (~right[n, 1:])).sum()) for right, _ in found]
            learned = [bool(right[n].any()) for right, _ in found]
            hazard = np.nanmean([s["hazard"].iloc[n] for _, s in found]) if any(learned) else 0
            group = 0 if not any(learned) else 1 if sum(events) else 2
            mean_events = sum(events) / max(sum(learned), 1)
            confidence = [
                s["confidence"].iloc[n] for (_, s), ok in zip(found, learned, strict=True) if ok
            ]
            low = np.mean(confidence) if confidence else 0
            trace = np.mean([right[n] for right, _ in found], axis=0)
            keyed.append((group, -hazard, -mean_events, low, n, tuple(trace.round(9))))
        wanted = [key[-1] for key in sorted(keyed)]
        drawn = rows.pivot(index="row", columns="epoch", values="estimate").round(9)
        assert list(drawn.itertuples(index=False, name=None)) == wanted
        words = ("never_learned", "forgotten", "never_forgotten")
        groups = [words[key[0]] for key in sorted(keyed)]
        assert list(rows.drop_duplicates("row")["statistic"]) == groups


def test_many_samples_share_lines_and_none_is_lost(tmp_path, monkeypatch):
    module = load_part("retention.series", "trace_raster", "measure")
    monkeypatch.setattr(module, "ROWS", 12)
    runs = write_runs(tmp_path, 60, 8, ("a",), (0,))
    table = series("trace_raster", runs, tmp_path)
    edges = table.drop_duplicates("row")
    assert 12 <= len(edges) <= 15  # each group has a line at least
    assert edges["samples"].sum() == 50
    assert list(edges["first"]) == [0, *edges["samples"].cumsum()[:-1]]
    right, _ = matrix_of(runs, "a", 0)
    by_epoch = table.assign(sum=table["estimate"] * table["samples"]).groupby("epoch")["sum"].sum()
    assert by_epoch.to_numpy() == pytest.approx(right.sum(axis=0))


def test_every_series_belongs_to_a_figure():
    from retention.workflow.findings import figures_of, series_of

    made = figures_of(list(part_names("retention.findings")))
    assert tuple(series_of(made.values())) == part_names("retention.series")
    assert series_of([]) == []


def test_architectures_are_compared_in_one_order(runs, tmp_path):
    table = series("overlap_against_fraction", runs, tmp_path)
    names = [("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 1), ("b", 2)]
    pairs = table[["comparison", "seed", "other_seed"]].drop_duplicates()
    assert list(pairs.itertuples(index=False, name=None)) == [
        (f"{one[0]} vs {other[0]}", one[1], other[1]) for one, other in combinations(names, 2)
    ]
