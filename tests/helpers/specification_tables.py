"""Made-up tables of the multiverse for specification curves, and what is drawn of them."""

from math import isnan, nan

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

TRACES, SAMPLES = ("aligned", "lag", "raw"), ("all", "ever_forgotten")
FRACTIONS = ("0.1", "0.2")


def table_of(combinations=20, comparisons=("one", "other"), faults=True):
    """Return a multiverse.csv of random numbers: choices that vary, one that does not, one that may not apply."""
    draws = np.random.default_rng(7)
    rows = []
    for comparison in comparisons:
        for number in range(1, combinations + 1):
            levels = {"trace": TRACES[number % 3], "curve": "exponential"}
            levels |= {"samples": SAMPLES[number % 2] if number % 5 else ""}
            levels |= {"top_fraction": FRACTIONS[number % 7 == 0], "ties": "lots"}
            rows.append(row(comparison, number, draws.normal(), draws.random(), levels))
        if faults:
            levels = {"trace": "lag", "curve": "exponential", "samples": "all"}
            levels |= {"top_fraction": "0.1", "ties": "file_order"}
            rows.append(row(comparison, 999, 7.5, 0.001, levels) | {"kind": "fault", "own": False})
    return pd.DataFrame(rows)


def row(comparison, number, estimate, p, levels):
    """Return a row: number 3 is the study's own, 4 has a name."""
    return {
        "finding": "seed_stability",
        "dataset": "d",
        "comparison": comparison,
        "architecture": comparison,
        "statistic": "spearman",
        "combination": number,
        "kind": "crossed",
        "own": number == 3,
        "named": {3: "ours", 4: "a_definition"}.get(number, ""),
        **levels,
        "estimate": estimate,
        "low": estimate - 0.2,
        "high": estimate + 0.2,
        "target": "new runs",
        "p": p,
        "n": 50,
        "chance": 0.0,
        "residue": nan,
        "note": "",
    }


def without(table, where):
    """Return the table with no estimate in some rows."""
    numbers = ["estimate", "low", "high", "p"]
    return table.assign(**{name: table[name].mask(where) for name in numbers})


def by_hand(table, comparison="one"):
    """Return (estimate, number) of a comparison's combinations, sorted."""
    found = [
        (one["estimate"], one["combination"])
        for one in table.to_dict("records")
        if one["comparison"] == comparison and one["kind"] != "fault" and not isnan(one["estimate"])
    ]
    return sorted(found)


def matches_of(*rows, reported="about 0.01", here="these data can't tell", dataset="d"):
    """Return multiverse_matches.csv: (comparison, combination, status)."""
    names = ["comparison", "combination", "status"]
    known = {"reported": reported, "finding": "seed_stability", "dataset": dataset, "here": here}
    return pd.DataFrame([known | dict(zip(names, row, strict=True)) for row in rows])


def marks(axes, marker, fillstyle="full"):
    """Return the lines that are marks of a kind."""
    lines = [line for line in axes.get_lines() if line.get_marker() == marker]
    return [line for line in lines if line.get_fillstyle() == fillstyle]


def points(lines):
    """Return the points of lines that are drawn, a pair each."""
    every = [point for line in lines for point in zip(*line.get_data(), strict=True)]
    return [(x, y) for x, y in every if not isnan(y)]


def dots(axes, colour=None):
    """Return the points of an axes' dots, of one colour if it is given."""
    lines = marks(axes, "o")
    return points([line for line in lines if colour in (None, to_hex(line.get_color()))])


def matrix_of(axes):
    """Return the combinations' places by row label, of dots and of strokes."""
    labels = [text.get_text() for text in axes.get_yticklabels()]
    found = {label: set() for label in labels}
    for line in axes.get_lines():
        x, y = (np.asarray(values, dtype=float) for values in line.get_data())
        if line.get_marker() in ("o", "D"):
            drawn = zip(x, y, strict=True)
        elif len(x) >= 3 and np.isnan(y[2]):  # a stroke is low, high, NaN
            drawn = zip(x[::3], (y[::3] + y[1::3]) / 2, strict=True)
        else:
            continue
        for place, level in drawn:
            found[labels[round(level)]].add(round(place))
    return found


def beside(axes):
    """Return what stands at the right of each row."""
    labels = [text.get_text() for text in axes.get_yticklabels()]
    written = {text.xy[1]: text.get_text() for text in axes.texts if text.get_weight() != "bold"}
    return {label: written[place] for place, label in enumerate(labels) if place in written}
