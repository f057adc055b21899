"""Plans of presentations, made before a run from the scores of other runs (or of an earlier one).

Spaced repetition presents a sample at a rate in proportion to its decay constant λ, within bounds;
forgetting-weighted sampling, to its forgetting events; pruning presents some samples and no others.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from retention.analysis.runs import Run, column
from retention.analysis.scores import SCORES, score_of
from retention.common.errors import UserError
from retention.common.exposures import Exposures, rates_of

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
            f"the sources give no sample a {next(iter(scores))}; nothing can be planned"
        )
    if definition.get("shuffle") == "within_class":
        order = shuffled_within_class(labels, draws)
        scores = {name: values[order] for name, values in scores.items()}
    facts = {"sources": ", ".join(f"{run.architecture} seed {run.seed}" for run in runs)}
    if "keep_fraction" in definition:
        rates = _pruned(definition, scores, labels, draws)
    else:
        rates, scale = rates_of(_weights(definition["sampler"], scores))
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


def review_weights(decay_constant: np.ndarray, epochs_at_risk: np.ndarray) -> np.ndarray:
    """Return max(λ, −ln(1 − ½ / (n + 1))), float [N]; NaN where λ is.

    n: epochs at risk. A sample that was never forgotten has λ = 0, and its hazard, (0 + ½) / (n +
    1), is the rate at which it may still be lost. Without it all of these, most of a data set, would
    stand at the lowest rate, and no κ would make the rates add up.
    """
    floor = -np.log1p(-0.5 / (epochs_at_risk + 1))
    return np.where(np.isnan(decay_constant), np.nan, np.maximum(decay_constant, floor))


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

    round(fraction · N) samples are shared out to the classes in proportion to their sizes, by the
    largest remainders, at least one to each class. Ties are broken at random. A sample without a
    score (NaN) has a random place in its class: it is kept as often as by random pruning.
    """
    kept = np.zeros(len(labels), dtype=bool)
    chance = draws.random(len(labels))
    for label, quota in _quotas(labels, fraction, draws).items():
        members = np.flatnonzero(labels == label)
        scored = members[~np.isnan(score[members])]
        place = chance[members]
        if len(scored):
            ranks = np.empty(len(scored))
            ranks[np.lexsort((chance[scored], score[scored]))] = np.arange(len(scored))
            place[~np.isnan(score[members])] = (ranks + 0.5) / len(scored)
        kept[members[np.argsort(-place, kind="stable")[:quota]]] = True
    return kept


def _quotas(labels: np.ndarray, fraction: float, draws: np.random.Generator) -> dict[int, int]:
    """Return how many samples of each class are kept; equal remainders are taken by lot."""
    classes, sizes = np.unique(labels, return_counts=True)
    exact = fraction * sizes
    quotas = np.maximum(np.floor(exact).astype(int), 1)
    lacking = round(fraction * len(labels)) - quotas.sum()
    remainder = np.where(
        quotas <= exact, exact - quotas, -1.0
    )  # a class raised to one has had its share
    for chosen in np.lexsort((draws.random(len(classes)), -remainder))[: max(lacking, 0)]:
        quotas[chosen] += 1
    return dict(zip(classes.tolist(), quotas.tolist(), strict=True))


def _pruned(
    definition: Mapping, scores: Mapping, labels: np.ndarray, draws: np.random.Generator
) -> np.ndarray:
    """Return N / kept for the samples that are kept, 0 for the others."""
    score = scores.get(definition["prune_by"], np.full(len(labels), np.nan))
    if definition.get("keep") == "least_forgotten":
        score = -score
    kept = kept_samples(score, labels, definition["keep_fraction"], draws)
    return np.where(kept, len(kept) / kept.sum(), 0.0)


def _scores(definition: Mapping, runs: Sequence[Run]) -> dict[str, np.ndarray]:
    """Return what the sources say of each sample, the mean over the runs in which it has a score."""
    if not runs:
        return {}
    if "keep_fraction" in definition:
        name = definition["prune_by"]
        return {name: _mean(_column_or_score(runs, name))}
    name = {"spaced_repetition": "decay_constant", "forgetting_weighted": "forgetting_events"}
    score = _column_or_score(runs, name[definition["sampler"]])
    means = {name[definition["sampler"]]: _mean(score)}
    if definition["sampler"] == "spaced_repetition":
        at_risk = column(runs, "epochs_at_risk")
        means["epochs_at_risk"] = _mean(np.where(np.isnan(score), np.nan, at_risk))
    return means


def _weights(sampler: str, scores: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return what the rates are in proportion to."""
    if sampler == "spaced_repetition":
        return review_weights(scores["decay_constant"], scores["epochs_at_risk"])
    return scores["forgetting_events"] + 1.0  # never forgotten is no reason never to be shown


def _column_or_score(runs: Sequence[Run], name: str) -> np.ndarray:
    """Return a score or any numeric column of the runs, float [R, N]."""
    if name in SCORES:
        return np.stack([score_of(run.samples, name) for run in runs])
    table = runs[0].samples
    if name not in table or not is_numeric_dtype(table[name]):
        known = ", ".join(column for column in table if is_numeric_dtype(table[column]))
        raise UserError(f"prune_by: samples.parquet has no numeric column {name!r}; it has {known}")
    return column(runs, name)


def _mean(values: np.ndarray) -> np.ndarray:
    """Return the mean over runs [R, N] → [N], of the runs that have a value; NaN where none has."""
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        return np.where(known, values, 0.0).sum(axis=0) / known.sum(axis=0)
