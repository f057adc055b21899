"""F8: do the samples that one run's forgetting says to keep serve another run too?

A→B: run B is trained on what the scores of run A say. Rows by keep-fraction, score and source of the score:

| comparison | statistic | chance |
|---|---|---|
| "N: …" | the primary metric at the last epoch, mean over seeds; also of random pruning and of none (keep_fraction 1) | |
| "N: … minus random pruning" | gain_over_random: A→B − random, and A→A − random for the source same_seed | 0 |
| "N: same_seed minus …" | transfer_loss: A→A − A→B | 0 |
| "N: random pruning minus none" | cost_of_pruning: secondary, not tested | 0 |

Random pruning keeps as many samples, the classes in proportion, and presents as many. Differences
are paired by the seed that is trained. Verdicts: `paired`; the family is all rows of gain_over_random and transfer_loss.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from retention.common.errors import UserError
from retention.measuring.paired import finish_judged, judged_row, mean_row
from retention.runs.treated import (
    TreatedRun,
    by,
    of_seeds,
    paired,
    read_treated_runs,
)
from retention.statistics.resampling import SHARE

NAME = "pruning_transfer"
MORE = ("metric", "keep_fraction", "score", "keep", "source")
OWN, LOT = "same_seed", "random pruning"
Arm = Sequence[TreatedRun]


def read(runs: Sequence[Path]) -> dict[str, object]:
    """Return what `measure` takes, from the folders of runs."""
    return {"runs": read_treated_runs(runs)}


def measure(runs: Sequence[TreatedRun], statistics: Mapping) -> pd.DataFrame:
    """Return the finding's table, of the runs on a pruned training set and of `random`."""
    metric = statistics["treatment"]["metric"]
    rows = []
    for architecture, group in by(runs, "architecture"):
        arms = dict(by(group, "treatment"))
        shared = {"architecture": architecture, "metric": metric}
        rows += [r | shared for r in _rows(architecture, arms, metric)]
    if not any("differences" in found for found in rows):
        raise UserError(
            "--runs: have no pruned treatment beside random pruning (prune_by: random) of the same "
            "keep_fraction"
        )
    return finish_judged(rows, NAME, runs[0].dataset, statistics, MORE)


def _rows(architecture: str, arms: Mapping[str, Arm], metric: str) -> Iterator[dict]:
    whole = arms.get("random")
    if whole:
        shown = f"{architecture}: all samples"
        columns = {"treatment": "random", "keep_fraction": 1.0}
        yield mean_row(metric, of_seeds(whole, metric), SHARE, comparison=shown, **columns)
    pruned = {n: arm for n, arm in arms.items() if "keep_fraction" in arm[0].definition}
    for name, arm in pruned.items():
        definition = arm[0].definition
        columns = _columns(name, definition)
        shown = f"{architecture}: {_named(definition)}"
        yield mean_row(metric, of_seeds(arm, metric), SHARE, comparison=shown, **columns)
        by_lot = _by_lot(pruned, definition)
        if definition["prune_by"] == "random":
            if whole:
                yield _cost(arm, whole, metric, architecture, columns)
        elif by_lot is not None:
            yield judged_row(
                "gain_over_random",
                paired(arm, by_lot, metric),
                comparison=f"{shown} minus random pruning",
                definition="final, held-out, paired by seed; presented as often",
                **columns,
            )
        own = _own(pruned, definition)
        if own is not None and definition.get("source", OWN) != OWN:
            yield judged_row(
                "transfer_loss",
                paired(own, arm, metric),
                comparison=f"{architecture}: {_named(own[0].definition)} minus {definition['source']}",
                definition="own scores minus the scores of another run",
                **columns,
            )


def _cost(arm: Arm, whole: Arm, metric: str, architecture: str, columns: Mapping) -> dict:
    fraction = columns["keep_fraction"]
    return mean_row(
        "cost_of_pruning",
        paired(arm, whole, metric),
        chance=0.0,
        comparison=f"{architecture}: keep {fraction:g}, random pruning minus none",
        definition="secondary: not tested",
        **columns,
    )


def _named(definition: Mapping) -> str:
    """Return a pruned treatment in words."""
    text = f"keep {definition['keep_fraction']:g}"
    if definition["prune_by"] == "random":
        return f"{text}, random pruning"
    chosen = f"{definition['keep'].replace('_', ' ')} by {definition['prune_by']}"
    shuffled = ", shuffled" if "shuffle" in definition else ""
    return f"{text}, {chosen} of {definition['source']}{shuffled}"


def _columns(name: str, definition: Mapping) -> dict:
    shuffled = ", shuffled" if "shuffle" in definition else ""
    return {
        "treatment": name,
        "keep_fraction": definition["keep_fraction"],
        "score": definition["prune_by"],
        "keep": definition.get("keep", ""),
        "source": definition.get("source", LOT) + shuffled,
    }


def _by_lot(pruned: Mapping[str, Arm], definition: Mapping) -> Arm | None:
    """Return the arm that keeps as large a fraction by lot."""
    for arm in pruned.values():
        other = arm[0].definition
        if other["prune_by"] == "random" and other["keep_fraction"] == definition["keep_fraction"]:
            return arm
    return None


def _own(pruned: Mapping[str, Arm], definition: Mapping) -> Arm | None:
    """Return the arm that differs in its source alone, which is the run itself."""
    for arm in pruned.values():
        if arm[0].definition == {**definition, "source": OWN}:
            return arm
    return None
