"""One reported number and the combinations that give it: intervals, classes, counts; against truths worked out otherwise."""

from dataclasses import replace

import numpy as np
import pytest
from made_up_multiverse import LITTLE, NAMES, grid_of, meets_naively, paper, rows_of, study_of
from scipy.stats import t

from retention.audits.paper_comparison import prediction_interval
from retention.common.multiverse_tables import AT_ONCE, NOT_EVALUATED
from retention.multiverse.grids import NewStudy
from retention.multiverse.matching import match
from retention.multiverse.targets import meets
from retention.multiverse.verdicts import CANNOT, GIVE, NONE, verdict


@pytest.fixture(scope="module")
def little():
    return study_of(**LITTLE)


@pytest.mark.parametrize(("ours", "theirs"), [(8, 3), (3, 3), (4, 8)])
def test_a_new_study_is_predicted_as_the_comparison_with_the_paper_does(ours, theirs, little):
    table = little[little["finding"] == "fit_quality"].copy()
    error = np.random.default_rng(1).uniform(0.01, 0.1, len(table))
    half = t.ppf(0.975, ours - 1) * error
    table["low"], table["high"] = table["estimate"] - half, table["estimate"] + half
    grid = grid_of(table, "fit_quality", ours, theirs)
    low, high = grid.predicted(0.95)
    for place, cell in enumerate(grid.cells):
        rows = (table["dataset"] == cell.dataset) & (table["comparison"] == cell.comparison)
        for k, (estimate, deviation) in enumerate(
            zip(table.loc[rows, "estimate"], error[rows], strict=True)
        ):
            wanted = prediction_interval(estimate, deviation, ours, theirs)
            assert (low[k, place], high[k, place]) == pytest.approx(wanted)


def test_intervals_grow_on_the_scale_that_they_were_taken_on(little):
    table = little[little["finding"] == "seed_stability"]
    grid = grid_of(table.assign(target="these runs"), "seed_stability", 6, 3)
    low, high = grid.predicted(0.95)
    first = table.iloc[0]
    z = np.arctanh([first["low"], first["estimate"], first["high"]])
    assert low[0, 0] == pytest.approx(np.tanh(z[1] - 3**0.5 * (z[1] - z[0])))
    assert high[0, 0] == pytest.approx(np.tanh(z[1] + 3**0.5 * (z[2] - z[1])))
    wide_low, wide_high = grid.predicted(0.99)
    times = 2.5758293035489004 / 1.959963984540054  # of the normal distribution
    assert np.arctanh(wide_high[0, 0]) - z[1] == pytest.approx(times * 3**0.5 * (z[2] - z[1]))
    assert (wide_low < low).all() and (high < wide_high).all()


def test_drawn_studies_lie_in_the_predicted_interval_as_often_as_it_says(little):
    for finding, over_seeds in (("architecture_overlap", True), ("early_loss", False)):
        table = little.assign(target="new runs" if over_seeds else "these runs")
        grid = grid_of(table, finding, 5, 3)
        low, high = grid.predicted(0.95)
        draws = np.random.default_rng(2)
        found = np.array([grid.drawn(3, draws) for _ in range(4000)])
        inside = (low[3] <= found) & (found <= high[3])
        assert inside.mean() == pytest.approx(0.95, abs=0.012)
        assert (found < low[3]).mean() == pytest.approx(0.025, abs=0.01)


def test_narrow_is_a_quarter_of_the_range_without_faults(little):
    table = little.copy()
    fault = table["kind"] == "fault"
    table.loc[fault, "estimate"] = 5.0
    cell = table[~fault].groupby(["finding", "dataset", "comparison"])["estimate"]
    reach = (cell.max() - cell.min()).rename("reach").reset_index()
    keys = ["finding", "dataset", "comparison"]
    whole = table[keys].merge(reach, on=keys, how="left")["reach"].to_numpy()
    half = whole * np.random.default_rng(4).uniform(0, 0.25, len(table))
    table["low"], table["high"] = table["estimate"] - half, table["estimate"] + half
    for finding, of_finding in table.groupby("finding"):
        grid = grid_of(table, finding)
        narrow = grid.narrow(np.ones(len(grid.levels), dtype=bool))
        for place, cell in enumerate(grid.cells):
            rows = of_finding[
                (of_finding["dataset"] == cell.dataset)
                & (of_finding["comparison"] == cell.comparison)
            ]
            honest = rows.loc[rows["kind"] != "fault", "estimate"]
            width = rows["high"] - rows["low"]
            wanted = width < (honest.max() - honest.min()) / 4
            assert (narrow[:, place] == wanted).all() and 0 < wanted.mean() < 1


