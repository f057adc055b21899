"""Does the joint test of the multiverse reject 5 % where there is nothing, and how often does it find what there is?

Studies whose truth is known are simulated as traces of two architectures, and go through the very functions that test a
finding over all its combinations. Samples stand in groups of one to four, of one class, which have half of what varies in
common. All combinations count as distinguishable. Two of a hundred are never learned by a run. In each cell runs share only what it says:

| cell | what runs share | what is tested |
|---|---|---|
| nothing | nothing | all |
| one in a hundred | nothing, and a run forgets about 1 % | all |
| classes | how hard classes are | all within class, architectures |
| seeds | seeds of an architecture: which samples are hard; all: losses at epoch 0 | all but the agreement of seeds |
| signal | a third of what makes samples and classes hard; losses tell of it | all, for power |

Two rows of their own are what would be done without care: an order for each run in F1, and for each loss in F5.
A row fails when the one-sided 95 % Clopper–Pearson bound of its rejections at p ≤ 0.05 lies above 6 %. F2 needs 5 seeds.

    python benchmarks/multiverse_joint.py --studies 300 --write
    python benchmarks/multiverse_joint.py --studies 4 --cells seeds --seeds 3
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import gc
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from record import record
from scipy.stats import beta

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from retention.common.options import defaults
from retention.dynamics.description import describe
from retention.dynamics.trace_table import Traces
from retention.multiverse import exchanged
from retention.multiverse.choices import load_choices, plans_of
from retention.multiverse.combinations import CROSSED, combinations_of
from retention.multiverse.exchanged import PLAIN, WITHIN_CLASS
from retention.multiverse.joint import joint_test
from retention.multiverse.options import complete_options
from retention.multiverse.scores import Scores
from retention.multiverse.study import Study
from retention.runs.reading import Run

CELLS = ("nothing", "one in a hundred", "classes", "seeds", "signal")
CLASS_EFFECTS = {"classes": 0.8, "signal": 0.5}
SAMPLES, CLASSES, EPOCHS, DRAWS, MOST = 160, 5, 10, 99, 10
OF_GROUP, SHARED, NEVER = 0.5, 1 / 3, 0.02
LEVEL, ALLOWED = 0.05, 0.06
CHOICES = load_choices()
STATISTICS = defaults("statistics")
COMPARISONS = {  # of the two simulated networks
    "architecture_overlap": ["a vs b"],
    "fit_quality": ["a minus b"],
    "seed_stability": ["a", "b"],
    "class_forgetting": ["a", "b", "all runs"],
    "early_loss": ["a", "b"],
}
OPTIONS = complete_options({"fix": {"estimator": "exact", "curve": "exponential"}, "draws": DRAWS})
PLANS = plans_of(CHOICES, OPTIONS, STATISTICS)
VALID = {  # what has nothing to find in a cell: (finding, version); F2 everywhere
    "nothing": {"architecture_overlap", "seed_stability", "class_forgetting", "early_loss"},
    "one in a hundred": {
        "architecture_overlap",
        "seed_stability",
        "class_forgetting",
        "early_loss",
    },
    "classes": {"architecture_overlap", "seed_stability", "early_loss"},
    "seeds": {"architecture_overlap", "class_forgetting", "early_loss"},
    "signal": set(),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=300, help="of each cell")
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=CELLS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[3, 5])
    parser.add_argument("--findings", nargs="+", choices=list(PLANS), default=list(PLANS))
    parser.add_argument("--first", type=int, default=0, help="number of the first study")
    parser.add_argument(
        "--store", type=Path, help="folder that keeps studies: later calls add to them"
    )
    parser.add_argument("--write", action="store_true", help="write the table that the docs show")
    arguments = parser.parse_args()
    gc.freeze()  # statsmodels collects garbage at each correction
    rows = []
    for cell in arguments.cells:
        for seeds in arguments.seeds:
            rows += studies_of(cell, seeds, arguments)
    table = judged(pd.DataFrame(rows))
    print(table.round(3).to_string(index=False))
    ours = table[table["nothing"] & ~table["naive"]]
    own = (table["version"] == PLAIN) | (table["finding"] == "early_loss")
    found = table[(table["cell"] == "signal") & own & ~table["nothing"]]
    ratios = {"cells": float(len(ours)), "too_often": float(ours["too_often"].sum())}
    ratios["largest_rejections"] = ours["rejections"].max() if len(ours) else 0.0
    ratios |= {f"power_{row.finding}_{row.seeds}": row.rejections for row in found.itertuples()}
    settings = {"studies": int(table["studies"].max()), "draws": DRAWS, "samples": SAMPLES}
    record("multiverse_joint", settings, ratios, write=arguments.write, table=table)


def studies_of(cell: str, seeds: int, arguments: argparse.Namespace) -> list[dict]:
    """Return a row per test of so many studies; what the store holds is not made again."""
    store = arguments.store
    kept = store / f"{cell} {seeds}.csv" if store else None
    rows = (
        pd.read_csv(kept, keep_default_na=False).to_dict("records")
        if kept and kept.exists()
        else []
    )
    done = {row["study"] for row in rows}
    for study in range(arguments.first, arguments.first + arguments.studies):
        if study not in done:
            rows += test_study(cell, seeds, study, arguments.findings)
    if kept:
        store.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows).to_csv(kept, index=False)
    return rows


def test_study(
    cell: str, seeds: int, number: int, findings: Sequence[str] = tuple(PLANS)
) -> list[dict]:
    """Return a row per test of a simulated study: cell, seeds, study, finding, version, naive, p."""
    draws = np.random.default_rng([CELLS.index(cell), seeds, number])
    scores = Scores(simulated(cell, seeds, draws))
    statistics = {**STATISTICS, "seed": number}
    names = [name for name in findings if seeds >= 5 or name != "fit_quality"]
    table = pd.concat([rows_of(name) for name in names])
    dimensions = {name: PLANS[name].dimensions for name in names}
    joint, _ = joint_test(scores, table, dimensions, statistics, OPTIONS, lambda _: None)
    whole = joint[joint["comparison"] == ""]
    known = {"cell": cell, "seeds": seeds, "study": number}
    rows = [
        known | {"finding": row.finding, "version": row.version, "naive": False, "p": row.p}
        for row in whole.itertuples()
    ]
    if cell == "seeds" and {"architecture_overlap", "early_loss"} <= set(names):
        rows += [known | row for row in naive_tests(scores, table, statistics)]
    return rows


@cache
def rows_of(name: str) -> pd.DataFrame:
    """Return some crossed combinations of a finding as rows of multiverse.csv, none like another."""
    every = combinations_of(CHOICES, PLANS[name], OPTIONS["most"])
    crossed = [
        one
        for one in every
        if one.kind == CROSSED and one.levels.get("trace", "") in ("", "aligned", "cumulative")
    ]
    listed = [crossed[place] for place in np.linspace(0, len(crossed) - 1, MOST).astype(int)]
    return pd.DataFrame(
        [
            {"finding": name, "combination": one.number, "kind": CROSSED, "comparison": comparison}
            | {"statistic": "", **one.levels, "estimate": float(one.number), "note": ""}
            for comparison in COMPARISONS[name]
            for one in listed
        ]
    )


def naive_tests(scores: Scores, table: pd.DataFrame, statistics: dict) -> Iterator[dict]:
    """Yield the same tests of F1 and F5 with an order for each run, as if nothing were shared by seeds."""
    under = exchanged.Ranked.under

    def each_its_own(
        ranked: exchanged.Ranked, orders: np.ndarray, classes: np.ndarray
    ) -> np.ndarray:
        moving = [place for place, unit in enumerate(ranked.units) if unit != exchanged.STAYS]
        units = np.full(len(ranked.units), exchanged.STAYS)
        units[moving] = np.arange(len(moving))
        draws = np.random.default_rng(len(orders))
        own = np.stack([draws.permuted(orders[1:, 0], axis=0) for _ in moving], axis=1)
        whole = np.concatenate([np.broadcast_to(orders[:1, :1], (1, *own.shape[1:])), own])
        return under(
            exchanged.Ranked(ranked.rows, units, ranked.pairs, ranked.adjusted, ranked.fraction),
            whole,
            classes,
        )

    exchanged.Ranked.under = each_its_own
    try:
        names = ["architecture_overlap", "early_loss"]
        some = table[table["finding"].isin(names)]
        dimensions = {name: PLANS[name].dimensions for name in names}
        joint, _ = joint_test(scores, some, dimensions, statistics, OPTIONS, lambda _: None)
    finally:
        exchanged.Ranked.under = under
    for row in joint[joint["comparison"] == ""].itertuples():
        yield {"finding": row.finding, "version": row.version, "naive": True, "p": row.p}


def simulated(cell: str, seeds: int, draws: np.random.Generator) -> Study:
    """Return a study of two architectures that share what the cell says."""
    sizes = draws.integers(1, 5, SAMPLES)
    groups = np.repeat(np.arange(SAMPLES), sizes)[:SAMPLES]
    classes = draws.integers(CLASSES, size=SAMPLES)[groups]
    of_class = CLASS_EFFECTS.get(cell, 0.0) * np.linspace(-1.5, 1.5, CLASSES)[classes]
    common = effect(groups, draws)
    losses = of_class + effect(groups, draws)
    if cell == "signal":
        losses = of_class + 0.5 * common + np.sqrt(0.75) * effect(groups, draws)
    of_seed = draws.normal(scale=0.2, size=seeds)
    names = {
        "label": classes,
        "class_name": [f"class {one}" for one in classes],
        "group": groups.astype(str),
    }
    runs, correct = [], []
    for architecture in ("a", "b"):
        own = effect(groups, draws)
        for seed in range(seeds):
            hard = effect(groups, draws)
            if cell == "seeds":
                hard = np.sqrt(0.7) * own + np.sqrt(0.3) * hard
            elif cell == "signal":
                hard = np.sqrt(SHARED) * common + np.sqrt(1 - SHARED) * hard
            right = traces(cell, of_class + hard + of_seed[seed], draws)
            loss = np.exp(0.3 * (losses + 0.7 * effect(groups, draws)))
            keys = pd.DataFrame({"split": "train", "sample_index": np.arange(SAMPLES)})
            one = Traces(keys, np.arange(EPOCHS), right, None, {"loss_0": loss})
            runs.append(Run("simulated", architecture, seed, describe(one, [], 0).assign(**names)))
            correct.append(right)
    return Study(runs, correct, None)


def effect(groups: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """Return standard normal values of which groups have OF_GROUP of the variance in common."""
    of_groups = draws.normal(size=groups.max() + 1)[groups]
    return np.sqrt(OF_GROUP) * of_groups + np.sqrt(1 - OF_GROUP) * draws.normal(size=len(groups))


def traces(cell: str, hard: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """Return whether each sample is right at each epoch, bool [N, E]."""
    if cell == "one in a hundred":  # learned at once, and lost for an epoch by the hardest of a run
        right = np.ones((len(hard), EPOCHS), dtype=bool)
        lost = np.argsort(-hard - 0.3 * draws.normal(size=len(hard)))[
            : draws.binomial(len(hard), 0.01)
        ]
        right[lost, draws.integers(1, EPOCHS, size=len(lost))] = False
    else:
        noise = draws.normal(size=(len(hard), EPOCHS))
        right = 1.2 - 1.2 * hard[:, None] + 0.15 * np.arange(EPOCHS) + noise > 0
    right[draws.random(len(hard)) < NEVER] = False
    return right


def judged(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row per cell, finding and version: rejections, their bound, whether they are too many."""
    found = []
    names = ["cell", "seeds", "finding", "version", "naive"]
    for key, of in rows.groupby(names, sort=False):
        known = dict(zip(names, key, strict=True))
        p = pd.to_numeric(of["p"], errors="coerce").dropna()
        nothing = known["finding"] == "fit_quality" or known["finding"] in VALID[known["cell"]]
        if known["cell"] == "classes" and known["version"] != WITHIN_CLASS:
            nothing = known["finding"] == "fit_quality"
        rejected = int((p <= LEVEL + 1e-12).sum())
        known |= {"nothing": nothing, "studies": len(p), "rejections": rejected / max(len(p), 1)}
        known["low"] = beta.ppf(0.05, rejected, len(p) - rejected + 1) if rejected else 0.0
        known["too_often"] = bool(nothing and known["low"] > ALLOWED)
        found.append(known)
    return pd.DataFrame(found)


if __name__ == "__main__":
    main()
