"""Do 95 % intervals cover 95 %, and do tests at 5 % reject 5 % where there is nothing?

Studies whose truth is known (`simulated_studies.py`) go through the very functions that measure the
findings. The grid: seeds 3, 5, 10; 7 imbalanced or 200 classes; dependence within groups 0, 0.3;
heterogeneity of the seeds 0, 0.2; tied mass 0, 95 %; with and without signal: 96 cells.

For each cell and statistic: coverage of the interval for the mean of the estimate over the cell's
studies (what `new runs` of new samples give on average), rejections at p < 0.05 (false positives
without signal, power with it), the median standard error over the true standard deviation (the width
beside an oracle's that knows the variance and takes the same t quantile). `naive` rows are what one
would do without care: samples resampled without groups, percentiles over pairs of seeds, ties in the
order of the file, χ² for Kendall's W.

A mean of estimates may itself be off. Where the truth has a closed form (without signal, and for
differences of the two equal architectures) `bias` is how far off, and `biased` whether by more than
the 99.9 % t interval.

A cell fails when the 99.9 % Clopper–Pearson interval of its coverage lies below 93 %, or that of its
false positives above 6 %, when it is biased, or when it is `too_wide`: 3 seeds may be conservative as
long as the width stays within 1.5 times the oracle's.

Studies are kept in --store and added to: stop and start as you like; --write makes the table of all.

    python benchmarks/calibration.py --store calibration_studies --minutes 60 --processes 2 --write
    python benchmarks/calibration.py --cells 2 --minutes 0.5
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"  # one per process: threads of several processes wait for each other

import sys
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from record import record
from scipy.stats import beta, chi2, hypergeom, t
from simulated_studies import BIRDS, IMBALANCED, Cell, draw_study
from stored_studies import OPTIONS, options, simulated

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from retention.findings.architecture_overlap import measure as architecture_overlap
from retention.findings.class_forgetting import measure as class_forgetting
from retention.findings.early_loss import measure as early_loss
from retention.findings.fit_quality import measure as fit_quality
from retention.findings.seed_stability import measure as seed_stability
from retention.runs.reading import by_architecture, scores
from retention.statistics.ranks import once, spearman_of_pairs
from retention.statistics.top_fractions import chance_jaccard

# what is judged: rows of these comparisons and statistics
JUDGED = {
    ("a vs b", "jaccard"),
    ("a vs b", "jaccard_same_seed"),
    ("a vs b", "spearman"),
    ("a vs a", "jaccard"),
    ("a minus b", "difference_excess"),
    ("a minus b", "difference_matched_events"),
    ("a: class 0", "class_hazard"),
    ("a: class 6", "class_hazard"),
    ("a", "kendalls_w"),
    ("all runs", "kendalls_w"),
    *(("a", name) for name in ("excess_r_squared", "spearman", "phi_ever_forgotten")),
    *(("a", name) for name in ("spearman_partial_class", "spearman_across_seeds")),
    *(
        ("all runs", f"variance_of_ranks_{source}")
        for source in ("class", "sample", "sample_x_architecture", "class_x_seed", "residual")
    ),
}
GRID = [
    Cell(*values)
    for values in product((3, 5, 10), (7, 200), (0.0, 0.3), (0.0, 0.2), (0.0, 0.95), (False, True))
]
MARGIN = 0.001  # a cell fails when its 99.9 % interval lies beyond the limit
WIDEST = 1.5  # times an oracle's, below 5 seeds
TABLE = Path(__file__).parent / "results" / "calibration.csv"
FAULTS = ["undercovers", "rejects_too_often", "biased", "too_wide"]
KEYS = ["seeds", "classes", "dependence", "heterogeneity", "tied", "signal"]


def main() -> None:
    arguments = options(__doc__, len(GRID))
    table = simulated(arguments, GRID, measure_study, judge)
    if arguments.write:
        TABLE.parent.mkdir(exist_ok=True)
        table.round(4).to_csv(TABLE, index=False)
    ours = table[~table["statistic"].str.startswith("naive")]
    print(worst(ours).to_string(index=False))
    print(by_seeds(worst(ours)).to_string())
    print(worst(table[table["statistic"].str.startswith("naive")]).to_string(index=False))
    settings = {"cells": arguments.cells, "resamples": OPTIONS["resamples"]}
    settings["studies"] = int(table.groupby(KEYS)["studies"].max().sum())
    ratios = {
        "share_of_cells_covering": float((~ours["undercovers"]).mean()),
        "share_of_cells_testing_right": float((~ours["rejects_too_often"]).mean()),
        "share_of_cells_unbiased": float((~ours["biased"]).mean()),
        "share_of_cells_narrow_enough": float((~ours["too_wide"]).mean()),
    }
    record("calibration", settings, ratios, write=arguments.write)


def measure_study(cell: Cell, seed: int) -> list[dict]:
    """Return the judged rows of one study."""
    draws = np.random.default_rng(seed)
    runs = draw_study(cell, draws)
    options = OPTIONS | {"seed": seed}
    tables = [
        architecture_overlap.measure(runs, options),
        seed_stability.measure(runs, options),
        early_loss.measure(runs, options),
        fit_quality.measure(runs, options),
        class_forgetting.measure(runs, options, {}, {}),
    ]
    rows = []
    for found in pd.concat(tables).itertuples():
        if (found.comparison, found.statistic) in JUDGED:
            name = f"{found.finding}: {found.comparison} {found.statistic}"
            ends = found.estimate, found.low, found.high
            rows.append(judged_row(name, *ends, found.p, found.standard_error))
    return rows + naive_rows(runs, cell, tables[-1], draws)


def judged_row(statistic, estimate, low, high, p, error=np.nan) -> dict:
    names = ("statistic", "estimate", "low", "high", "p", "standard_error")
    return dict(zip(names, (statistic, estimate, low, high, p, error), strict=True))


def naive_rows(runs, cell: Cell, concordance: pd.DataFrame, draws) -> list[dict]:
    """What one would do without care."""
    groups = by_architecture(runs)
    values = {name: scores(group, "decay_constant") for name, group in groups.items()}
    a, b = values["a"], values["b"]
    seeds, n = a.shape
    pairs = [(i, j) for i in range(seeds) for j in range(i)]
    items = spearman_of_pairs(a, a, pairs, once(n))[0]
    counts = draws.multinomial(n, np.full(n, 1 / n), size=199).astype(float)
    by_sample = spearman_of_pairs(a, a, pairs, counts).mean(axis=1)
    by_pair = draws.choice(items, (999, len(items))).mean(axis=1)
    rows = []
    for name, drawn in (("samples without groups", by_sample), ("pairs of seeds", by_pair)):
        low, high = np.nanpercentile(drawn, [2.5, 97.5])
        p = 0.0 if low > 0 or high < 0 else 1.0
        rows.append(judged_row(f"naive: ρ, {name}, percentile", items.mean(), low, high, p))
    k = round(OPTIONS["top_fraction"] * n)
    tops = [set(np.argsort(-one, kind="stable")[:k].tolist()) for one in (a[0], b[0])]
    shared = len(tops[0] & tops[1])
    p = hypergeom.sf(shared - 1, n, k, k)
    name = "naive: Jaccard, ties in file order, hypergeometric"
    rows.append(judged_row(name, shared / (2 * k - shared), np.nan, np.nan, p))
    of_a = concordance[concordance["statistic"] == "kendalls_w"].set_index("comparison").loc["a"]
    p = chi2.sf(seeds * (of_a["n"] - 1) * of_a["estimate"], of_a["n"] - 1)
    rows.append(judged_row("naive: Kendall's W, χ²", of_a["estimate"], np.nan, np.nan, p))
    return rows


def has_no_signal(statistic: str, cell: Cell) -> bool:
    """Return whether a rejection is a false positive: here of whatever is tested without signal."""
    return not cell.signal


def judge(
    studies: pd.DataFrame,
    cell: Any,
    keys: Sequence[str] = KEYS,
    known: Callable[[str, Any], float] | None = None,
    is_null: Callable[[str, Any], bool] = has_no_signal,
) -> pd.DataFrame:
    """Return one row per statistic of a cell; keys, known (`known_value`), is_null: of another grid."""
    rows, known = [], known or known_value
    for statistic, found in studies.groupby("statistic", sort=False) if len(studies) else ():
        row = {key: getattr(cell, key) for key in keys} | {"statistic": statistic}
        row |= {"studies": len(found), "truth": found["estimate"].mean()}
        deviation = found["estimate"].std()
        row["bias"] = row["truth"] - known(statistic, cell)
        error = deviation / np.sqrt(found["estimate"].count())
        row["biased"] = bool(abs(row["bias"]) > t.isf(MARGIN / 2, max(len(found) - 1, 1)) * error)
        with_interval = found.dropna(subset=["low", "high"])
        covered = (with_interval["low"] <= row["truth"]) & (row["truth"] <= with_interval["high"])
        row["coverage"] = covered.mean() if len(covered) else np.nan
        row["no_interval"] = 1 - len(with_interval) / len(found)
        row["width_to_oracle"] = (found["standard_error"] / deviation).median()
        row["too_wide"] = bool(cell.seeds < 5 and row["width_to_oracle"] > WIDEST)
        tested = found["p"].dropna()
        row["rejections"] = (tested < 0.05).mean() if len(tested) else np.nan
        row["undercovers"] = upper(covered.sum(), len(covered)) < 0.93
        too_often = lower((tested < 0.05).sum(), len(tested)) > 0.06
        row["rejects_too_often"] = bool(too_often and is_null(statistic, cell))
        rows.append(row)
    return pd.DataFrame(rows)


def known_value(statistic: str, cell: Cell) -> float:
    """Return what a statistic estimates where that has a closed form, else NaN."""
    name = statistic.split()[-1]
    if name.startswith("difference_"):
        return 0.0  # the two architectures are alike
    if cell.signal:
        return np.nan
    if name.startswith(("spearman", "phi")):
        # runs are independent; ties and favoured classes together make samples unequal
        return 0.0 if not (cell.heterogeneity and cell.tied) else np.nan
    if cell.heterogeneity or cell.dependence:
        return np.nan
    if name.startswith("jaccard"):
        samples = sum(IMBALANCED if cell.classes == 7 else BIRDS)
        return chance_jaccard(samples, round(OPTIONS["top_fraction"] * samples))
    if name.startswith("variance_of_ranks"):
        return float(name.endswith("residual"))
    return np.nan


def upper(hits: int, tries: int) -> float:
    """Return the upper end of the 99.9 % Clopper–Pearson interval."""
    return 1.0 if hits == tries else float(beta.ppf(1 - MARGIN / 2, hits + 1, tries - hits))


def lower(hits: int, tries: int) -> float:
    """Return its lower end."""
    return 0.0 if hits == 0 else float(beta.ppf(MARGIN / 2, hits, tries - hits + 1))


def worst(table: pd.DataFrame) -> pd.DataFrame:
    """Return, for each statistic and number of seeds, the range over the cells."""
    null = table[~table["signal"]].groupby(["statistic", "seeds"])["rejections"]
    whole = table.groupby(["statistic", "seeds"])
    found = pd.DataFrame(
        {
            "coverage (least)": whole["coverage"].min(),
            "coverage (mean)": whole["coverage"].mean(),
            "width to oracle (median)": whole["width_to_oracle"].median(),
            "false positives (most)": null.max(),
            "false positives (mean)": null.mean(),
            "cells failing": whole[FAULTS].sum().sum(axis=1),
        }
    )
    return found.round(3).reset_index()


def by_seeds(of_statistics: pd.DataFrame) -> pd.DataFrame:
    """Return the table that the docs show, from that of `worst`: cells pooled, for each number of seeds."""
    groups = of_statistics.groupby("seeds")
    return pd.DataFrame(
        {
            "coverage, least of any statistic": groups["coverage (mean)"].min(),
            "coverage, mean over statistics": groups["coverage (mean)"].mean(),
            "false positives, most of any": groups["false positives (mean)"].max(),
            "width to oracle, widest": groups["width to oracle (median)"].max(),
        }
    ).round(3)


if __name__ == "__main__":
    main()
