"""Ensemble coverage against brute force over sets, hand-worked cases and planted complementarity."""

import gc
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from simulated_members import certain, members_of, noisy_study, pick

from retention.common.errors import UserError
from retention.common.options import defaults
from retention.common.parquet_tables import read_metadata, read_parquet, write_parquet
from retention.findings.ensemble_coverage.measure import measure
from retention.findings.ensemble_coverage.rules import all_ensembles
from retention.runs.members import read_members
from retention.statistics.linear_intervals import group_covariance, linear_interval
from retention.statistics.resampling import bootstrap_weights, new_runs

STATISTICS = defaults("statistics")


def brute_force(probabilities, labels, runs, size, rule):
    """Mean share held by composition, ensemble by ensemble with python sets."""
    held_by = [
        {i for i, row in enumerate(member) if int(row.argmax()) == labels[i]}
        for member in probabilities
    ]
    shares = {}
    for chosen in combinations(range(len(runs)), size):
        if rule == "any":
            held = set().union(*(held_by[m] for m in chosen))
        elif rule == "majority":
            votes = [i for m in chosen for i in held_by[m]]
            held = {i for i in votes if votes.count(i) > size / 2}
        else:
            total = sum(probabilities[m].astype(float) for m in chosen)
            held = {i for i, row in enumerate(total) if int(row.argmax()) == labels[i]}
        kind = " + ".join(sorted(runs[m][0] for m in chosen))
        shares.setdefault(kind, []).append(len(held) / len(labels))
    return {kind: np.mean(values) for kind, values in shares.items()}