@pytest.mark.parametrize(
    ("ours", "theirs", "over", "alike"),
    [(8, 3, 3, True), (8, 5, 3, False), (3, 3, 8, True), (8, 8, 3, False), (5, 8, 8, False)],
)
def test_means_over_other_numbers_of_seeds_are_never_told_apart(little, ours, theirs, over, alike):
    """A mean over 8 seeds ranks samples more reliably than one over 3, so that its numbers lie elsewhere."""
    study = NewStudy(ours, theirs, over)
    for finding in ("architecture_overlap", "early_loss"):
        grid = replace(grid_of(little, finding), study=study)
        averaged = (grid.levels["pairs"] == "averaged").to_numpy()
        low, high = grid.predicted(0.95)
        assert 0 < averaged.sum() < len(averaged)
        assert np.isfinite(low[~averaged]).all() and np.isfinite(high[~averaged]).all()
        assert np.isfinite(low[averaged]).all() == alike
    matches, _ = match(little, paper(), NAMES, study, draws=5)
    found = matches[matches["finding"].eq("early_loss") & matches["pairs"].eq("averaged")]
    every = little["finding"].eq("early_loss") & little["pairs"].eq("averaged")
    if not alike:  # none of them is ruled out
        assert found["status"].eq("too wide to tell").all()
        assert len(found) == (every & little["kind"].ne("fault")).sum()


@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("asked", [(0.3, 0.5), (0.34, 0.34)])
def test_a_number_is_one_cells_or_a_mean_and_a_range_has_its_ends(number, asked):
    draws = np.random.default_rng(number)
    middle = draws.uniform(0.1, 0.7, (3000, number))
    half = draws.uniform(0, 0.2, (3000, number))
    found = meets(middle - half, middle + half, *asked)
    wanted = [
        meets_naively(a, b, *asked) for a, b in zip(middle - half, middle + half, strict=True)
    ]
    assert found.tolist() == wanted
    assert 0.02 < found.mean() < 0.98


def test_a_number_counts_the_combinations_that_a_loop_over_the_table_finds():
    little = study_of(error=0.008, **LITTLE)
    matches, summary = match(little, paper(), NAMES, NewStudy(8, 3), draws=2)
    row = rows_of(summary, "0.34").iloc[0]
    of = little[(little["finding"] == "architecture_overlap") & (little["dataset"] == "octdl")]
    of = of[of["top_fraction"] == "0.1"]
    honest = of[of["kind"] != "fault"]
    width = honest["estimate"].max() - honest["estimate"].min()
    wanted = {"matches": 0, "undecided": 0}
    for one in honest.itertuples():
        a, b, c = (np.arcsin(np.sqrt(v)) for v in (one.low, one.estimate, one.high))
        grown = (1 + 8 / 3) ** 0.5
        low = np.sin(max(b - grown * (b - a), 0)) ** 2
        high = np.sin(min(b + grown * (c - b), np.pi / 2)) ** 2
        if low - 0.005 <= 0.34 <= high + 0.005:
            wanted["matches" if one.high - one.low < width / 4 else "undecided"] += 1
    assert wanted["matches"] > 0
    assert row[list(wanted)].to_dict() == wanted
    both = little[little["combination"].isin(honest["combination"]) & little["kind"].ne("fault")]
    both = both[both["finding"] == "architecture_overlap"]
    wide = both.pivot(index="combination", columns="dataset", values="estimate")
    assert row["classes"] == len(wide.round(9).drop_duplicates())
    listed = matches[(matches["reported"] == "0.34 (octdl)") & (matches["kind"] != "fault")]
    assert len(listed) == sum(wanted.values())
    assert (listed["top_fraction"] == "0.1").all()
    assert len(rows_of(summary, "0.34")) == 1  # octdl's number is not held against CUB


def test_each_number_is_held_against_the_cells_that_it_is_about(little):
    _, summary = match(little, paper(), NAMES, NewStudy(8, 3), draws=1)
    held_against = summary.groupby("reported")["comparison"].apply(
        lambda names: sorted(names.dropna())
    )
    both = "deit_small vs resnet18"
    assert held_against.to_dict() == {
        "0.34 (octdl)": [both],
        "0.15 (cub200)": [both],
        "0.74 (deit_small)": ["deit_small"] * 2,
        "0.52 (resnet18)": ["resnet18"] * 2,
        "about 0.01": ["deit_small"] * 2 + ["resnet18"] * 2,
        "0.30 to 0.50": ["deit_small"] * 2 + ["resnet18"] * 2,
        AT_ONCE: [],
    }
    assert summary["reported"].tolist()[-1] == AT_ONCE
    assert (summary["verdict"] == summary["here"]).all() and summary["reason"].eq("").all()


