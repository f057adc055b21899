"""What a ranking finds of planted labels: against rankings made by hand and counts made one by one."""

import numpy as np
import pandas as pd
import pytest

from retention.commands.measure_planted import main
from retention.common.csv_tables import read_csv, write_csv
from retention.common.errors import UserError
from retention.reporting.recovered import CAVEAT, TEXT, recovered, sentences
from retention.suspects.recovery import RANKINGS, Draw, recovery, reviewed_first


def ranking(wrong, samples=100, groups=None, seed=0):
    """Return suspects.csv of so many samples, of which those at the places `wrong` (0: worst) have a planted label."""
    rng = np.random.default_rng(seed)
    indices = rng.permutation(samples)
    table = pd.DataFrame({"rank": np.arange(1, samples + 1), "sample_index": indices})
    table["sample_id"] = [f"s{index}" for index in indices]
    table["group"] = "" if groups is None else [groups[index] for index in indices]
    scores = np.linspace(1.2, 0.1, samples)
    table = table.assign(label=0, runs=2, score=scores, error_norm=scores, aum=-scores)
    table = table.assign(confidence=np.nan, never_learned_share=(scores > 0.9).astype(float))
    table.loc[[*wrong], "label"] = 1
    return table


def drawn(wrong, kind="random", number=1, **more):
    suspects = ranking(wrong, seed=number, **more)
    chosen = suspects.iloc[[*wrong]]
    rows = {"sample_index": chosen["sample_index"], "sample_id": chosen["sample_id"]}
    planted = pd.DataFrame(rows | {"group": chosen["group"], "planted_label": 1})
    return Draw(planted.assign(kind=kind, draw=number), suspects)


def by_depth(table, kind="random", name="rank"):
    rows = table[(table["kind"] == kind) & (table["ranking"] == name)]
    return rows.set_index("depth")


def test_recall_is_what_counting_gives():
    one, other = [0, 3, 4, 9, 50], [0, 1, 2, 19, 99]
    found = by_depth(recovery("d", [drawn(one), drawn(other, number=2)]))
    for depth, reviewed in ({"1 %": 1, "2 %": 2, "5 %": 5, "10 %": 10, "20 %": 20}).items():
        hits = sum(place < reviewed for place in one + other)
        assert found.loc[depth, "recall"] == pytest.approx(hits / 10)
        assert found.loc[depth, "reviewed"] == reviewed
        assert found.loc[depth, "precision_low"] == pytest.approx(hits / (2 * reviewed))
    assert found.loc["as many as planted", ["reviewed", "recall"]].tolist() == [5, 0.6]
    assert (found["precision_high"] == 1).all()
    assert (
        set(found["planted"]) == {10} and set(found["draws"]) == {2} and set(found["runs"]) == {2}
    )


def test_kinds_are_counted_apart_and_worst_and_best_rankings_are_told():
    first, last = range(5), range(95, 100)
    table = recovery("d", [drawn(first), drawn(last, kind="confusions")])
    assert by_depth(table).loc["5 %", "recall"] == 1
    assert (by_depth(table, "confusions")["recall"] == 0).all()
    for name in ("error_norm", "aum"):
        assert by_depth(table, name=name)["recall"].tolist() == by_depth(table)["recall"].tolist()
    assert "confidence" not in set(table["ranking"])  # NaN alone
    assert set(table["ranking"]) == {"rank", "error_norm", "aum", "never_learned_share"}


def naive_chance(values, reviewed, orders=4000):
    """Return how often each sample is among the first in random orders of tied ones."""
    rng, count = np.random.default_rng(0), np.zeros(len(values))
    filled = np.where(np.isnan(values), -1e9, values)
    for _ in range(orders):
        count[np.lexsort([rng.random(len(values)), -filled])[:reviewed]] += 1
    return count / orders


@pytest.mark.parametrize("reviewed", [1, 3, 4, 7])
def test_tied_samples_share_the_places_and_those_without_a_score_come_last(reviewed):
    values = np.array([2.0, 1, 1, np.nan, 1, 0, np.nan, 2])
    found = reviewed_first(values, reviewed)
    assert found.sum() == pytest.approx(reviewed)
    assert found == pytest.approx(naive_chance(values, reviewed), abs=0.04)


