"""Runs of several treatments are compared only where nothing but the treatment differs."""

import numpy as np
import pytest
import yaml
from simulated_runs import STATISTICS, rights, write_run

from retention.common.errors import UserError
from retention.findings.pruning_transfer import measure as pruning_transfer
from retention.findings.treatment_comparison import measure as treatment_comparison
from retention.runs.treated import read_treated_runs


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ({"weights_sha256": "a"}, {"weights_sha256": "a"}, True),
        ({"weights_sha256": "a"}, {"weights_sha256": "b"}, False),
        # of 0.1.0, which knows the whole file alone, and of today
        ({"weights_sha256": "a"}, {"weights_sha256": "a", "tensors_sha256": "t"}, True),
        ({"weights_sha256": "a"}, {"weights_sha256": "b", "tensors_sha256": "t"}, False),
        (
            {"weights_sha256": "a", "tensors_sha256": "t"},
            {"weights_sha256": "b", "tensors_sha256": "t"},
            True,
        ),
        (
            {"weights_sha256": "a", "tensors_sha256": "t"},
            {"weights_sha256": "a", "tensors_sha256": "u"},
            False,
        ),
    ],
)
def test_runs_are_compared_where_they_began_with_the_same_tensors(tmp_path, first, second, same):
    draws = np.random.default_rng(7)
    folders = []
    for treatment, facts in (("random", first), ("class_balanced", second)):
        folders.append(write_run(tmp_path, treatment, 0, rights(draws, 0.5)))
        file = folders[-1] / "run.yaml"
        file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | facts))
    if same:
        assert len(read_treated_runs(folders)) == 2
        return
    with pytest.raises(UserError, match="differ in weights"):
        read_treated_runs(folders)


def test_runs_that_can_not_be_compared_are_refused(tmp_path):
    draws = np.random.default_rng(7)
    one = write_run(tmp_path, "random", 0, rights(draws, 0.5))
    more = write_run(tmp_path, "class_balanced", 0, rights(draws, 0.5), presentations=4)
    shown = r"a: runs were presented unequally many samples \(random seed 0: 1200, class_balanced seed 0: 1600\)"
    with pytest.raises(UserError, match=shown):
        read_treated_runs([one, more])
    with pytest.raises(UserError, match="names a run twice"):
        read_treated_runs([one, one])
    with pytest.raises(UserError, match=r"lacks run\.yaml; give the folders of finished runs"):
        read_treated_runs([tmp_path])
    with pytest.raises(UserError, match="no treatment to compare with random"):
        treatment_comparison.measure(read_treated_runs([one]), STATISTICS)
    with pytest.raises(UserError, match="no pruned treatment beside random pruning"):
        pruning_transfer.measure(read_treated_runs([one]), STATISTICS)
    study = write_run(tmp_path / "s", "class_balanced", 0, rights(draws, 0.5), study="other")
    told = r"--runs: a random seed 0 and a class_balanced seed 0 differ in study \(run\.yaml\)"
    with pytest.raises(UserError, match=told):
        read_treated_runs([one, study])
    recipe = write_run(
        tmp_path / "r", "class_balanced", 0, rights(draws, 0.5), recipe={"epochs": 9}
    )
    with pytest.raises(UserError, match="differ in recipe"):
        read_treated_runs([one, recipe])
    said = {"epochs": 1, "threads": 2, "augmentation": {"flip": False}}
    silent = write_run(tmp_path / "d", "class_balanced", 0, rights(draws, 0.5), recipe=said)
    assert len(read_treated_runs([one, silent])) == 2  # 2 is what a recipe without threads means
    deeper = write_run(tmp_path / "r", "random", 0, rights(draws, 0.5), "b", recipe={"epochs": 9})
    assert len(read_treated_runs([one, deeper])) == 2  # another architecture may have its own
    fewer = write_run(tmp_path / "f", "class_balanced", 0, rights(draws, 0.5, 300), presentations=4)
    with pytest.raises(UserError, match="hold out other samples"):
        read_treated_runs([one, fewer])
    other = write_run(tmp_path, "spaced_repetition", 1, rights(draws, 0.5))
    with pytest.raises(UserError, match="spaced_repetition and random share no seed"):
        treatment_comparison.measure(read_treated_runs([one, other]), STATISTICS)
    pruned = [
        write_run(tmp_path, f"keep_50_{name}", seed, rights(draws, 0.5))
        for seed, name in enumerate(("random", "next_seed"))
    ]
    with pytest.raises(UserError, match="a: keep_50_next_seed and keep_50_random share no seed"):
        pruning_transfer.measure(read_treated_runs(pruned), STATISTICS)
