"""Runs as they may come: one, undefined, all alike, of other labels; told in one line or left out."""

import warnings

import numpy as np
import pandas as pd
import pytest
from planted_runs import OPTIONS, N, pick, run_of
from scipy.stats import spearmanr

from retention.commands import measure_finding
from retention.common.errors import UserError
from retention.common.parquet_tables import write_parquet
from retention.findings.architecture_overlap import measure as architecture_overlap
from retention.findings.class_forgetting import measure as class_forgetting
from retention.findings.class_forgetting import structure as class_structure
from retention.findings.early_loss import measure as early_loss
from retention.findings.fit_quality import measure as fit_quality
from retention.findings.seed_stability import measure as seed_stability
from retention.runs.reading import read_runs

FEW = OPTIONS | {"resamples": 49, "tie_breaks": 5}


def random_runs(seeds=3, architectures=("a",), **columns):
    draws = np.random.default_rng(1)
    return [
        run_of(name, seed, decay_constant=draws.random(N), **columns)
        for name in architectures
        for seed in range(seeds)
    ]


def stored(folder, name, dataset="d", treatment="random", **columns):
    table = random_runs(1)[0].samples.assign(split="train").assign(**columns)
    identity = {"dataset": dataset, "architecture": "a", "seed": name, "treatment": treatment}
    path = folder / f"{name}.parquet"
    write_parquet(path, table, identity)
    return path


def test_one_run_agrees_with_nothing():
    one = random_runs(1)
    for finding in (architecture_overlap, seed_stability):
        with pytest.raises(UserError, match="needs two or more"):
            finding.measure(one, FEW)
    table = class_forgetting.measure(one, FEW, {}, {})
    assert "kendalls_w" not in set(table["statistic"])  # one ranking always agrees with itself


def test_a_run_without_scores_is_left_out_of_the_interval_over_seeds():
    """Five seeds of which one has no score are the four others, interval and all."""
    four = random_runs(4)
    five = [*four, run_of("a", 4, decay_constant=np.full(N, np.nan))]
    expected, found = (
        pick(seed_stability.measure(runs, FEW), "a", "spearman") for runs in (four, five)
    )
    for name in ("estimate", "low", "high", "p"):
        assert found[name] == pytest.approx(expected[name]), name


