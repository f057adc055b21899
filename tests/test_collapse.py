"""A run that ends below its warmed-up head is told of: in its log, in the summary, beside the findings."""

import pandas as pd
import pytest

from retention.reporting.collapsed import caveat, collapsed, warning
from retention.training.progress import collapse_in_words, collapsed_now


def run(architecture, seed, end, treatment="random", definition=None):
    """Return what run.yaml says of a run whose head, once warmed up, got 73 % right."""
    return {
        "dataset": "skin",
        "architecture": architecture,
        "treatment": treatment,
        "treatment_definition": definition or {},
        "seed": seed,
        "recipe": {"learning_rate": 1e-3},
        "initial_train_accuracy": 0.73,
        "final_train_accuracy": end,
    }


def epochs(*accuracies):
    return [{"epoch": i, "train_accuracy": value} for i, value in enumerate(accuracies)]


def test_the_log_tells_of_it_once_when_it_happens():
    accuracies = (0.73, 0.74, 0.32, 0.35, 0.31)
    told = [collapsed_now(epochs(*accuracies[: n + 1])) for n in range(len(accuracies))]
    assert told == [False, False, True, False, False]
    assert collapse_in_words(epochs(0.73, 0.74, 0.32), 1e-3) == (
        "warning: epoch 2: training accuracy fell from 0.73 (epoch 0, the warmed-up head) to 0.32; if it does not "
        "come back, lower learning_rate, which is 0.001"
    )


def test_what_comes_and_goes_with_an_epoch_is_none():
    assert not any(collapsed_now(epochs(0.73, 0.69, 0.70)[: n + 1]) for n in range(3))
    assert collapsed([run("vit", 0, 0.69), run("vit", 1, 0.73), run("vit", 2, 0.99)]) == []


def test_the_summary_names_the_runs_and_what_to_lower():
    runs = [run("resnet", 0, 0.98), *(run("vit", seed, 0.32) for seed in range(12))]
    title, text = warning(runs)
    assert title == "## Runs that ended below their warmed-up head"
    lines = text.splitlines()
    assert lines[0].startswith("Fine-tuning left 12 of 13 runs worse on their own training images")
    assert lines[2] == (
        "- skin, vit, random, seed 0: accuracy 0.73 at epoch 0, 0.32 at the end, learning_rate 0.001"
    )
    assert len(lines) == 2 + 10 + 1 and lines[-1] == "- and 2 more"
    assert warning(runs[:1]) == []


@pytest.mark.parametrize(
    ("treatments", "told"),
    [
        (
            "random",
            [
                "1 of the 2 runs that this rests on ended below the warmed-up head: vit random seed 1."
            ],
        ),
        (
            "unpruned",
            [
                "2 of the 3 runs that this rests on ended below the warmed-up head: vit random seed 1, vit "
                "reviews seed 0."
            ],
        ),
        (
            "pruned",
            [
                "2 of the 3 runs that this rests on ended below the warmed-up head: vit random seed 1, vit "
                "half seed 0."
            ],
        ),
    ],
)
def test_a_finding_tells_of_the_runs_that_it_rests_on(treatments, told):
    runs = [
        run("vit", 0, 0.98),
        run("vit", 1, 0.32),
        run("vit", 0, 0.3, "reviews", {"sampler": "spaced_repetition"}),
        run("vit", 0, 0.2, "half", {"keep_fraction": 0.5}),
    ]
    assert caveat(treatments, runs) == told
    assert caveat(treatments, runs[:1]) == []


def test_the_summary_puts_it_beside_the_findings(monkeypatch):
    from retention.reporting import summary

    row = {"finding": "early_loss", "dataset": "skin"}
    monkeypatch.setattr(summary, "_told", lambda name, table: ["It is so."])
    monkeypatch.setattr(summary, "_accuracy", lambda runs: "")
    runs = [{**run("vit", 0, 0.32), "study": "s"}, {**run("control", 0, 0.32), "study": "s"}]
    empty = pd.DataFrame()
    text = summary.write(pd.DataFrame([row]), empty, empty, runs, {}, controls=["control"])
    told = "It is so.\nThe one run that this rests on ended below the warmed-up head: vit random seed 0."
    assert told in text
    assert "skin, control, random, seed 0" in text
