"""What the combinations have in common, on tables whose answer is known."""

import numpy as np
import pandas as pd
import pytest

from retention.common.options import defaults
from retention.multiverse.choices import load_choices, plans_of
from retention.multiverse.combinations import combinations_of
from retention.multiverse.known import shares_by_known
from retention.multiverse.options import complete_options
from retention.multiverse.shares import distinguishable, effects, shares_table

CHOICES = load_choices()


def table(y, **levels):
    """Return rows of one comparison as `multiverse_table` has them; the first one is the study's own."""
    found = pd.DataFrame(levels)
    found["estimate"], found["combination"] = y, range(1, len(found) + 1)
    found = found.assign(finding="f", dataset="d", comparison="A", statistic="rho", kind="crossed")
    return found.assign(own=found["combination"] == 1, chance=0.0, p=0.01, note="")


def shares_of(found, names):
    rows = pd.DataFrame(effects(found, names))
    return rows.set_index(["dimension", "share"])["value"].to_dict()


def test_effects_that_add_up_have_the_shares_of_their_squares():
    """y = a + 2b over all a, b of ±1: Var 1 + 4, no interaction."""
    a, b = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]]).T
    found = table(a + 2.0 * b, a=a.astype(str), b=b.astype(str), c="x")
    assert shares_of(found, ["a", "b", "c"]) == pytest.approx(
        {
            ("a", "first_order"): 0.2,
            ("a", "total"): 0.2,
            ("b", "first_order"): 0.8,
            ("b", "total"): 0.8,
        }
    )


def test_what_two_choices_do_together_is_in_the_totals_alone():
    """y = ab: neither moves it on average, each does all of it where the other is known."""
    a, b = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]]).T
    found = shares_of(table(1.0 * a * b, a=a.astype(str), b=b.astype(str)), ["a", "b"])
    assert found == pytest.approx(
        {("a", "first_order"): 0, ("a", "total"): 1, ("b", "first_order"): 0, ("b", "total"): 1}
    )


def test_what_does_not_apply_has_each_of_its_levels_in_equal_parts():
    """A third score without a trace is half as with each trace, so neither choice tells the other."""
    score, trace = ["l", "l", "h"], ["aligned", "raw", ""]
    y = np.array([1.0, 3.0, 5.0])
    found = shares_of(table(y, score=score, trace=trace), ["score", "trace"])
    spread = np.sum((y - 3) ** 2)
    # by hand, with weights 1, 1, ½, ½ of (l, aligned, 1), (l, raw, 3), (h, aligned, 5), (h, raw, 5)
    assert found["score", "first_order"] == pytest.approx((2 * 1**2 + 2**2) / spread)
    aligned, raw = 1.5 * (1 / 3 * 2 / 3) * 4**2, 1.5 * (1 / 3 * 2 / 3) * 2**2
    assert found["score", "total"] == pytest.approx((aligned + raw) / spread)
    means = np.array([(1 + 2.5) / 1.5, (3 + 2.5) / 1.5])
    assert found["trace", "first_order"] == pytest.approx(np.sum(1.5 * (means - 3) ** 2) / spread)
    assert found["trace", "total"] == pytest.approx(2 / spread)


@pytest.mark.parametrize("finding", ["architecture_overlap", "seed_stability", "early_loss"])
def test_a_total_holds_the_first_order_where_choices_hang_on_choices(finding):
    """By the declared factorial: Sobol' shares of independent choices, whatever the estimates are."""
    found = factorial(finding)
    names = list(found)
    for seed in range(5):
        y = np.random.default_rng(seed).normal(size=len(found))
        shares = shares_of(found.assign(estimate=y), names)
        firsts = {name: value for (name, share), value in shares.items() if share != "total"}
        assert len(firsts) > 4 and sum(firsts.values()) <= 1
        for name, value in firsts.items():
            assert shares[name, "total"] >= value - 1e-12, name
            assert shares[name, "total"] > 0.01, name