def test_fewer_than_fifty_groups_have_no_interval():
    many = [drawn(range(25), number=number) for number in (1, 2)]
    groups = {index: f"g{index // 2}" for index in range(100)}
    few = [drawn(range(25), number=number, groups=groups) for number in (1, 2)]
    distinct = len({*many[0].planted["sample_id"], *many[1].planted["sample_id"]})
    found = by_depth(recovery("d", many))
    assert set(found["planted_groups"]) == {distinct}
    for draws in (many, few):
        table = by_depth(recovery("d", draws))
        enough = table["planted_groups"].iloc[0] >= 50
        assert table["low"].notna().all() == enough
        assert (table["interval"] == "too few planted").all() != enough
    assert not any("95 %" in line for line in sentences(recovery("d", few)))


def test_three_draws_count_how_they_differ():
    alike = [drawn([*range(20), 50], samples=400, number=number) for number in (1, 2, 3)]
    found = by_depth(recovery("d", alike))
    assert set(found["interval"]) == {"samples and draws"}
    uneven = [
        drawn([*range(5 * n), *range(100, 121 - 5 * n)], samples=400, number=n) for n in (1, 2, 3)
    ]
    wider = by_depth(recovery("d", uneven)).loc["5 %"]
    assert wider["high"] - wider["low"] > 0.5
    assert set(by_depth(recovery("d", alike[:2]))["interval"]) <= {
        "samples alone",
        "too few planted",
    }


def test_sentences_tell_the_ranking_and_that_hands_err_otherwise():
    draws = [drawn([*range(27), 60, 300, 350], samples=500, number=number) for number in (1, 2)]
    table = recovery("d", draws)
    lines = list(sentences(table))
    row = by_depth(table).loc["as many as planted"]
    assert lines[0].startswith("Labels planted wrong at random (60 in 2 draws, ")
    assert (
        f"finds 90 % (95 % interval {100 * row.low:.0f} to {100 * row.high:.0f} %) of them"
        in lines[0]
    )
    assert lines[1] == (
        "Each copy was ranked by 2 runs on its labels. Intervals do not count how draws differ, which takes three or more."
    )
    assert lines[-1] == CAVEAT
    assert recovered([table])[0] == "## Labels planted wrong (d)"
    assert recovered([]) == []
    assert all(len(part.split()) <= 40 for line in lines for part in line.split(". "))


def written(folder, draws):
    words = {"planted": [], "suspects": []}
    for number, draw in enumerate(draws):
        for name in words:
            path = folder / f"{name}{number}.csv"
            write_csv(path, getattr(draw, name))
            words[name].append(str(path))
    return ["--planted", *words["planted"], "--suspects", *words["suspects"]]


def test_the_command_writes_what_the_library_measures(tmp_path, capsys):
    draws = [drawn(range(5)), drawn(range(3, 8), number=2, kind="confusions")]
    main(["--dataset", "d", *written(tmp_path, draws), "--output", str(tmp_path / "out.csv")])
    pd.testing.assert_frame_equal(read_csv(tmp_path / "out.csv", TEXT), recovery("d", draws))
    assert "by the confusions of runs" in capsys.readouterr().out


def test_what_does_not_belong_together_is_one_line(tmp_path):
    right, other = drawn(range(5)), drawn(range(40, 45), number=2)
    undone = Draw(right.planted, right.suspects.assign(label=0))
    part = Draw(right.planted, right.suspects.iloc[3:])
    empty = Draw(right.planted.iloc[:0], right.suspects)
    for draw, said in (
        (
            Draw(right.planted, other.suspects),
            "were ranked with another label than the planted one; train",
        ),
        (undone, "5 planted samples .* were ranked with another label"),
        (part, "3 planted samples .* are not among those ranked; give --suspects in the order"),
        (empty, r"planted0\.csv: names no sample"),
        (Draw(right.planted, right.suspects.drop(columns="rank")), r"lacks the column\(s\) rank"),
    ):
        words = ["--dataset", "d", *written(tmp_path, [draw]), "--output", str(tmp_path / "o.csv")]
        with pytest.raises(UserError, match=said) as raised:
            main(words)
        assert "\n" not in str(raised.value)
    with pytest.raises(UserError, match="1 files, --planted: 2; expected one of each"):
        main([*written(tmp_path, [right, other])[:-1], "--dataset", "d", "--output", "o.csv"])


def test_every_ranking_is_a_column_of_suspects():
    from retention.suspects.ranking import SCORES

    assert {*SCORES} <= {*RANKINGS}
    assert all(RANKINGS[name] == sign for name, sign in SCORES.items())