def test_combinations_with_the_same_estimates_are_one_class(little):
    """A hazard and a curve that rank alike in all cells are one, however many rows they have."""
    table = little.copy()
    of = table["finding"] == "seed_stability"
    honest = table.loc[of & (table["kind"] != "fault")]
    first, second = sorted(honest["combination"].unique())[:2]
    for name in ("estimate", "low", "high"):
        for _, cell in table[of].groupby(["dataset", "comparison"]):
            value = cell.loc[cell["combination"] == first, name].iloc[0]
            table.loc[cell.index[cell["combination"] == second], name] = value + 1e-12
    before = match(little, paper(), NAMES, NewStudy(8, 3), draws=1)[1]
    after = match(table, paper(), NAMES, NewStudy(8, 3), draws=1)[1]
    assert (rows_of(after, "0.01")["classes"] == rows_of(before, "0.01")["classes"] - 1).all()
    apart = table.copy()
    apart.loc[
        of & (apart["combination"] == second) & (apart["dataset"] == "octdl"), "estimate"
    ] += 1e-3
    again = match(apart, paper(), NAMES, NewStudy(8, 3), draws=1)[1]
    assert (rows_of(again, "0.01")["classes"] == rows_of(before, "0.01")["classes"]).all()


def test_what_is_known_narrows_the_classes_and_not_what_counts_as_narrow(little):
    numbers = NewStudy(8, 3)
    matches, summary = match(little, paper(), NAMES, numbers, draws=1)
    known = {"curve": "exponential", "pairs": "same_seed"}
    fewer, narrowed = match(little, paper(known), NAMES, numbers, draws=1)
    row = rows_of(narrowed, "0.34").iloc[0]
    of = little[(little["finding"] == "architecture_overlap") & (little["dataset"] == "octdl")]
    of = of[of["top_fraction"].eq("0.1") & of["kind"].ne("fault") & of["pairs"].eq("same_seed")]
    assert row["classes"] == of["curve"].isin(["", "exponential"]).sum()
    assert row["classes"] < rows_of(summary, "0.34").iloc[0]["classes"]
    assert row["known"] == (
        "curve exponential (p. 1), top_fraction 0.1 (the abstract), pairs same_seed (p. 1)"
    )

    def chosen(table):
        of_number = table[table["reported"] == "0.34 (octdl)"]
        kept = of_number["curve"].isin(["", "exponential"]) & (of_number["pairs"] == "same_seed")
        return of_number.loc[kept, ["combination", "status"]].values.tolist()

    assert chosen(fewer) == chosen(matches)
    assert (fewer.loc[fewer["pairs"].fillna("").ne(""), "pairs"] == "same_seed").all()
    none = match(little, paper({"estimator": "log_linear"}), NAMES, numbers, draws=1)[1]
    row = rows_of(none, "0.74").iloc[0]
    assert (row["here"], row["classes"]) == (NOT_EVALUATED, 0)
    assert "estimator log_linear" in row["reason"] and "multiverse.add" in row["reason"]


def test_what_leaves_nothing_is_named_where_it_is_a_choice(little):
    """No finding but F1 has a top fraction, and adding levels to what has no estimate helps nobody."""
    empty = little.copy()
    none = "no combination of fit_quality has an estimate"
    of = empty["finding"] == "fit_quality"
    empty.loc[of, ["estimate", "low", "high", "p"]] = np.nan
    summary = match(empty, paper(), NAMES, NewStudy(8, 3), draws=1)[1]
    assert rows_of(summary, "0.74")["reason"].eq(none).all()
    assert summary.iloc[-1]["reason"] == none
    known = paper({"flat": "zero", "trace": "lag"})
    lacking = match(little, known, NAMES, NewStudy(8, 3), draws=1)[1]
    assert (
        rows_of(lacking, "0.74")["reason"]
        .eq(
            "no combination with an estimate has trace lag, flat zero; add such levels (multiverse.add)"
        )
        .all()
    )


def test_one_definition_that_is_left_and_fits_is_enough():
    assert verdict(1, 0, 1) == GIVE
    assert verdict(0, 0, 5) == NONE
    assert verdict(2, 0, 15) == CANNOT
    assert verdict(1, 0, 15) == GIVE
    assert (verdict(20, 0, 200), verdict(21, 0, 200)) == (GIVE, CANNOT)
    assert (verdict(15, 5, 200), verdict(15, 6, 200)) == (GIVE, CANNOT)
    assert verdict(0, 3, 200) == CANNOT  # what is too wide rules nothing out
    assert verdict(0, 0, 0) == NOT_EVALUATED


