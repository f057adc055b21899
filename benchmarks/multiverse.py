"""The multiverse against the nested loop: every run described and the finding measured anew for each combination.

One core, in turn, without files. The loop is what a user of the library writes: `describe`, the definition's columns
(`dynamics.redescription`), then the finding's `measure`; it is timed on some of the combinations with the exact
estimator, evenly spread, and taken times their number. Both have the same resamples and shuffles = 0. The joint test is timed by itself.

    python benchmarks/multiverse.py
    python benchmarks/multiverse.py --samples 300 --seeds 2 --epochs 12 --loop 1
"""

import argparse
import os
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
import pandas as pd
from record import record

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from retention.common.options import defaults
from retention.common.parts import load_part
from retention.dynamics.description import describe
from retention.dynamics.redescription import redescribed
from retention.dynamics.trace_table import Traces
from retention.multiverse.choices import load_choices, plans_of
from retention.multiverse.combinations import CROSSED, combinations_of
from retention.multiverse.joint import joint_test
from retention.multiverse.options import complete_options
from retention.multiverse.scores import Scores, definition_of
from retention.multiverse.study import Study
from retention.multiverse.table import multiverse_table
from retention.runs.reading import Run

ARCHITECTURES, SAMPLES_OF_CLASS = ("a", "b"), 30


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=6000)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument(
        "--loop", type=int, default=3, help="combinations of each finding that the loop is timed on"
    )
    parser.add_argument("--findings", nargs="+", default=complete_options({})["findings"])
    parser.add_argument(
        "--estimators",
        nargs="+",
        default=["exact"],
        help="one is fixed, of several all are crossed",
    )
    parser.add_argument("--write", action="store_true", help="write the table that the docs show")
    arguments = parser.parse_args()
    study, traces = simulated(arguments.samples, arguments.seeds, arguments.epochs)
    statistics, choices = defaults("statistics"), load_choices()
    fixed = {"estimator": arguments.estimators[0]} if len(arguments.estimators) == 1 else {}
    options = complete_options({"findings": arguments.findings, "fix": fixed})
    statistics["resamples"] = options["resamples"]
    plans = plans_of(choices, options, statistics)
    ratios: dict[str, float] = {}
    few = study_part(study, 200)
    for name in arguments.findings:  # compiles
        table = multiverse_table(few, choices, {name: plans[name]}, statistics, options)
        joint_test(Scores(few), table, {name: plans[name].dimensions}, statistics, options)
    whole = number_of_all = loops = 0.0
    for name in arguments.findings:
        begun = time.perf_counter()
        scores = Scores(study)
        one = {name: plans[name]}
        table = multiverse_table(study, choices, one, statistics, options, scores=scores)
        ours = time.perf_counter() - begun
        begun = time.perf_counter()
        joint_test(scores, table, {name: plans[name].dimensions}, statistics, options)
        ratios[f"seconds_joint_{name}"] = time.perf_counter() - begun
        number = table["combination"].nunique()
        combinations = combinations_of(choices, plans[name], options["most"])
        each = looped(study, traces, name, combinations, statistics, arguments.loop)
        ratios |= {f"seconds_{name}": ours, f"combinations_{name}": number}
        ratios[f"loop_over_ours_{name}"] = each * number / ours
        whole, number_of_all, loops = whole + ours, number_of_all + number, loops + each * number
    ratios |= {"seconds": whole, "combinations": number_of_all, "loop_over_ours": loops / whole}
    ratios["peak_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    settings = {name: getattr(arguments, name) for name in ("samples", "seeds", "epochs", "loop")}
    record("multiverse", settings, ratios, write=arguments.write)


def simulated(samples: int, seeds: int, epochs: int) -> tuple[Study, list[Traces]]:
    """Return a study of two architectures, and its traces: a third of the samples are flat, a few never learned."""
    draws = np.random.default_rng(0)
    label = np.arange(samples) // SAMPLES_OF_CLASS
    shared, keys = (
        draws.normal(size=samples),
        pd.DataFrame({"split": "train", "sample_index": np.arange(samples)}),
    )
    names = {
        "label": label,
        "class_name": [f"class {one}" for one in label],
        "group": np.arange(samples).astype(str),
    }
    runs, traces, correct, confidence = [], [], [], []
    for architecture in ARCHITECTURES:
        for seed in range(seeds):
            difficulty = 0.7 * shared + 0.7 * draws.normal(size=samples)
            logit = (
                3.0
                - 1.6 * difficulty[:, None]
                + 0.05 * np.arange(epochs)
                + draws.normal(size=(samples, epochs))
            )
            right, known = logit > 0, 1 / (1 + np.exp(-logit))
            one = Traces(
                keys,
                np.arange(epochs),
                right,
                None,
                {"loss_0": -np.log(known[:, 0])},
                whole={"confidence": known},
            )
            table = describe(one, [], 0).assign(**names)
            runs.append(Run("simulated", architecture, seed, table))
            traces.append(one)
            correct.append(right)
            confidence.append(known)
    return Study(runs, correct, confidence), traces


def study_part(study: Study, samples: int) -> Study:
    """Return the study of the first samples alone."""
    runs = [
        Run(run.dataset, run.architecture, run.seed, run.samples[:samples].reset_index(drop=True))
        for run in study.runs
    ]
    known = study.confidence or []
    return Study(runs, [one[:samples] for one in study.correct], [one[:samples] for one in known])


def looped(
    study: Study,
    traces: Sequence[Traces],
    name: str,
    combinations: Sequence,
    statistics: dict,
    number: int,
) -> float:
    """Return the seconds of a combination in the loop, the mean over so many of them that have a definition."""
    part = load_part("retention.multiverse.estimates", name)
    fitted = [one for one in combinations if one.kind == CROSSED and one.levels["trace"]]
    chosen = [
        fitted[place] for place in np.linspace(0, len(fitted) - 1, number + 2).astype(int)[1:-1]
    ]
    begun = time.perf_counter()
    for one in chosen:
        definition, runs = definition_of(one.levels), []
        for run, of_run in zip(study.runs, traces, strict=True):
            samples, _ = redescribed(describe(of_run, [], 0), of_run, definition, 0)
            names = run.samples[["label", "class_name", "group"]]
            runs.append(
                Run(run.dataset, run.architecture, run.seed, pd.concat([samples, names], axis=1))
            )
        part.measured(runs, statistics)
    return (time.perf_counter() - begun) / len(chosen)


if __name__ == "__main__":
    main()
