"""Runs that know labels by heart, and weak ones: which they are, what they are left out of, and that it is said."""

import numpy as np
import pandas as pd
import pytest
from ranked_study import Files

from retention.common.added_options import completed
from retention.pages.sheet import DescribedRun, Sheet, read_sheet
from retention.suspects.guards import accuracies, by_heart, told_guards
from retention.suspects.said import RunSaid, suggestions

OPTIONS = completed("suspects", {})


def sheet_of(**rights):
    """Return a sheet of 1,000 training and 100 held-out samples, of which runs are right on so many at last."""
    samples = pd.DataFrame({"split": ["train"] * 1000 + ["test"] * 100, "label": 0})
    runs = []
    for place, (name, (training, held_out)) in enumerate(rights.items()):
        right = np.r_[np.arange(1000) < training, np.arange(100) < held_out]
        described = pd.DataFrame({"learned_for_good": np.where(right, 3.0, np.nan)})
        runs.append(DescribedRun(name, place, described))
    return Sheet("d", samples, tuple(runs))


def test_accuracies_are_those_of_the_last_evaluation():
    first, second = accuracies(sheet_of(a=(994, 90), b=(995, 89)))
    assert (first.run, first.training, first.held_out) == ("a, seed 0", 0.994, 0.9)
    assert (second.run, second.training, second.held_out) == ("b, seed 1", 0.995, 0.89)


def test_the_bounds_are_met_at_their_very_value():
    found = accuracies(sheet_of(a=(994, 90), b=(995, 89)))
    assert by_heart(found, OPTIONS) == [False, True]
    heart, weak = told_guards(found, OPTIONS)
    assert "b, seed 1 (0.995); label_not_predicted does not count them there" in heart
    assert "less than 0.9 of the held-out labels: b, seed 1 (0.89);" in weak
    assert "a, seed 0" not in heart + weak
    assert by_heart(found, {**OPTIONS, "by_heart": 0.99}) == [True, True]
    (line, _) = told_guards(found, {**OPTIONS, "by_heart": 0.99})
    assert "label_not_predicted is empty for training samples" in line


def test_what_is_not_known_is_neither_known_by_heart_nor_weak():
    sheet = sheet_of(a=(1000, 0))
    (unknown,) = accuracies(Sheet("d", sheet.samples, (DescribedRun("a", 0, pd.DataFrame()),)))
    assert np.isnan(unknown.training) and np.isnan(unknown.held_out)
    assert by_heart([unknown], OPTIONS) == [False]
    assert not list(told_guards([unknown], OPTIONS))
    training = sheet.only(np.arange(1000))
    assert not [line for line in told_guards(accuracies(training), OPTIONS) if "weak" in line]


@pytest.mark.parametrize("silent", [(False, False), (True, False), (True, True)])
def test_a_run_that_knows_labels_by_heart_counts_for_held_out_samples_alone(silent):
    samples = pd.DataFrame(
        {"split": ["train", "train", "test"], "label": [0, 1, 0], "class_name": ["a", "b", "a"]}
    )
    predicted = [np.array([[1, 1], [1, 1], [1, 1]]), np.array([[0, 0], [0, 0], [0, 1]])]
    flags = [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    found = suggestions(samples, [RunSaid(one) for one in predicted], silent)
    for row, split in enumerate(samples["split"]):
        counted = [
            flag[row]
            for flag, is_silent in zip(flags, silent, strict=True)
            if split == "test" or not is_silent
        ]
        flag = found["label_not_predicted"][row]
        assert flag == np.mean(counted) if counted else np.isnan(flag)
    plain = suggestions(samples, [RunSaid(one) for one in predicted])
    same = ["suggested_label", "suggested_share"]
    pd.testing.assert_frame_equal(found[same], plain[same])


def test_the_command_empties_the_column_and_says_so(tmp_path, capsys):
    files = Files(tmp_path)
    plain, held_out, _ = files.rank("traces", by_heart=1.0, weak=0.0)
    said = capsys.readouterr().out
    assert "by heart" not in said and "weak" not in said
    assert plain["label_not_predicted"].notna().all()
    least = min(one.training for one in accuracies_of(files))
    silenced, still, _ = files.rank("traces", by_heart=least, weak=1.0)
    said = capsys.readouterr().out
    assert "note: right on " in said and "label_not_predicted is empty for training samples" in said
    assert said.count("note: weak, right on less than 1 of the held-out labels: ") == 1
    assert silenced["label_not_predicted"].isna().all()
    rest = [name for name in plain if name != "label_not_predicted"]
    pd.testing.assert_frame_equal(silenced[rest], plain[rest])
    pd.testing.assert_frame_equal(still, held_out)


def accuracies_of(files):
    return accuracies(read_sheet(files.paths["samples"]))