def test_coverage_is_that_of_sets_at_every_epoch_with_ties():
    draws = np.random.default_rng(0)
    labels = draws.integers(0, 4, 60)
    runs = [("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 1)]
    probabilities = draws.dirichlet(np.full(4, 0.6), (5, 3, 60)).astype(np.float16)
    probabilities[:, :, :30] = np.round(probabilities[:, :, :30] * 4) / 4  # many ties
    split = np.repeat(["test", "train"], 30)
    table = measure(members_of(probabilities, labels, runs, split), STATISTICS)
    compared = 0
    for size in (2, 3):
        for rule in ("any", "majority", "average"):
            for name, place in (("test", slice(0, 30)), ("train", slice(30, 60))):
                for epoch in range(3):
                    expected = brute_force(
                        probabilities[:, epoch, place], labels[place], runs, size, rule
                    )
                    for kind, share in expected.items():
                        columns = {"split": name, "epoch": epoch}
                        found = pick(table, kind, f"epoch_coverage_{rule}", **columns)
                        assert found["estimate"] == pytest.approx(share, abs=1e-6)
                        compared += 1
                        if epoch == 2:
                            end = pick(table, kind, f"coverage_{rule}", split=name)
                            assert end["estimate"] == pytest.approx(share, abs=1e-6)
    assert compared == 3 * 2 * 3 * (3 + 3)  # "b + b + b" has too few runs


def test_diversity_worked_by_hand():
    labels = np.zeros(10, dtype=int)
    right = np.array([[1, 1, 1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0, 1, 1, 0, 0]], dtype=bool)
    table = measure(members_of(certain(right, labels), labels, [("a", 0), ("b", 0)]), STATISTICS)
    for statistic, expected, chance in (
        ("double_fault", 0.2, 0.16),
        ("disagreement", 0.4, 0.48),
        ("error_correlation", (0.2 - 0.16) / 0.24, 0.0),
        ("coverage_any", 0.8, 0.6),
        ("coverage_majority", 0.4, 0.6),
    ):
        found = pick(table, "a + b", statistic)
        assert found["estimate"] == pytest.approx(expected, abs=1e-6), statistic
        assert found["chance"] == pytest.approx(chance), statistic
    assert pick(table, "a + b", "coverage_any")["ceiling"] == pytest.approx(1 - 0.16)
    assert pick(table, "a + b", "coverage_majority")["ceiling"] == pytest.approx(0.36)


def test_no_ensemble_holds_a_run_twice_and_all_are_there():
    ensembles = all_ensembles(["a"] * 8 + ["b"] * 8 + ["c"] * 8, [*range(8)] * 3)
    for size, number in ((1, 24), (2, 276), (3, 2024)):
        rows = ensembles.members[ensembles.sizes == size][:, :size]
        assert len(rows) == number
        assert len({frozenset(row) for row in rows.tolist()}) == number
        assert all(len(set(row)) == size for row in rows.tolist())
    mixed = ensembles.of(("a", "b"))
    assert mixed.sum() == 64  # the runs of one seed are two runs


def write_member(folder, seed, architecture="a", number=20, **changes):
    draws = np.random.default_rng(seed)
    labels = np.arange(number) % 2
    right = draws.random(number) < 0.7
    samples = pd.DataFrame(
        {
            "split": "train",
            "sample_index": np.arange(number),
            "label": labels,
            "class_name": labels.astype(str),
            "group": np.arange(number).astype(str),
            "learned_for_good": np.where(right, 1.0, np.nan),
        }
    )
    identity = {"dataset": "d", "architecture": architecture, "seed": str(seed)} | changes
    paths = folder / f"{architecture}{seed}.parquet", folder / f"{architecture}{seed}.npy"
    write_parquet(paths[0], samples, identity)
    np.save(paths[1], certain(right[None], labels)[0].astype(np.float16))
    return paths


def test_members_that_can_not_be_members_are_refused(tmp_path):
    one, other = write_member(tmp_path, 0), write_member(tmp_path, 1)
    twice = tmp_path / "copy.parquet"
    twice.write_bytes(one[0].read_bytes())
    with pytest.raises(UserError, match=r"names a run twice: \('a', 0\); no run is paired with"):
        read_members([one[0], twice], [one[1], one[1]])
    with pytest.raises(UserError, match="1 files for 2 --samples"):
        read_members([one[0], other[0]], [one[1]])
    swapped = read_members([one[0], other[0]], [other[1], one[1]])
    with pytest.raises(UserError, match=r"a, seed 0: .* disagree on \d+ of 20 samples"):
        measure(swapped, STATISTICS)
    with pytest.raises(UserError, match="names one run; an ensemble needs two"):
        read_members([one[0]], [one[1]])
    short = write_member(tmp_path, 2, number=10)
    with pytest.raises(UserError, match="has other samples"):
        read_members([one[0], short[0]], [one[1], short[1]])
    with pytest.raises(UserError, match=r"expected float16 \(epochs, samples, classes\)"):
        read_members([one[0]], [short[1]])
    treated = write_member(tmp_path, 3, treatment="class_balanced")
    with pytest.raises(UserError, match="one treatment; there are random and class_balanced"):
        read_members([one[0], treated[0]], [one[1], treated[1]])
    np.save(one[1], np.load(one[1]) - np.float16(1))
    with pytest.raises(UserError, match=r"a0.npy: holds numbers outside \[0, 1\]"):
        read_members([one[0], other[0]], [one[1], other[1]])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda a: a[:, :, :1],
            r"a0.npy: has 1 classes, and the labels of \S*a0.parquet are 0 to 1",
        ),
        (
            lambda a: a[:, 1:],
            r"a0.npy: is float16 \(1, 19, 2\); expected float16 .* the 20 samples",
        ),
        (lambda a: a[0], r"a0.npy: is float16 \(20, 2\); expected float16"),
        (lambda a: a.astype(np.float32), r"a0.npy: is float32 \(1, 20, 2\); expected float16"),
        (
            lambda a: a * np.float16("nan"),
            "a0.npy: holds numbers outside .* or NaN, at stored epoch 0",
        ),
        (lambda a: a.astype(object), "a0.npy: cannot be read as .npy"),
    ],
    ids=["classes", "rows", "dimensions", "type", "NaN", "objects"],
)
def test_probabilities_that_do_not_fit_are_refused_by_their_file(tmp_path, change, told):
    paths = write_member(tmp_path, 0)
    np.save(paths[1], change(np.load(paths[1])), allow_pickle=True)
    with pytest.raises(UserError, match=told):
        read_members([paths[0], write_member(tmp_path, 1)[0]], [paths[1], paths[1]])