@pytest.mark.parametrize(
    ("finding", "name"), [("seed_stability", "samples"), ("class_forgetting", "class_value")]
)
def test_a_choice_that_alone_moves_the_number_has_all_of_it(finding, name):
    """Another choice is none beside one of its levels, so its cell is empty there and tells the level."""
    found = factorial(finding)
    y = found[name].map({level: place for place, level in enumerate(found[name].unique())})
    shares = shares_of(found.assign(estimate=y.astype(float)), list(found))
    assert shares[name, "first_order"] == pytest.approx(1)
    assert shares[name, "total"] == pytest.approx(1)
    others = {value for (other, _), value in shares.items() if other != name}
    assert max(others) == pytest.approx(0, abs=1e-12)


def factorial(finding):
    """Return a finding's crossed combinations as the table has them."""
    options = complete_options({"findings": [finding]})
    (plan,) = plans_of(CHOICES, options, defaults("statistics")).values()
    listed = [one for one in combinations_of(CHOICES, plan, 500) if one.kind == "crossed"]
    return pd.DataFrame([dict(one.levels) for one in listed])


def test_a_choice_of_one_level_has_no_share_where_it_does_not_always_apply():
    found = table(
        [1.0, 2.0, 5.0], score=list("llh"), trace=["aligned", "raw", ""], start=["kept", "kept", ""]
    )
    whole = shares_of(found, ["score", "trace", "start"])
    assert {name for name, _ in whole} == {"score", "trace"}
    read = found.replace("", np.nan)  # as it comes back from the file
    assert shares_of(read, ["score", "trace", "start"]) == whole


def test_shares_of_a_random_table_are_those_of_pandas_variances():
    draws = np.random.default_rng(3)
    levels = {
        name: draws.integers(0, number, 60).astype(str)
        for name, number in (("a", 2), ("b", 3), ("c", 2))
    }
    found = table(draws.normal(size=60), **levels).drop_duplicates(["a", "b", "c"])
    shares = shares_of(found, ["a", "b", "c"])
    y, n = found["estimate"], len(found)
    for name in "abc":
        others = [other for other in "abc" if other != name]
        of_level = found.groupby(name)["estimate"]
        first = np.sum(of_level.size() * (of_level.mean() - y.mean()) ** 2) / n / y.var(ddof=0)
        of_rest = found.groupby(others)["estimate"]
        total = np.sum(of_rest.size() * of_rest.var(ddof=0)) / n / y.var(ddof=0)
        assert shares[name, "first_order"] == pytest.approx(first)
        assert shares[name, "total"] == pytest.approx(total)


def test_combinations_that_agree_everywhere_are_one():
    found = pd.concat(
        [
            table([0.5, 0.5 + 1e-12, 0.5, np.nan], trace=list("wxyz")),
            table([0.1, 0.1, 0.2, np.nan], trace=list("wxyz")).assign(comparison="B"),
        ]
    )
    assert distinguishable(found) == [1, 3]


def counts_of(found, comparison="A"):
    shares = shares_table(found, ["trace"])
    rows = shares[(shares["comparison"] == comparison) & (shares["dimension"] == "")]
    return rows.set_index("share")["value"].to_dict(), rows.set_index("share")["of"].to_dict(), rows


def test_counts_of_sign_and_significance():
    found = table([0.5, 0.5, 0.4, -0.2, 0.3, np.nan, 0.9], trace=list("abcdefg"))
    found["kind"] = ["crossed", "crossed", "alone", "named", "crossed", "crossed", "fault"]
    found["p"] = [0.01, 0.01, 0.20, 0.01, 0.04, np.nan, 0.001]
    value, of, rows = counts_of(found)
    assert value == pytest.approx(
        {
            "combinations": 6,
            "not_estimable": 1,
            "distinguishable": 4,
            "with_chance": 4,
            "same_sign": 3 / 4,
            "same_sign_significant": 2 / 4,
        }
    )
    assert of["same_sign"] == of["same_sign_significant"] == 4
    assert rows["definition"].str.endswith("count over a list of choices, no probability").all()


