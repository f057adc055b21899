"""F7: does another choice of what is presented end in a better classifier?

| comparison | statistic | chance |
|---|---|---|
| "A: arm" | the primary metric at the last epoch, mean over seeds; presentations: samples shown in total; moved: the dose | |
| "A: arm minus baseline" | difference: of the primary metric, paired by seed, with a verdict | 0 |
| "A: arm minus baseline" | difference_new_samples: the same, held-out samples varying too | 0 |
| "A: arm minus baseline" | difference_<metric>: secondary, not tested | 0 |

Baselines: the treatment `random`, and of an arm whose scores are not shuffled the arm of the same definition whose
scores are: it presents as unevenly, without information. An adaptive arm, whose scores are its own, can have none; the
note of its first row says so, and of other scored arms that stand without. Verdicts: `paired`. The family is all `difference` rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from retention.common.errors import UserError
from retention.measuring.paired import finish_judged, judged_row, mean_row, over_seeds
from retention.measuring.table import row
from retention.runs.treated import (
    TreatedRun,
    by,
    of_seeds,
    paired,
    read_treated_runs,
)
from retention.sampling.treatments import needs_source, sampler_of
from retention.statistics.linear_intervals import group_covariance, linear_interval, no_narrower
from retention.statistics.resampling import SHARE, Interval

NAME = "treatment_comparison"
BASELINE = "random"
MORE = ("baseline", "metric")
MOVED = "share of the presentations that went to other samples than at random"
VARYING = {
    "new runs": "held-out samples varying too",
    "these runs": "held-out samples alone varying",
}
SECONDARY = (
    "balanced_accuracy",
    "accuracy",
    "train_accuracy",
    "forgetting_events",
    "mean_retention",
)


def read(runs: Sequence[Path]) -> dict[str, object]:
    """Return what `measure` takes, from the folders of runs."""
    return {"runs": read_treated_runs(runs)}


def measure(runs: Sequence[TreatedRun], statistics: Mapping) -> pd.DataFrame:
    """Return the finding's table; runs whose training set is pruned are left out (F8 has them)."""
    runs = [run for run in runs if "keep_fraction" not in run.definition]
    metric = statistics["treatment"]["metric"]
    rows = []
    for architecture, group in by(runs, "architecture"):
        arms = dict(by(group, "treatment"))
        if BASELINE not in arms:
            raise UserError(f"{architecture}: has no run of the treatment {BASELINE}, the baseline")
        for name, arm in arms.items():
            columns = {"comparison": f"{architecture}: {name}", "treatment": name}
            columns |= {"architecture": architecture}
            told = {"metric": metric, "note": uncontrolled(arms, name)}
            rows.append(mean_row(metric, of_seeds(arm, metric), SHARE, **told, **columns))
            shown = float(arm[0].presentations)
            note = "in each run; equal in all arms"
            rows.append(row("presentations", shown, seeds=len(arm), note=note, **columns))
            dose = float(np.mean([run.moved for run in arm]))
            rows.append(row("moved", dose, seeds=len(arm), definition=MOVED, **columns))
        for name, baseline in comparisons(arms):
            columns = {
                "comparison": f"{architecture}: {name} minus {baseline}",
                "architecture": architecture,
                "treatment": name,
                "baseline": baseline,
            }
            found = _comparison(arms[name], arms[baseline], metric)
            rows += [found_row | columns for found_row in found]
    if not any("differences" in found for found in rows):
        raise UserError("--runs: have no treatment to compare with random, pruning left aside")
    return finish_judged(rows, NAME, runs[0].dataset, statistics, MORE)


def comparisons(arms: Mapping[str, Sequence[TreatedRun]]) -> Iterator[tuple[str, str]]:
    """Yield each arm with each of its baselines."""
    definitions = {name: runs[0].definition for name, runs in arms.items()}
    for name, definition in definitions.items():
        if name == BASELINE:
            continue
        yield name, BASELINE
        for other, control in definitions.items():
            if "shuffle" not in definition and _is_shuffled(control, definition):
                yield name, other


def _is_shuffled(control: Mapping, definition: Mapping) -> bool:
    """Return whether a definition is another one with its scores shuffled, and nothing else."""
    unshuffled = {key: value for key, value in control.items() if key != "shuffle"}
    return "shuffle" in control and unshuffled == definition


def uncontrolled(arms: Mapping[str, Sequence[TreatedRun]], name: str) -> str:
    """Return why an arm that looks at scores has no shuffled arm beside it, "" for all others."""
    definition = arms[name][0].definition
    if sampler_of(definition).adaptive:
        return "its scores arise in the run itself: no shuffled arm can stand beside it"
    controls = [other for arm, other in comparisons(arms) if arm == name and other != BASELINE]
    if "shuffle" in definition or controls or not needs_source(definition):
        return ""
    return "no shuffled arm of its definition stands beside it"


def _comparison(
    arm: Sequence[TreatedRun], baseline: Sequence[TreatedRun], metric: str
) -> Iterator[dict]:
    differences = paired(arm, baseline, metric)
    text = f"final {metric.replace('_', ' ')}, held-out, paired by seed"
    yield judged_row("difference", differences, metric=metric, definition=text)
    columns = {"metric": metric, "chance": 0.0, "seeds": len(differences)}
    interval = new_samples(arm, baseline, metric)
    yield row(
        "difference_new_samples",
        interval,
        n=len(arm[0].held_out),
        definition=f"as difference, {VARYING[interval.target]}; not tested",
        **columns,
    )
    for other in SECONDARY:
        if other != metric:
            yield mean_row(
                f"difference_{other}",
                paired(arm, baseline, other),
                metric=other,
                chance=0.0,
                definition="secondary: not tested",
            )


def new_samples(arm: Sequence[TreatedRun], baseline: Sequence[TreatedRun], metric: str) -> Interval:
    """Return the mean difference with its interval for new seeds and new held-out samples.

    With fewer than 3 seeds for new held-out samples alone. No narrower than over seeds alone. The runs'
    held-out samples are the same, in the same order (`read_treated_runs` sees to it).
    metric: balanced_accuracy, the mean of the classes' shares, or accuracy.
    """
    other = {run.seed: run.held_out["right"].to_numpy(dtype=float) for run in baseline}
    shared = [run for run in arm if run.seed in other]
    samples, seeds = shared[0].held_out, len(shared)
    turned = [run.held_out["right"].to_numpy(dtype=float) - other[run.seed] for run in shared]
    values = np.stack(turned, axis=1)  # [N, S]
    _, classes = np.unique(samples["label"], return_inverse=True)
    strata = classes if metric == "balanced_accuracy" else np.zeros_like(classes)
    sizes = np.bincount(strata)
    sums = np.stack([np.bincount(strata, column) for column in values.T], axis=1)
    of_class = sums / sizes[:, None]
    influence = (values - of_class[strata]) / (len(sizes) * sizes[strata])[:, None]
    # the mean over all seeds, then over all but each
    without = (1 - np.eye(seeds)) / max(seeds - 1, 1)
    means = np.hstack([np.full((seeds, 1), 1 / seeds), without])
    groups = samples["group"].to_numpy(dtype=str)
    covariance = means.T @ group_covariance(influence, groups, classes) @ means
    differences = of_class.mean(axis=0)
    interval = linear_interval(differences @ means, covariance, len(np.unique(groups)))
    return no_narrower(interval, over_seeds(differences))