def test_labels_that_are_words_have_no_column_of_probabilities(tmp_path):
    samples, probabilities = write_member(tmp_path, 0)
    table = read_parquet(samples)
    write_parquet(samples, table.assign(label=table["label"].astype(str)), read_metadata(samples))
    with pytest.raises(UserError, match="its labels are str; expected whole numbers, the columns"):
        read_members([samples, samples], [probabilities, probabilities])


def test_runs_may_differ_from_their_description_in_exact_ties_alone():
    """Of 200 samples one is otherwise than described: a tie of float16, or the file of another run."""
    labels = np.arange(200) % 2
    right = np.random.default_rng(8).random((2, 200)) < 0.98
    probabilities = certain(right, labels)
    wrong = np.flatnonzero(~right[0])[0]
    for label, other, fails in ((0.5, 0.5, False), (0.499, 0.501, True)):
        probabilities[0, 0, wrong, [labels[wrong], 1 - labels[wrong]]] = label, other
        members = members_of(probabilities, labels, [("a", 0), ("a", 1)])
        for claimed in (False, True):
            members.last_right[wrong, 0] = claimed
            if fails and claimed:
                with pytest.raises(UserError, match=r"a, seed 0: .* disagree on 1 of 200 samples"):
                    measure(members, STATISTICS)
            else:
                assert len(measure(members, STATISTICS))


def test_the_covariance_in_closed_form_is_the_group_bootstraps():
    draws = np.random.default_rng(1)
    groups = np.repeat(np.arange(40), draws.integers(1, 4, 40))
    classes = (groups % 3 == 0).astype(int) + (groups == 5) * 2  # a class of one group
    values = draws.normal(size=(len(groups), 3))
    weights = bootstrap_weights(groups, classes, 40_000, draws)
    exact = group_covariance(values, groups, classes)
    resampled = np.cov((weights @ values).T)
    np.testing.assert_allclose(exact, resampled, atol=0.03 * exact.diagonal().max())


def test_a_linear_interval_is_that_of_resampled_runs():
    draws = np.random.default_rng(2)
    number, seeds = 300, 5
    values = 0.3 * draws.normal(size=seeds) + draws.normal(size=(number, seeds))
    groups, classes = np.arange(number), np.zeros(number, dtype=int)
    weights = bootstrap_weights(groups, classes, 20_000, draws)
    resampled = weights @ values / weights.sum(axis=1, keepdims=True)
    expected = new_runs(values.mean(axis=0), resampled, np.eye(seeds, dtype=bool), number)
    means = np.hstack([np.full((seeds, 1), 1 / seeds), (1 - np.eye(seeds)) / (seeds - 1)])
    noise = means.T @ group_covariance((values - values.mean(axis=0)) / number, groups, classes)
    found = linear_interval(values.mean(axis=0) @ means, noise @ means, number)
    assert found.target == expected.target == "new runs"
    assert found.estimate == pytest.approx(expected.estimate)
    assert found.standard_error == pytest.approx(expected.standard_error, rel=0.02)
    assert found.degrees == pytest.approx(expected.degrees, rel=0.05)


def test_what_no_resample_changes_has_no_interval():
    labels = np.r_[np.zeros(172, dtype=int), 1]  # the one that is lost is a class of its own
    right = np.ones((6, 173), dtype=bool)
    right[:, 172] = False
    runs = [(name, seed) for name in "ab" for seed in range(3)]
    table = measure(members_of(certain(right, labels), labels, runs), STATISTICS)
    found = pick(table, "a + b", "coverage_any")
    assert found["estimate"] == pytest.approx(172 / 173)
    assert np.isnan(found["low"])


def test_intervals_of_ensembles_cover_the_truth():
    draws = np.random.default_rng(4)
    truth = 1 - (240 * 0.05**2 + 60 * 0.8**2) / 300
    inside = []
    gc.freeze()  # statsmodels collects garbage at each correction
    for _ in range(25):
        members, _ = noisy_study(draws, own=False)
        found = pick(measure(members, STATISTICS), "a + b", "coverage_any")
        inside.append(found["low"] < truth < found["high"])
    assert sum(inside) >= 19  # of 25 at 95 %, fewer happen less than once in a thousand times