def test_all_alike_is_not_estimable_and_warns_of_nothing():
    alike = dict.fromkeys(("decay_constant_from_1", "hazard_odd", "hazard_even", "loss_0"), 0.0)
    alike |= {"r_squared": np.nan, "r_squared_null": np.nan, "fit_status": "constant"}
    alike |= {"forgetting_events": 0.0, "hazard": 0.1}
    runs = [
        run_of(name, seed, decay_constant=np.zeros(N), **alike)
        for name in "ab"
        for seed in range(3)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        for finding in (architecture_overlap, seed_stability, early_loss, fit_quality):
            table = finding.measure(runs, FEW)
            assert table["p"].isna().all(), finding
        table = class_forgetting.measure(runs, FEW, {}, {})
    assert np.isnan(pick(table, "a", "kendalls_w")["estimate"])


def test_classes_of_one_sample_have_no_shares_of_variance():
    table = seed_stability.measure([run_of("a", seed, np.arange(N)) for seed in range(3)], FEW)
    assert not table["statistic"].str.startswith("variance").any()


def test_a_covariate_that_does_not_vary_takes_nothing_off():
    x, y = np.random.default_rng(3).normal(size=(2, 8))
    plain = spearmanr(x, y).statistic
    assert class_structure.rank_correlation(x, y, np.full(8, 30.0)) == pytest.approx(plain)
    both = class_structure.rank_correlation(x, np.stack([y, x]), np.full(8, 30.0))
    np.testing.assert_allclose(both, [plain, 1])


def test_a_class_without_a_centroid_is_nobodys_nearest():
    centroids = np.array([[1.0, 0], [1, 1], [-2, -1], [np.nan, np.nan]])  # the three sum to 0
    found = class_structure.nearest_similarity(centroids)
    np.testing.assert_allclose(found[:2], 1 / np.sqrt(2))
    assert found[2] == pytest.approx(-2 / np.sqrt(5))
    assert np.isnan(found[3])


def test_equal_shares_of_true_families_are_not_called_different():
    """Counts of one distribution at both occasions; permuted families called a third of these different."""
    draws = np.random.default_rng(4)
    classes = np.arange(N) % 40
    families = {f"c{c}": f"family {c // 2}" for c in range(40)}
    runs = [run_of("a", seed, classes) for seed in range(2)]
    label, predicted = np.nonzero(~np.eye(40, dtype=bool))
    expected = np.where(label // 2 == predicted // 2, 12.0, 0.3) * draws.gamma(1, size=len(label))
    called = 0
    for _ in range(20):
        pieces = [
            pd.DataFrame({"occasion": occasion, "label": label, "predicted": predicted}).assign(
                count=draws.poisson(expected)
            )
            for occasion in ("forgetting", "other_error")
        ]
        table = class_forgetting.measure(runs, FEW, {"a": pd.concat(pieces)}, {}, families)
        called += pick(table, "a", "family_share_difference")["p"] < 0.05
        assert pick(table, "a", "family_share_forgetting")["p"] < 0.05
    assert called <= 4


def test_confusions_that_share_nothing_agree_at_their_chance():
    """Rare confusions, of which most are seen on one occasion alone: far below 0 by selection."""
    draws = np.random.default_rng(5)
    classes = np.arange(N) % 20
    label, predicted = np.nonzero(~np.eye(20, dtype=bool))
    pieces = [
        pd.DataFrame({"occasion": occasion, "label": label, "predicted": predicted}).assign(
            count=draws.poisson(0.3 * draws.gamma(1, size=len(label)))
        )
        for occasion in ("forgetting", "other_error")
    ]
    runs = [run_of("a", seed, classes) for seed in range(2)]
    table = class_forgetting.measure(runs, FEW, {"a": pd.concat(pieces)}, {})
    found = pick(table, "a", "confusion_agreement")
    assert found["chance"] < -0.5
    assert found["estimate"] == pytest.approx(found["chance"], abs=0.15)


def test_halves_that_disagree_are_no_less_reliable_than_minus_one():
    up = np.random.default_rng(6).random(N)
    runs = [run_of("a", seed, hazard_odd=up, hazard_even=-up) for seed in range(3)]
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        assert pick(seed_stability.measure(runs, FEW), "a", "split_half")["estimate"] == -1


def test_n_counts_the_samples_that_are_compared():
    half = np.where(np.arange(N) < N // 2, np.random.default_rng(2).random(N), np.nan)
    runs = [run_of(name, seed, decay_constant=half) for name in "ab" for seed in range(2)]
    stability = seed_stability.measure(runs, FEW)
    for statistic in ("spearman", "kendall", "split_half"):
        assert pick(stability, "a", statistic)["n"] == N / 2, statistic
    assert pick(stability, "a", "phi_ever_forgotten")["n"] == N
    overlap = architecture_overlap.measure(runs, FEW)
    assert pick(overlap, "a vs b", "spearman")["n"] == N / 2
    assert pick(class_forgetting.measure(runs, FEW, {}, {}), "a: c0", "class_hazard")["n"] == N / 8
    events = np.where(np.arange(N) < 30, 1.0, 9.0)  # b: 30 of 1 event; a: 100 of 1, none of more
    fitted = {"a": np.where(np.arange(N) < 100, 0.5, np.nan), "b": np.full(N, 0.4)}
    more = {"a": np.ones(N), "b": events}
    runs = [
        run_of(name, seed, r_squared=fitted[name], forgetting_events=more[name])
        for name in "ab"
        for seed in range(2)
    ]
    table = fit_quality.measure(runs, FEW)
    assert pick(table, "a minus b", "difference_r_squared")["n"] == (100 + N) / 2
    assert pick(table, "a minus b", "difference_matched_events")["n"] == 30


@pytest.mark.parametrize(
    "columns, told",
    [
        ({"label": np.arange(N) % 5}, r"1\.parquet: .* have another label than in .*0\.parquet"),
        ({"group": "g"}, "400 samples have another group"),
        ({"class_name": [None] + ["c0"] * (N - 1)}, "1 samples lack class_name, the first is .* 0"),
        (
            {"treatment": "pruned"},
            "is of the treatment pruned, .* of random; a finding is about one",
        ),
        ({"dataset": "e"}, "is of the data set e, .* of d; a finding is about one"),
    ],
)
def test_runs_of_other_labels_are_refused(tmp_path, columns, told):
    paths = [stored(tmp_path, "0"), stored(tmp_path, "1", **columns)]
    with pytest.raises(UserError, match=told):
        read_runs(paths)


def test_tables_name_the_treatment_of_their_runs(tmp_path):
    paths = [stored(tmp_path, str(seed), treatment="spaced_repetition") for seed in range(2)]
    table = fit_quality.measure(read_runs(paths), FEW)
    assert set(table["treatment"]) == {"spaced_repetition"}


def confusions(tmp_path, labels):
    rows = [("forgetting", labels[0], labels[1], 3), ("other_error", labels[1], labels[0], 2)]
    path = tmp_path / "confusions.csv"
    pd.DataFrame(rows, columns=["occasion", "label", "predicted", "count"]).to_csv(path)
    return path


def class_command(tmp_path, *options):
    statistics = '{"resamples": 99, "tie_breaks": 2}'
    output = tmp_path / "table.csv"
    samples = ["--samples", str(stored(tmp_path, "0")), str(stored(tmp_path, "1"))]
    words = [*samples, "--statistics", statistics, "--output", str(output), *map(str, options)]
    measure_finding.main(["class_forgetting", *words])
    return pd.read_csv(output)


def test_families_need_not_be_given(tmp_path):
    assert len(class_command(tmp_path)) == 5  # four classes and their concordance


def test_families_are_given_as_one_would_type_them(tmp_path):
    path = confusions(tmp_path, [0, 1])
    for families in ("last_word", '"last_word"', '{"c0": "x", "c1": "x"}'):
        table = class_command(tmp_path, "--confusions", path, path, "--families", families)
        assert ("family_share_forgetting" in set(table["statistic"])) == (families[0] == "{")
    with pytest.raises(UserError, match="--families: 'last_wrd' is neither last_word nor a JSON"):
        class_command(tmp_path, "--families", "last_wrd")


def test_centroids_and_confusions_of_other_labels_are_refused(tmp_path):
    centroids = tmp_path / "centroids.npy"
    np.save(centroids, np.eye(3))
    with pytest.raises(UserError, match=r"--centroids: 3 rows, .* do not fit the labels .* 0 to 3"):
        class_command(tmp_path, "--centroids", centroids, centroids)
    for array, told in (
        (np.eye(4)[0], r"centroids.npy: is float64 \(4,\); expected float \(classes, width\)"),
        (np.eye(4, dtype=int), r"centroids.npy: is int64 \(4, 4\); expected float"),
    ):
        np.save(centroids, array)
        with pytest.raises(UserError, match=told):
            class_command(tmp_path, "--centroids", centroids, centroids)
    np.save(tmp_path / "wider.npy", np.ones((4, 5)))
    np.save(centroids, np.eye(4))
    with pytest.raises(UserError, match=r"those of one architecture are \(4, 4\) and \(4, 5\)"):
        class_command(tmp_path, "--centroids", centroids, tmp_path / "wider.npy")
    with pytest.raises(UserError, match=r"none.npy: there is no such file"):
        class_command(tmp_path, "--centroids", centroids, tmp_path / "none.npy")
    path = confusions(tmp_path, ["c0", "c1"])
    with pytest.raises(UserError, match=r"--confusions: c0 is no label of --samples, .* 0 to 3"):
        class_command(tmp_path, "--confusions", path, path)