def test_faults_have_rows_of_their_own_and_count_nowhere(little):
    table = little.copy()
    lots = table["ties"] == "file_order"
    octdl = lots & (table["dataset"] == "octdl")
    table.loc[octdl, ["estimate", "low", "high"]] = 0.34, 0.33, 0.35
    table.loc[lots & ~octdl, ["estimate", "low", "high"]] = 0.9, 0.89, 0.91
    matches, summary = match(table, paper(), NAMES, NewStudy(8, 3), draws=1)
    row, before = (
        rows_of(one, "0.34").iloc[0]
        for one in (summary, match(little, paper(), NAMES, NewStudy(8, 3), draws=1)[1])
    )
    assert "ties file_order" in row["faults"]
    counts = ["classes", "matches", "undecided", "here"]
    assert row[counts].tolist() == before[counts].tolist()
    (told,) = matches.loc[
        (matches["ties"] == "file_order") & (matches["reported"] == "0.34 (octdl)"), "status"
    ]
    assert told == "an error of this kind gives such a number"
    assert "ties file_order" not in rows_of(summary, "0.15").iloc[0]["faults"]
    assert "ties file_order" not in summary.iloc[-1]["faults"]  # 0.15 it does not give


@pytest.mark.parametrize("same", [1, 7])
def test_the_base_rate_is_that_of_classes_that_are_alike_or_far_apart(same):
    """Of classes that lie together all match each other's studies 19 times in 20; others far away never do."""
    table = study_of(**LITTLE)
    table = table[table["finding"].eq("seed_stability") & table["kind"].ne("fault")].copy()
    number = table["combination"].rank(method="dense").astype(int) - 1
    group = number // same
    centre = -0.9 + 1.8 * group / group.max()
    table["estimate"] = centre + 1e-5 * (number % same)
    table["low"], table["high"] = table["estimate"] - 1e-3, table["estimate"] + 1e-3
    _, summary = match(table, paper(), NAMES, NewStudy(8, 3), draws=600)
    sizes = np.unique(number // same, return_counts=True)[1] // 4  # of four cells
    expected = (sizes**2).sum() / sizes.sum()
    for row in rows_of(summary, "0.01").itertuples():
        assert row.base_rate == pytest.approx(expected, rel=0.05)
        assert row.truth_kept >= 0.95  # rounding to two digits is wider than the interval here


def test_the_base_rate_counts_what_the_verdict_rests_on(little):
    """With intervals too wide to tell nothing matches, and nearly all classes are left of every target."""
    wide = little.assign(low=little["estimate"] - 0.9, high=little["estimate"] + 0.9)
    wide = wide[wide["finding"] == "fit_quality"]
    _, summary = match(wide, paper(), NAMES, NewStudy(8, 3), draws=300)
    for row in rows_of(summary, "0.74").itertuples():
        assert (row.matches, row.here) == (0, CANNOT)
        assert row.base_rate > 0.9 * row.classes
        assert row.truth_kept == pytest.approx(0.95, abs=0.04)
    whole = summary.iloc[-1]
    assert whole["matches"] == 0 < whole["base_rate"] <= whole["classes"]
    assert whole["truth_kept"] > 0.85


def test_an_error_that_changes_nothing_is_no_way_to_a_number(little):
    """By position is by sample within a run: the number is our own, and no error gives it."""
    table = little.copy()
    early = table["finding"] == "early_loss"
    table.loc[early, ["estimate", "low", "high"]] = 0.4, 0.39, 0.41
    table.loc[early & (table["combination"] == 2), ["estimate", "low", "high"]] = -0.9, -0.91, -0.89
    wrong = early & (table["split"] == "by_position")
    table.loc[wrong, "estimate"] = 0.4004  # what would be reported is the same
    assert wrong.any()
    matches, summary = match(table, paper(), NAMES, NewStudy(8, 3), draws=1)
    assert rows_of(summary, "0.30 to 0.50")["faults"].eq("").all()
    assert "by_position" not in set(matches.loc[matches["finding"] == "early_loss", "split"])
    table.loc[wrong, "estimate"] = 0.4051
    matches, summary = match(table, paper(), NAMES, NewStudy(8, 3), draws=1)
    assert rows_of(summary, "0.30 to 0.50")["faults"].eq("split by_position").all()
    assert "by_position" in set(matches.loc[matches["finding"] == "early_loss", "split"])


def test_with_two_seeds_nothing_is_told(little):
    matches, summary = match(little, paper(), NAMES, NewStudy(2, 3), draws=5)
    assert summary["here"].eq(CANNOT).all() and summary["matches"].eq(0).all()
    assert summary["base_rate"].isna().all()
    assert summary["reason"].str.contains("fewer than 3").all()
    assert set(matches["status"]) == {"too wide to tell"}
