"""What a gallery shows: chosen as a person would by hand, said as it is, and nothing of a name runs."""

import re
from dataclasses import replace

import numpy as np
import pytest
from naive_gallery import ORDERS, class_hazard, stated
from shown_runs import drawn_study, write_study

from retention.pages.chosen import (
    held_and_lost,
    most_forgotten,
    never_forgotten,
    never_learned,
    standing_of,
)
from retention.pages.gallery import counts_of
from retention.pages.gallery_plan import FEWEST, LISTS, MOST, plan_of, shown_per_list
from retention.pages.rasters import ranges, raster_of
from retention.pages.sheet import read_sheet
from retention.pages.taken_for import taken_for
from retention.reporting.look import Look

LOOK = Look(("resnet", "vit"), {"vit": "ViT-B"})


@pytest.fixture(scope="module")
def study():
    return drawn_study(each=40)


@pytest.fixture(scope="module")
def paths(study, tmp_path_factory):
    return write_study(study, tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def sheet(paths):
    return read_sheet(paths["samples"], paths["index"][0], paths["traces"])


def indices(plan, choice) -> list[int]:
    return plan.sheet.samples["sample_index"].iloc[choice.places].tolist()


def assert_chosen(plan, choice, members: dict[int, dict], order, count: int) -> None:
    """Assert that a choice has the first of some samples by an order, and says what it leaves out."""
    ranked = sorted(members, key=lambda index: (order(members[index]), index))
    assert indices(plan, choice) == ranked[:count]
    assert choice.of == len(ranked)
    last = order(members[ranked[:count][-1]])[0] if ranked else None
    assert choice.tied == sum(order(members[index])[0] == last for index in ranked[count:])


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("architecture", ["resnet", "vit"])
def test_lists_of_classes_are_chosen_as_by_hand(sheet, study, kind, architecture):
    plan, (belongs, order) = plan_of(sheet, LOOK), ORDERS[kind]
    found = stated(study, architecture)
    labels = dict(zip(study.samples["sample_index"], study.samples["label"], strict=True))
    for of_class in plan.classes:
        members = {i: s for i, s in found.items() if labels[i] == of_class.label and belongs(s)}
        assert_chosen(plan, of_class.lists[kind][architecture], members, order, MOST)
        expected = class_hazard(study, architecture, of_class.label)
        assert of_class.hazards[architecture] == pytest.approx(expected)
        assert of_class.samples == sum(labels[i] == of_class.label for i in found)


def test_classes_come_by_hazard_and_those_without_one_last(tmp_path):
    study = drawn_study(["never", "often", "seldom"], runs=[("a", 0), ("b", 0)])
    for name, flips in (("a", 2), ("b", 1)):
        correct = study.correct[name, 0]
        correct[:] = True
        correct[study.samples["label"] == 0] = False
        for epoch in range(1, 1 + 2 * flips, 2):
            correct[study.samples["label"] == 1, epoch] = False
    plan = plan_of(read_sheet(write_study(study, tmp_path)["samples"]), LOOK)
    assert [found.title for found in plan.classes] == ["often", "seldom", "never"]
    assert plan.classes[0].hazards == {"a": 2 / 3, "b": 1 / 4}  # six epochs, the last no risk
    assert plan.classes[0].forgotten == {"a": 16, "b": 16}
    assert all(np.isnan(hazard) for hazard in plan.classes[2].hazards.values())


def test_what_most_runs_never_learned_comes_last_among_the_most_forgotten(tmp_path):
    study = drawn_study(["one"], runs=[("a", seed) for seed in range(3)])
    first, second = study.samples.index[study.samples["split"] == "train"][:2]
    for seed in range(3):
        correct = study.correct["a", seed]
        correct[:] = True
        correct[first] = False  # learned by one run of three, for an epoch
        correct[second, 2] = False
    study.correct["a", 0][first, 1] = True
    sheet = read_sheet(write_study(study, tmp_path)["samples"])
    training = sheet.only((sheet.samples["split"] == "train").to_numpy())
    chosen = most_forgotten(standing_of(training), 5)
    numbers = training.samples["sample_index"].iloc[chosen.places].tolist()
    assert numbers == study.samples.loc[[second, first], "sample_index"].tolist()
    assert most_forgotten(standing_of(training), 1).tied == 0


@pytest.mark.parametrize("count", [1, 5, 500])
def test_what_is_left_out_though_it_ranks_equal_is_counted(sheet, study, count):
    """The lots have many equal hazards: the cut goes through them."""
    plan = plan_of(sheet, LOOK)
    for kind, choose in LISTS.items():
        belongs, order = ORDERS[kind]
        members = {i: s for i, s in stated(study, "vit").items() if belongs(s)}
        choice = choose(plan.standings["vit"], count)
        assert_chosen(plan, choice, members, order, count)
    for choose in (most_forgotten, never_forgotten):
        assert any(choose(plan.standings["vit"], cut).tied for cut in range(1, 20))


def test_the_most_forgotten_of_all_average_over_all_runs(sheet, study):
    plan, (belongs, order) = plan_of(sheet, LOOK), ORDERS["most forgotten"]
    members = {i: s for i, s in stated(study).items() if belongs(s)}
    assert_chosen(plan, plan.of_all, members, order, 24)


def test_disagreements_are_held_by_one_and_lost_by_the_other(sheet, study):
    plan = plan_of(sheet, LOOK)
    assert [(d.holder, d.loser) for d in plan.disagreements] == [
        ("resnet", "vit"),
        ("vit", "resnet"),
    ]
    for found in plan.disagreements:
        holder, loser = stated(study, found.holder), stated(study, found.loser)
        members = {
            i: {**loser[i], "difference": holder[i]["hazard"] - loser[i]["hazard"]}
            for i in holder
            if holder[i]["lost"] == holder[i]["unlearned"] == 0 and loser[i]["lost"] > 1.5
        }
        assert len(members) > 0
        assert_chosen(
            plan,
            found.choice,
            members,
            lambda s: (round(s["difference"], 9), -s["events"], round(s["confidence"], 9)),
            24,
        )


def test_half_of_the_seeds_are_not_most(tmp_path):
    """Of two seeds both must lose a sample, of one this one."""
    runs = [("a", 0), ("b", 0), ("b", 1)]
    study = drawn_study(["x"], each=2, epochs=4, runs=runs, held_out=0)
    held, lost = [1, 1, 1, 1], [1, 0, 1, 1]
    study.correct.update(
        {("a", 0): np.array([held, held]) == 1, ("b", 0): np.array([lost, lost]) == 1}
    )
    study.correct["b", 1] = np.array([held, lost]) == 1
    plan = plan_of(read_sheet(write_study(study, tmp_path)["samples"]), LOOK)
    choice = held_and_lost(plan.standings["a"], plan.standings["b"], 9)
    assert indices(plan, choice) == [study.samples["sample_index"][1]]


def test_the_counts_add_up_to_the_training_samples(sheet, study):
    for architecture, counts in counts_of(plan_of(sheet, LOOK)).items():
        found = stated(study, architecture).values()
        never_forgotten, forgotten, never_learned_ = (
            sum(ORDERS[kind][0](s) for s in found)
            for kind in ("never forgotten", "most forgotten", "never learned")
        )
        assert (counts.never_forgotten, counts.forgotten) == (never_forgotten, forgotten)
        assert counts.never_learned == never_learned_
        rest = len(found) - never_forgotten - forgotten - never_learned_
        assert counts.otherwise == rest


def test_without_confidences_equals_stay_in_the_order_of_samples(study, tmp_path):
    bare = replace(study, confidence={})
    plan = plan_of(read_sheet(write_study(bare, tmp_path)["samples"]), LOOK)
    choice = never_learned(plan.standings["vit"], 3)
    assert choice.of > 3 and choice.tied == choice.of - 3
    assert indices(plan, choice) == sorted(indices(plan, choice))


def cells(path: str) -> set[tuple[int, float]]:
    """Return the rows and left edges of the cells that an SVG path of horizontal lines goes through."""
    found = set()
    for left, row, length in re.findall(r"M([\d.]+) (\d+)\.5h(\d+)", path):
        found |= {(int(row), round(float(left) + step, 3)) for step in range(int(length))}
    assert re.fullmatch(r"(M[\d.]+ \d+\.5h\d+)*", path)
    return found


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("number", [3, 9, 130])
def test_rasters_draw_every_epoch_of_every_seed(first, number):
    correct = np.random.default_rng(number).random((4, number)) < 0.6
    raster = raster_of(correct, np.arange(first, first + number), (0, 1, 2, 7))
    left = [e + (0.7 if first == 0 and e > 0 else 0) for e in range(number)]  # epoch 0 stands apart
    for drawn, expected in ((raster.right, correct), (raster.wrong, ~correct)):
        assert cells(drawn) == {
            (run, round(left[e], 3)) for run in range(4) for e in range(number) if expected[run, e]
        }
    assert (raster.width, raster.rows) == (pytest.approx(left[-1] + 1), 4)
    assert raster.separate == (number <= 60)


def test_rasters_are_said_in_words():
    correct = np.array([[1, 0, 0, 0, 1, 0], [1] * 6, [0] * 6, [1, 1, 1, 1, 0, 1]]) == 1
    assert raster_of(correct, np.arange(6), (0, 1, 5, 9)).words == (
        "seed 0: wrong at epochs 1 to 3, 5; seed 1: right at every epoch; seed 5: wrong at every epoch; "
        "seed 9: wrong at epoch 4"
    )
    assert (
        ranges([]) == "" and ranges([3]) == "3" and ranges([3, 4, 6, 8, 9]) == "3 to 4, 6, 8 to 9"
    )


def test_what_a_sample_is_taken_for_is_counted_at_its_forgetting_events():
    names = {0: "a", 1: "b", 2: "c"}
    correct = np.array([[0, 1, 0, 0, 1, 0], [1, 0, 1, 1, 1, 0]]) == 1
    predicted = np.array([[2, 0, 1, 2, 0, 1], [0, 1, 0, 0, 0, 2]])
    found = taken_for(correct, predicted, names)
    assert (found.classes, found.count, found.of, found.lost) == (("b",), 3, 4, True)
    predicted[0, 2] = 2
    assert taken_for(correct, predicted, names).classes == ("b", "c")
    assert taken_for(correct, None, names) is None
    assert taken_for(np.ones((2, 4), bool), np.zeros((2, 4), int), names) is None
    never = taken_for(np.zeros((1, 3), bool), np.array([[1, 7, 7]]), names)
    assert (never.classes, never.count, never.of, never.lost) == (("label 7",), 2, 3, False)


def test_the_more_classes_the_fewer_samples_of_each():
    numbers = [shown_per_list(classes, 2) for classes in (1, 7, 10, 100, 200, 1000, 20000)]
    assert numbers[0] == numbers[2] == MOST and numbers[-1] == numbers[-2] == FEWEST
    assert numbers == sorted(numbers, reverse=True) and numbers[4] == 6  # as docs/gallery.md says
    assert 200 * 2 * len(LISTS) * numbers[4] <= 8000