def test_the_sign_is_that_beyond_chance():
    found = table([0.10, 0.04, 0.30], trace=list("abc")).assign(chance=[0.05, 0.05, 0.5])
    assert counts_of(found)[0]["same_sign"] == pytest.approx(1 / 3)
    untested = counts_of(found.assign(chance=0.0, p=np.nan))[0]
    assert untested["same_sign"] == 1 and "same_sign_significant" not in untested


def test_what_is_given_by_lot_has_no_side_of_chance():
    """Where nobody was forgotten all places are lots: above chance or below is a matter of the draw."""
    found = table([0.0541, 0.0543, 0.30], trace=list("abc")).assign(chance=0.0542)
    note = "degenerate: all 40 places given by lot in some pair"
    value = counts_of(found.assign(note=[note, note, ""]))[0]
    assert "same_sign" not in value and value["distinguishable"] == 3
    value = counts_of(found.assign(estimate=[0.2, 0.0543, 0.3], note=["", note, ""]))[0]
    assert (value["same_sign"], value["with_chance"]) == (1, 2)
    partly = "degenerate: 37 of 40 places given by lot in some pair"
    assert counts_of(found.assign(note=[partly, note, ""]))[0]["same_sign"] == 1 / 2


def test_only_what_has_a_value_by_chance_is_held_against_the_studys_own():
    """An estimate without its null is another statistic than the study's excess over chance: its sign is of no account."""
    found = table([-0.1, -0.2, 0.3, 0.9], trace=list("abcd"))
    value, of, _ = counts_of(found.assign(chance=[-0.4, -0.5, 0.4, np.nan]))
    assert (value["distinguishable"], value["with_chance"], of["same_sign"]) == (4, 3, 3)
    assert value["same_sign"] == pytest.approx(2 / 3)  # 0.3 and 0.3 above chance, 0.1 below
    for chance in ([-0.4, *[np.nan] * 3], [np.nan] * 4, [np.nan, 0.1, 0.1, 0.1]):
        value = counts_of(found.assign(chance=chance))[0]
        assert not [name for name in value if name.startswith("same_sign")]
        assert value["with_chance"] == sum(np.isfinite(chance))


@pytest.mark.parametrize("known", [{"trace": "b"}, {"trace": "b", "start": "kept"}, {"trace": "z"}])
def test_what_is_known_leaves_the_combinations_that_have_it(known):
    """By loops over the rows; the study's own is left out, and its sign stays what others are held against."""
    y = [0.5, -0.4, 0.3, -0.2, -0.2, np.nan, 0.9, 7.0]
    traces, starts = ["a", "b", "b", "b", "b", "b", "", "b"], ["kept", "kept", "", "left", "kept"]
    found = table(y, trace=traces, start=[*starts, "kept", "", "kept"])
    found["kind"] = ["crossed"] * 7 + ["fault"]
    shares = shares_by_known(found.replace("", np.nan), ["trace", "start"], known, "trace b (p. 4)")
    assert shares["known"].eq("trace b (p. 4)").all()
    value = shares[shares["dimension"] == ""].set_index("share")["value"]
    kept = [
        row.estimate
        for row in found.itertuples()
        if row.kind == "crossed"
        and all(getattr(row, name) in ("", level) for name, level in known.items())
    ]
    estimates = [one for one in kept if np.isfinite(one)]
    assert value["combinations"] == len(kept) < 7
    assert value["not_estimable"] == len(kept) - len(estimates)
    distinct = set(estimates)
    assert value["distinguishable"] == len(distinct)
    assert value["same_sign"] == sum(one > 0 for one in distinct) / len(distinct)
    assert (value["least"], value["greatest"]) == (min(estimates), max(estimates))
    crossed = shares[shares["dimension"] == "trace"]
    assert crossed.empty  # one level is left


def test_effects_are_of_what_is_crossed_and_estimable():
    found = table([1.0, 2.0, 5.0, np.nan], trace=["a", "b", "c", "a"])
    found["kind"] = ["crossed", "crossed", "alone", "crossed"]
    shares = shares_table(found, ["trace"])
    first = shares[shares["share"] == "first_order"].iloc[0]
    assert first["value"] == pytest.approx(1) and first["of"] == 2
