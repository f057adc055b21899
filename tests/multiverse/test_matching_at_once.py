"""All reported numbers at once: definitions, and which of them give the numbers; against loops over the table."""

from itertools import permutations, product

import numpy as np
import pytest
from made_up_multiverse import (
    ARCHITECTURES,
    LITTLE,
    NAMES,
    OF_PAPER,
    assigned,
    grids,
    meets_naively,
    paper,
    rows_of,
    study_of,
)
from scipy.stats import t

from retention.common.multiverse_tables import AT_ONCE, NOT_EVALUATED
from retention.multiverse.at_once import at_once
from retention.multiverse.grids import NewStudy
from retention.multiverse.jointly import SHARED, Joint, definitions_of
from retention.multiverse.matching import match
from retention.multiverse.targets import RULED_OUT
from retention.multiverse.verdicts import NOT_COMPARABLE


@pytest.fixture(scope="module")
def little():
    return study_of(**LITTLE)


def naive_definitions(table):
    """Return definitions as frozensets of (dimension, level), by merging the findings' own one by one."""
    kept = table[table["kind"] != "fault"]
    merged = [{}]
    for _, rows in kept.groupby("finding", sort=False):
        own = {
            tuple((name, level) for name, level in zip(SHARED, row, strict=True) if level)
            for row in rows[SHARED].to_numpy()
        }
        merged = [
            {**one, **dict(other)}
            for one, other in product(merged, sorted(own))
            if all(one.get(name, level) == level for name, level in other)
        ]
    return merged


