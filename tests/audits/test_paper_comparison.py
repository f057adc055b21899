"""Our numbers beside the paper's: prediction intervals and verdicts, on rows written by hand."""

import numpy as np
import pandas as pd
import pytest

from retention.audits.paper_comparison import compare, prediction_interval

REPORTED = {
    "architectures": ["a", "b"],
    "numbers": [
        {"finding": "fit_quality", "statistic": "mean", "architecture": "a", "text": "0.5"}
        | {"low": 0.5, "high": 0.5},
        {
            "finding": "early_loss",
            "statistic": "rho",
            "text": "0.3 to 0.5",
            "low": 0.3,
            "high": 0.5,
        },
    ],
}


def our_row(finding, statistic, architecture, estimate, error=0.02, dataset="paper's"):
    return {
        "finding": finding,
        "dataset": dataset,
        "statistic": statistic,
        "architecture": architecture,
        "comparison": architecture,
        "estimate": estimate,
        "standard_error": error,
        "target": "new runs",
        "seeds": 8,
    }


def test_a_prediction_interval_covers_the_next_study():
    draws = np.random.default_rng(5)
    ours = draws.normal(0.4, 0.1, (20_000, 8))
    next_one = draws.normal(0.4, 0.1, (20_000, 3)).mean(axis=1)
    errors = ours.std(axis=1, ddof=1) / np.sqrt(8)
    low, high = prediction_interval(ours.mean(axis=1), errors, 8, 3)
    assert np.mean((low < next_one) & (next_one < high)) == pytest.approx(0.95, abs=0.005)


def test_every_verdict_on_the_paper_is_given_where_it_is_due():
    findings = pd.DataFrame(
        [
            our_row("fit_quality", "mean", "a", 0.48),
            our_row("fit_quality", "mean", "b", 0.48),
            our_row("early_loss", "rho", "a", 0.05),
            our_row("early_loss", "rho", "b", 0.28),
            our_row("early_loss", "rho", "c", 0.4),
            our_row("early_loss", "rho", "b", 0.4, np.nan, "few seeds"),
            our_row("early_loss", "rho", "a", 0.4, dataset="elsewhere"),
        ]
    )
    comparable = {"paper's": True, "few seeds": True, "elsewhere": "other data"}
    table = compare(findings, REPORTED, comparable, 3)
    found = {
        (row.finding, row.dataset, row.architecture): (row.verdict, row.reason)
        for row in table.itertuples()
    }
    assumed = "prediction interval for 3 seeds (assumed)"
    assert found == {
        ("fit_quality", "paper's", "a"): ("consistent", assumed),
        ("early_loss", "paper's", "a"): ("inconsistent", assumed),
        ("early_loss", "paper's", "b"): ("consistent", assumed),
        ("early_loss", "paper's", "c"): ("not comparable", "the paper's number is about a and b"),
        ("early_loss", "few seeds", "b"): ("not comparable", "no interval: too few seeds"),
        ("early_loss", "elsewhere", "a"): ("not comparable", "other data"),
    }
