"""Plans of presentations, made before a run from the scores of other runs (or of an earlier one).

Spaced repetition presents a sample at a rate in proportion to λ*, the larger of its decay constant
and its smoothed hazard, within bounds; forgetting-weighted sampling, to its forgetting events;
pruning presents some samples and no others.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from retention.common.errors import UserError
from retention.common.exposures import Exposures, rates_of
from retention.common.prunable import prunable
from retention.runs.reading import Run, column
from retention.runs.scores import SCORES, score_of

SHOWN = ("sample_index", "sample_id", "class_name", "label")


def plan_reviews(
    definition: Mapping,
    samples: pd.DataFrame,
    runs: Sequence[Run],
    epochs: int,
    draws: np.random.Generator,
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the plan, one row per training sample, and what is to be known of it.

    definition: a complete treatment definition that needs a plan. samples: the training samples,
    with `sample_index` and `label`. runs: its sources, of the same samples, in the same order.
    draws: the plan's own generator. Columns of the plan: those that name the sample, the source's
    scores, `rate` (presentations per epoch on average), `epoch_1` … `epoch_T`.

    Raises `UserError` when the sources give no sample a score.
    """
    scores = _scores(definition, runs)
    labels = samples["label"].to_numpy()
    if scores and np.isnan(next(iter(scores.values()))).all():
        raise UserError(
            f"the sources give no sample a score ({', '.join(scores)}); nothing can be planned"
        )
    if definition.get("shuffle") == "within_class":
        order = shuffled_within_class(labels, draws)
        scores = {name: values[order] for name, values in scores.items()}
    facts = _facts(definition, runs)
    if "keep_fraction" in definition:
        rates = _pruned(definition, scores, labels, draws)
    else:
        rates, scale = rates_of(next(iter(scores.values())))
        facts["kappa"] = repr(scale)
    counts = planned_counts(rates, epochs, draws.random(len(rates)))
    shown = samples[[name for name in SHOWN if name in samples]].reset_index(drop=True)
    columns = {f"epoch_{epoch}": row for epoch, row in enumerate(counts.astype(np.int32), start=1)}
    table = pd.concat([shown, pd.DataFrame({**scores, "rate": rates, **columns})], axis=1)
    return table, facts | {"score": ", ".join(scores), "moved": f"{moved_share(rates):.4f}"}


def moved_share(rates: np.ndarray) -> float:
    """Return the share of an epoch's presentations that other samples get than at random, Σ|r − 1| / 2N.

    How large a dose the treatment is: where it is near 0, no difference can come of it.
    """
    return float(np.abs(rates - 1).sum() / (2 * len(rates)))


def review_weights(decay_constant: np.ndarray, hazard: np.ndarray) -> np.ndarray:
    """Return λ* = max(λ, −ln(1 − h)), float, of the arguments' shape; NaN where λ is.

    h: (forgetting events + ½) / (epochs at risk + 1), the `hazard` of samples.parquet and of
    `AdaptiveSampler`. λ is fitted to a whole trace by least squares: a sample lost once and soon
    regained has a λ far below the rate at which it was lost. Alone it would rank such a sample among
    those that never were forgotten (λ = 0), which may still be lost at the rate of (0 + ½) / (n + 1).
    """
    return np.where(np.isnan(decay_constant), np.nan, np.fmax(decay_constant, -np.log1p(-hazard)))


def below_hazard(decay: np.ndarray, hazard: np.ndarray, events: np.ndarray) -> float:
    """Return the share of forgotten samples whose λ says less than their hazard, over runs [R, N].

    Near 1, the rates are those of the hazards and λ has hardly a say; NaN where none was forgotten.
    """
    forgotten = (events > 0) & ~np.isnan(decay)
    smaller = decay[forgotten] < -np.log1p(-hazard[forgotten])
    return float(smaller.mean()) if forgotten.any() else np.nan


def planned_counts(rates: np.ndarray, epochs: int, offsets: np.ndarray) -> np.ndarray:
    """Return whole presentations at constant rates, int64 [epochs, N], each row of sum N."""
    exposures = Exposures(offsets)
    return np.stack([exposures.next_epoch(rates) for _ in range(epochs)])