def test_definitions_are_those_that_merging_one_by_one_gives(little):
    found_grids = grids(little)
    found = definitions_of(found_grids, [~grid.fault for grid in found_grids])
    wanted = naive_definitions(little)
    assert len(found.levels) == len(wanted)
    listed = [
        tuple(sorted((name, level) for name, level in row.items() if level))
        for row in found.levels.to_dict("records")
    ]
    assert sorted(listed) == sorted(tuple(sorted(one.items())) for one in wanted)
    assert len(np.unique(found.classes)) == len(found.classes)
    for row in (0, len(wanted) // 2, -1):
        for f, grid in enumerate(found_grids):
            inside = grid.levels[found.groups[f] == found.members[row, f]]
            assert len(inside)
            for name in SHARED:
                assert set(inside[name]) <= {"", found.levels[name].iloc[row]}


SCALES = {
    "jaccard": (lambda x: np.arcsin(np.sqrt(x)), lambda x: np.sin(np.clip(x, 0, np.pi / 2)) ** 2),
    "spearman": (np.arctanh, np.tanh),
    "mean_r_squared": (float, float),
}
# What each finding's numbers are: (data set or architecture, low, high); "" for all cells.
REPORTED = {
    "architecture_overlap": [("octdl", 0.34, 0.34), ("cub200", 0.15, 0.15)],
    "fit_quality": [("deit_small", 0.74, 0.74), ("resnet18", 0.52, 0.52)],
    "seed_stability": [("", 0.01, 0.01)],
    "early_loss": [("", 0.3, 0.5)],
}


def gives_naively(combination, finding, times):
    """Return whether the cells of a combination allow for its finding's numbers; times: how much wider intervals get."""
    to, fro = SCALES[combination["statistic"].iloc[0]]
    ends = {}
    for cell in combination.to_dict("records"):
        low, middle, high = (to(cell[name]) for name in ("low", "estimate", "high"))
        where = cell["dataset"], cell["comparison"]
        ends[where] = fro(middle - times * (middle - low)), fro(middle + times * (high - middle))
    fits = []
    for about, low, high in REPORTED[finding]:
        lows, highs = zip(
            *(end for where, end in ends.items() if about in ("", *where)), strict=True
        )
        fits.append(meets_naively(lows, highs, low, high))
    return all(fits)


def joint_naively(table, definition):
    """Return whether each finding has a combination of a definition that gives its numbers, all 14 intervals at 95 %."""
    times = t.ppf(1 - 0.025 / 14, 7) / t.ppf(0.975, 7) * (1 + 8 / 3) ** 0.5
    rows = table[(table["kind"] != "fault") & table["top_fraction"].isin(["", "0.1"])]
    for name, level in definition.items():
        rows = rows[rows[name].isin(["", level])]
    found = {
        finding: any(gives_naively(one, finding, times) for _, one in of.groupby("combination"))
        for finding, of in rows.groupby("finding")
    }
    return len(found) == 4 and all(found.values())


def test_all_numbers_at_once_are_given_by_the_definitions_that_a_loop_finds():
    table = study_of(error=0.06, seed=5, **LITTLE)
    of = table["finding"] == "fit_quality"  # R² near those reported
    table.loc[of, ["estimate", "low", "high"]] += (
        np.where(table.loc[of, "comparison"] == "deit_small", 0.74, 0.52)[:, None] - 0.2
    )
    of = table["finding"] == "architecture_overlap"
    for name in ("estimate", "low", "high"):
        table.loc[of, name] = table.loc[of, name] / 1.3
    of_table, numbers = grids(table), paper().numbers
    (only,) = assigned(of_table)
    assert only.text == ""
    joint = Joint(
        of_table, numbers, [only], definitions_of(of_table, [~grid.fault for grid in of_table])
    )
    found = joint.status()[0] != RULED_OUT
    wanted = [
        joint_naively(table, {name: level for name, level in row.items() if level})
        for row in joint.definitions.levels.to_dict("records")
    ]
    assert found.tolist() == wanted
    assert 0 < sum(wanted) < len(wanted)
    listed, row = at_once(of_table, paper(), 1)
    assert row["matches"] + row["undecided"] == sum(wanted) and row["classes"] == len(wanted)
    assert len(listed[listed["kind"] == ""]) == sum(wanted)


def test_what_is_known_narrows_the_definitions(little):
    known = {"curve": "exponential", "r_squared": "raw"}
    kept = little
    for name, level in known.items():
        kept = kept[kept[name].isin(["", level])]
    wanted = len(naive_definitions(kept))
    row = match(little, paper(known), NAMES, NewStudy(8, 3), draws=1)[1].iloc[-1]
    assert row["classes"] == wanted < len(naive_definitions(little))
    row = match(little, paper({"trace": "lag"}), NAMES, NewStudy(8, 3), draws=1)[1].iloc[-1]
    assert (row["here"], row["classes"]) == (NOT_EVALUATED, 0) and "trace lag" in row["reason"]


def test_the_base_rate_is_that_of_definitions_that_are_alike_or_far_apart(little):
    """R² tells no definition from another, ranks of seeds all: those that share the latter match each other's studies."""
    table = little[little["kind"] != "fault"].copy()
    table = table[table["finding"].isin(["fit_quality", "seed_stability"])]
    number = table["combination"].to_numpy()
    seeds = (table["finding"] == "seed_stability").to_numpy()
    far = -0.9 + 1.8 * number / number[seeds].max()
    table["estimate"] = np.where(seeds, far, 1e-6 * number)
    half = np.where(seeds, 1e-3, 1e-9)
    table["low"], table["high"] = table["estimate"] - half, table["estimate"] + half
    of_seeds = [set(one.items()) for one in naive_definitions(table[seeds])]
    sizes = np.array(
        [sum(key <= set(one.items()) for one in naive_definitions(table)) for key in of_seeds]
    )
    assert sizes.sum() == len(naive_definitions(table)) and sizes.max() > 1
    row = match(table, paper(), NAMES, NewStudy(8, 3), draws=400)[1].iloc[-1]
    assert row["classes"] == sizes.sum()
    expected = (sizes**2).sum() / sizes.sum()
    assert row["base_rate"] == pytest.approx(expected, rel=0.1)


def test_own_and_named_definitions_are_marked(little):
    table = little.assign(low=-0.9, high=0.9)
    table.loc[table["finding"] == "architecture_overlap", "low"] = 0.001
    matches, _ = match(table, paper(), NAMES, NewStudy(8, 3), draws=1)
    at_all = matches[(matches["reported"] == AT_ONCE) & (matches["kind"] == "")]
    (own,) = at_all[at_all["own"].astype(bool)].to_dict("records")
    assert (own["named"], own["trace"], own["r_squared"], own["flat"]) == (
        "ours",
        "aligned",
        "raw",
        "dropped",
    )
    faults = matches[(matches["reported"] == AT_ONCE) & (matches["kind"] == "fault")]
    assert set(faults["status"]) == {"too wide to tell"}
    told = {
        (name, level)
        for name in ("ties", "never_learned", "split")
        for level in set(faults[name].dropna())
    }
    assert {
        ("ties", "file_order"),
        ("split", "by_position"),
        ("never_learned", "sorted_last"),
    } <= told


def test_errors_that_give_all_numbers_at_once_are_told_apart_from_definitions(little):
    """Overlaps as reported come from ties in the order of the file alone, all else from the study's own choice."""
    table = little.copy()
    table["estimate"] = np.where(table["own"], 0.0, -0.6)  # what gives no number lies far away
    wanted = {"deit_small": 0.74, "resnet18": 0.52}
    of = table["own"] & (table["finding"] == "fit_quality")
    table.loc[of, "estimate"] = table.loc[of, "comparison"].map(wanted)
    table.loc[table["own"] & (table["finding"] == "seed_stability"), "estimate"] = 0.01
    of = table["own"] & (table["finding"] == "early_loss")
    table.loc[of, "estimate"] = np.where(table.loc[of, "comparison"] == "resnet18", 0.3, 0.5)
    overlap = table["finding"] == "architecture_overlap"
    table.loc[overlap, "estimate"] = 0.8
    given = overlap & (table["ties"] == "file_order")
    table.loc[given, "estimate"] = table.loc[given, "dataset"].map({"octdl": 0.34, "cub200": 0.15})
    table.loc[overlap & (table["combination"] == 2), "estimate"] = 0.01  # a wide range
    table["low"], table["high"] = table["estimate"] - 1e-3, table["estimate"] + 1e-3
    matches, summary = match(table, paper(), NAMES, NewStudy(8, 3), draws=1)
    row = summary.iloc[-1]
    assert (row["matches"], row["faults"]) == (0, "ties file_order")
    assert row["here"] == "no definition of the list gives such a number here"
    (only,) = matches[matches["reported"] == AT_ONCE].to_dict("records")
    assert (only["kind"], only["ties"], only["trace"]) == ("fault", "file_order", "aligned")
    assert only["status"] == "an error of this kind gives such a number"


def test_an_error_that_changes_no_number_is_none_at_once(little):
    """As above, but the ties' order gives what the study's own choice does."""
    table = little.assign(low=-0.9, high=0.9)
    table.loc[table["finding"] == "architecture_overlap", "low"] = 0.001
    before = match(table, paper(), NAMES, NewStudy(8, 3), draws=1)[0]
    fault = table["ties"] == "file_order"
    keys = [name for name in NAMES if name != "ties"] + ["finding", "dataset", "comparison"]
    right = table[table["ties"] == "lots"].set_index(keys)["estimate"]
    found = [right[tuple(key)] for key in table.loc[fault, keys].itertuples(index=False)]
    assert len(found) == 2
    table.loc[fault, "estimate"] = found
    after = match(table, paper(), NAMES, NewStudy(8, 3), draws=1)[0]
    for matches, there in ((before, True), (after, False)):
        at_all = matches[matches["reported"] == AT_ONCE]
        assert ("file_order" in set(at_all["ties"])) == there
        assert "by_position" in set(at_all["split"])


def test_other_data_and_networks_stand_for_the_papers_in_every_way():
    table = study_of(("digits",), ("resnet", "vit"), **LITTLE)
    matches, summary = match(table, paper(), NAMES, NewStudy(3, 3), draws=2)
    evaluated = summary[summary["here"] != NOT_EVALUATED]
    assert len(evaluated) == len(summary)
    assert evaluated["verdict"].eq(NOT_COMPARABLE).all()
    assert evaluated["reason"].eq("not a data set of the paper").all()
    assert matches["verdict"].eq(NOT_COMPARABLE).all()
    assert len(rows_of(summary, "0.34")) == len(rows_of(summary, "0.15")) == 1
    assert len(rows_of(summary, "0.74")) == 2  # each network may be it
    assert {frozenset(one.text.split(", ")) for one in assigned(grids(table))} == {
        frozenset([f"digits for {name}", f"{first} for deit_small", f"{second} for resnet18"])
        for name in OF_PAPER
        for first, second in permutations(("resnet", "vit"))
    }
    mixed = study_of(("digits", "octdl"), ("deit_small", "resnet18", "vit"), **LITTLE)
    mixed = mixed[mixed["finding"] != "architecture_overlap"]
    (one,) = assigned(grids(mixed))
    assert set(one.datasets) == {"octdl"} and set(one.architectures) == set(ARCHITECTURES)
    *_, row = match(mixed, paper(), NAMES, NewStudy(3, 3), draws=1)[1].to_dict("records")
    assert row["verdict"] == row["here"]
    assert row["left_out"] == "0.34 (octdl), 0.15 (cub200)"
    assert row["asked"] == "0.74 (deit_small), 0.52 (resnet18), about 0.01, 0.30 to 0.50"
