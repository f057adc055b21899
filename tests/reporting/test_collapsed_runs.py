"""A run whose training went wrong is told of: in its log, in the summary, beside the findings."""

import pandas as pd
import pytest
from no_paper import NO_PAPER

from retention.common.collapse import fault_of
from retention.reporting.collapsed import caveat, collapsed, warning
from retention.training.progress import collapse_in_words


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


def epochs(*accuracies, loss=0.5):
    return [
        {"epoch": i, "train_accuracy": value, "train_loss": loss}
        for i, value in enumerate(accuracies)
    ]


def test_the_log_tells_of_it_once_when_it_happens():
    accuracies = (0.73, 0.74, 0.32, 0.35, 0.31)
    told = [collapse_in_words(epochs(*accuracies[: n + 1]), 3, 1e-3) for n in range(5)]
    assert [bool(text) for text in told] == [False, False, True, False, False]
    assert told[2] == (
        "warning: epoch 2: training accuracy is 0.32, it was 0.73 at epoch 0; the loss is 0.5, that "
        "of guessing 1.1. If it does not come back, lower learning_rate, which is 0.001"
    )


def test_a_loss_above_that_of_guessing_is_told_where_epoch_0_is_near_chance():
    found = epochs(0.33, 0.33)
    assert collapse_in_words(found, 3, 3.0) == ""
    found[1]["train_loss"] = 690568579754.0
    assert "the loss is 6.91e+11, that of guessing 1.1. If it" in collapse_in_words(found, 3, 3.0)
    found[0]["train_loss"] = 9.0  # before any training
    assert collapse_in_words(found[:1], 3, 3.0) == ""


def test_what_comes_and_goes_with_an_epoch_is_none():
    assert not any(collapse_in_words(epochs(0.73, 0.69, 0.70)[: n + 1], 3, 1.0) for n in range(3))
    assert collapsed([run("vit", 0, 0.69), run("vit", 1, 0.73), run("vit", 2, 0.99)]) == []


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"highest_train_accuracy": 0.98}, "accuracy 0.98 at its best, 0.75 at the end"),
        ({"highest_train_accuracy": 0.85}, ""),
        ({"final_train_loss": 1.2, "classes": 3}, "loss 1.2 at the end, 1.1 is that of guessing"),
        ({"final_train_loss": 1.1, "classes": 3}, ""),
        (
            {"largest_class_share": 0.74},
            "accuracy 0.75 at the end, 0.74 is the largest class's share",
        ),
        ({"largest_class_share": 0.7}, ""),
        # little is left to learn beside a class that is nearly all: half of it is a lot
        ({"final_train_accuracy": 0.99, "largest_class_share": 0.98}, ""),
        (
            {"final_train_accuracy": 0.98, "largest_class_share": 0.98},
            "accuracy 0.98 at the end, 0.98 is the largest class's share",
        ),
        ({"initial_train_accuracy": 0.9}, "accuracy 0.90 at epoch 0, 0.75 at the end"),
    ],
)
def test_what_went_wrong_is_said(more, told):
    assert fault_of(run("vit", 0, 0.75) | more) == told


def test_the_summary_names_the_runs_and_what_to_lower():
    runs = [run("resnet", 0, 0.98), *(run("vit", seed, 0.32) for seed in range(12))]
    title, text = warning(runs)
    assert title == "## Runs whose training went wrong"
    lines = text.splitlines()
    assert lines[0].startswith(
        "Of 13 runs, 12 ended without having learned, or below what they knew"
    )
    assert lines[2] == (
        "- skin, vit, random, seed 0: accuracy 0.73 at epoch 0, 0.32 at the end; learning_rate 0.001"
    )
    assert len(lines) == 2 + 10 + 1 and lines[-1] == "- and 2 more"
    assert warning(runs[:1]) == []


def test_runs_that_were_trained_elsewhere_tell_no_learning_rate():
    own = run("vit", 0, 0.32) | {"recipe": {"epochs": 5}, "own_traces": {"file": "vit_0.parquet"}}
    _, text = warning([own, run("resnet", 0, 0.98)])
    assert text.startswith("Of 2 runs, 1 ended without having learned, or below what they knew before training or later.")  # fmt: skip
    assert text.endswith("- skin, vit, random, seed 0: accuracy 0.73 at epoch 0, 0.32 at the end; trained elsewhere")  # fmt: skip
    _, text = warning([own, run("resnet", 0, 0.32)])
    assert "below what they knew after head warm-up or later" in text
    assert "seed 0: accuracy 0.73 at epoch 0, 0.32 at the end; learning_rate 0.001" in text


@pytest.mark.parametrize(
    ("treatments", "told"),
    [
        (
            "random",
            ["- 1 of the 2 runs that this rests on went wrong: vit random seed 1."],
        ),
        (
            "unpruned",
            [
                "- 2 of the 3 runs that this rests on went wrong: vit random seed 1, vit "
                "reviews seed 0."
            ],
        ),
        (
            "pruned",
            [
                "- 2 of the 3 runs that this rests on went wrong: vit random seed 1, vit half seed 0."
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

    row = {"finding": "early_loss", "dataset": "skin", "statistic": "spearman", "estimate": 0.5}
    row |= {"comparison": "vit", "architecture": "vit", "p": 0.001, "p_corrected": 0.001}
    monkeypatch.setattr(summary, "_told", lambda name, table: ["It is so."])
    monkeypatch.setattr(summary, "_accuracy", lambda runs, controls: "")
    runs = [{**run("vit", 0, 0.32), "study": "s"}, {**run("control", 0, 0.32), "study": "s"}]
    empty = pd.DataFrame()
    text = summary.write(pd.DataFrame([row]), NO_PAPER, empty, runs, {}, controls=["control"])
    told = "It is so.\n- The one run that this rests on went wrong: vit random seed 0."
    assert told in text
    assert "skin, control, random, seed 0" in text
    assert "Nothing was distinguishable from chance." in text
    assert "(1 of 1, on runs that went wrong)" in text
