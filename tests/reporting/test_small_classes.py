"""What the summary says of classes whose single held-out images move balanced accuracy far."""

import pandas as pd
import pytest
from finding_rows import comparison, rows_of, run_of
from no_paper import NO_PAPER

from retention.reporting.small_classes import small_classes
from retention.reporting.summary import write

AUDIT = pd.DataFrame({"check": ["a"], "verdict": ["coherent"]})
METRIC = {"metric": "balanced_accuracy"}
F7 = rows_of("treatment_comparison", comparison("reviews", "random", "undecided", **METRIC))


def classes_of(*held_out):
    """Return classes.csv with so many held-out images of each class."""
    names = [f"c{place}" for place in range(len(held_out))]
    return pd.DataFrame({"class_name": names, "train": 50, "test": held_out})


def test_what_one_image_moves_is_that_of_the_mean_over_the_classes():
    """By hand: a class's share moves by 1/images, the mean over four classes by a quarter of that."""
    (line,) = small_classes(F7, classes_of(100, 4, 50, 1), [155])
    assert line == (
        "- Balanced accuracy counts all 4 classes alike, so one image of a small class moves it far: of class c3 by 0.250 (1 "
        "held-out image), class c1 by 0.062 (4 held-out images). The margin is ±0.01."
    )


@pytest.mark.parametrize(
    ("rows", "held_out", "evaluated"),
    [
        (F7, (5, 100), [105]),  # five are not few
        (F7, (1, 100), [50]),  # the runs evaluate a part of them alone
        (F7.assign(metric="accuracy"), (1, 100), [101]),  # which counts images
        (F7.drop(columns="metric"), (1, 100), [101]),  # of another finding
    ],
)
def test_else_nothing_is_said(rows, held_out, evaluated):
    assert not list(small_classes(rows, classes_of(*held_out), evaluated))


def test_a_class_without_held_out_images_is_in_no_mean():
    (line,) = small_classes(F7, classes_of(2, 0, 98), [])
    assert (
        "all 2 classes" in line
        and "of class c0 by 0.250 (2 held-out images)." in line
        and "c1" not in line
    )


def test_many_small_classes_are_cut_at_ten():
    (line,) = small_classes(F7, classes_of(*[1] * 12, 88), [100])
    assert line.count("held-out image)") == 10 and " and 2 more. The margin" in line


def test_the_summary_says_it_once_for_f7_and_f8():
    f8 = comparison("half", "random", "undecided", **METRIC) | {"statistic": "gain_over_random"}
    tables = pd.concat([F7, rows_of("pruning_transfer", f8)])
    duplicates = pd.DataFrame({"across_splits": [0]})
    runs = [run_of("vit", seed) for seed in range(3)]
    data = {"d": (classes_of(1, 299), duplicates)}
    text = write(tables, NO_PAPER, AUDIT, runs, data)
    assert text.count("one image of a small class moves it far") == 1
    before = text.partition("## F7")[0]
    assert ", for F7 and F8: Balanced accuracy counts all 2 classes alike" in before
