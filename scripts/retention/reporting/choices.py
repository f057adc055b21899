"""Findings, choices and their levels in words, as figures and sentences on the multiverse say them."""

STATISTICS = {
    "jaccard": "Jaccard overlap",
    "mean_r_squared": "mean R²",
    "difference_r_squared": "difference of mean R²",
    "spearman": "Spearman's ρ",
    "kendalls_w": "Kendall's W",
}
DIMENSIONS = {
    "class_value": "value of a class",
    "start": "point t = 0",
    "epochs": "epochs counted",
    "failed": "failed fit",
    "r_squared": "form of R²",
    "flat": "R² of flat traces",
    "pairs": "runs compared",
    "class": "class effect",
    "ties": "ties at the cut",
    "split": "samples matched",
}
# By dimension; what is not named is said as it is written, with blanks.
LEVELS = {
    "score": {"one_minus_retention": "1 − retention"},
    "trace": {
        "aligned": "since first learned",
        "cumulative": "mean since first learned",
        "lag": "after each right epoch",
        "raw": "every epoch",
        "survival": "until first lost",
        "cumulative_events": "1 − events so far",
        "from_first_loss": "since first lost",
        "confidence": "probability of the label",
    },
    "smoothing": {
        "rolling_3": "window of 3",
        "rolling_5": "window of 5",
        "running_mean": "mean so far",
    },
    "estimator": {
        "exact": "global optimum",
        "curve_fit_free": "scipy, no bounds",
        "curve_fit_bounded": "scipy, within bounds",
        "curve_fit_ones": "scipy, from ones",
        "log_linear": "line through logarithms",
    },
    "r_squared": {"raw": "1 − SSE/SST", "clipped": "clipped at 0", "r2_score": "scikit-learn's"},
    "flat": {"one": "1", "zero": "0"},
    "failed": {"zero": "0", "start": "its start"},
    "samples": {"r_squared_positive": "with R² above 0"},
    "never_learned": {"large_number": "20 per epoch", "sorted_last": "sorted last, as missing"},
    "pairs": {"averaged": "mean over seeds", "pooled": "seeds pooled"},
    "class": {"adjusted": "taken off"},
    "ties": {"midranks": "shared", "file_order": "in the order of the file"},
    "split": {"by_position": "by position, split anew per seed"},
}


def statistic_in_words(name: str) -> str:
    """Return a statistic as a reader calls it."""
    return STATISTICS.get(name, _blanks(name))


def dimension_in_words(name: str) -> str:
    """Return a choice as a reader calls it."""
    return DIMENSIONS.get(name, _blanks(name))


def level_in_words(dimension: str, level: str) -> str:
    """Return a way to make a choice as a reader calls it."""
    return LEVELS.get(dimension, {}).get(level, _blanks(level))


def _blanks(name: str) -> str:
    return name.replace("_", " ")