def shuffled_within_class(labels: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """Return a permutation of 0 … N-1 that moves samples only within their class."""
    places = np.argsort(labels, kind="stable")
    moved = np.lexsort((draws.random(len(labels)), labels))
    order = np.empty(len(labels), dtype=np.int64)
    order[places] = moved
    return order


def kept_samples(
    score: np.ndarray, labels: np.ndarray, fraction: float, draws: np.random.Generator
) -> np.ndarray:
    """Return which samples to train on, bool [N]: in each class those of the largest scores.

    max(round(fraction · N), classes) samples are shared out to the classes in proportion to their
    sizes, at least one to each. Ties are broken at random. Of the samples of a class without a score
    (NaN) as many are kept, at random, as random pruning would: a hypergeometric number.
    """
    kept = np.zeros(len(labels), dtype=bool)
    chance = draws.random(len(labels))
    for label, quota in _quotas(labels, fraction, draws).items():
        members = np.flatnonzero(labels == label)
        members = members[np.lexsort((chance[members], -score[members]))]  # NaN comes last
        unscored = int(np.isnan(score[members]).sum())
        scored = len(members) - unscored
        by_lot = int(draws.hypergeometric(unscored, scored, quota))
        kept[members[: quota - by_lot]] = True
        kept[members[scored : scored + by_lot]] = True
    return kept


def _quotas(labels: np.ndarray, fraction: float, draws: np.random.Generator) -> dict[int, int]:
    """Return how many samples of each class are kept; equal remainders are taken by lot.

    Classes whose share is below one keep one, and the others share out what is left by the largest
    remainders. The total is larger than round(fraction · N) only where there are more classes.
    """
    classes, sizes = np.unique(labels, return_counts=True)
    total = max(round(fraction * len(labels)), len(classes))
    single = np.zeros(len(classes), dtype=bool)
    while True:
        others = max(sizes[~single].sum(), 1)
        exact = np.where(single, 1.0, sizes * (total - single.sum()) / others)
        if (exact >= 1).all():
            break
        single |= exact < 1
    quotas = np.floor(exact).astype(int)
    lots = np.lexsort((draws.random(len(classes)), quotas - exact))
    quotas[lots[: total - quotas.sum()]] += 1
    return dict(zip(classes.tolist(), quotas.tolist(), strict=True))


def _pruned(
    definition: Mapping, scores: Mapping, labels: np.ndarray, draws: np.random.Generator
) -> np.ndarray:
    """Return N / kept for the samples that are kept, 0 for the others."""
    name = definition["prune_by"]
    score = np.full(len(labels), np.nan) if name == "random" else prunable()[name] * scores[name]
    if definition.get("keep") == "least_forgotten":
        score = -score
    kept = kept_samples(score, labels, definition["keep_fraction"], draws)
    return np.where(kept, len(kept) / kept.sum(), 0.0)


def _scores(definition: Mapping, runs: Sequence[Run]) -> dict[str, np.ndarray]:
    """Return what the sources say of each sample, the mean over the runs in which it has a score.

    What the rates are in proportion to comes first.
    """
    if not runs:
        return {}
    if "keep_fraction" in definition:
        name = definition["prune_by"]
        return {name: _mean(_column_or_score(runs, name))}
    if definition["sampler"] == "forgetting_weighted":
        events = _column_or_score(runs, "forgetting_events")
        # One more: never forgotten is no reason never to be shown.
        return {"events_plus_one": _mean(events + 1), "forgetting_events": _mean(events)}
    decay, hazard = (_column_or_score(runs, name) for name in ("decay_constant", "hazard"))
    hazard = np.where(np.isnan(decay), np.nan, hazard)
    means = {"review_weight": _mean(review_weights(decay, hazard))}
    return means | {"decay_constant": _mean(decay), "hazard": _mean(hazard)}


def _facts(definition: Mapping, runs: Sequence[Run]) -> dict[str, str]:
    """Return what is to be known of the sources before the plan is made."""
    facts = {"sources": ", ".join(f"{run.architecture} seed {run.seed}" for run in runs)}
    if definition["sampler"] == "spaced_repetition":
        names = ("decay_constant", "hazard", "forgetting_events")
        facts["below_hazard"] = f"{below_hazard(*(_column_or_score(runs, n) for n in names)):.4f}"
    return facts


def _column_or_score(runs: Sequence[Run], name: str) -> np.ndarray:
    """Return a score, or a column of the runs, float [R, N]; NaN where a sample was never learned.

    Never learned is not forgotten, though confidence, say, would rank it as such.
    """
    if name in SCORES:
        return np.stack([score_of(run.samples, name) for run in runs])
    never = np.stack([run.samples["never_learned"].to_numpy(dtype=bool) for run in runs])
    return np.where(never, np.nan, column(runs, name))


def _mean(values: np.ndarray) -> np.ndarray:
    """Return the mean over runs [R, N] → [N], of the runs that have a value; NaN where none has."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0.0).sum(axis=0) / known.sum(axis=0)
