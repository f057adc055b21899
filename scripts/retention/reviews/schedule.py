"""Schedules of reviews, made before a run from the scores of other runs (or of an earlier one).

A scheduled sampler presents samples in proportion to its score, within bounds; pruning presents some
samples and no others.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from retention.common.errors import UserError
from retention.common.parts import load_part
from retention.reviews.pruning import pruned_rates
from retention.runs.reading import Run, column
from retention.runs.scores import SCORES, score_of
from retention.sampling.declaration import Sources
from retention.sampling.exposures import Exposures, rates_of

SHOWN = ("sample_index", "sample_id", "class_name", "label")


def schedule_reviews(
    definition: Mapping,
    samples: pd.DataFrame,
    runs: Sequence[Run],
    epochs: int,
    draws: np.random.Generator,
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the schedule, one row per training sample, and what is to be known of it.

    definition: a complete treatment definition that needs a schedule. samples: the training samples,
    with `sample_index` and `label`. runs: its sources, of the same samples, in the same order.
    draws: the schedule's own generator. Its columns: those that name the sample, the sources'
    scores, `rate` (presentations per epoch on average), `epoch_1` … `epoch_T`.

    Raises `UserError` when the sources give no sample a score.
    """
    scores, facts = _scores(definition, runs)
    labels = samples["label"].to_numpy()
    if scores and np.isnan(next(iter(scores.values()))).all():
        raise UserError(
            f"the sources give no sample a score ({', '.join(scores)}); nothing can be scheduled"
        )
    if definition.get("shuffle") == "within_class":
        order = shuffled_within_class(labels, draws)
        scores = {name: values[order] for name, values in scores.items()}
    if "keep_fraction" in definition:
        rates = pruned_rates(definition, scores, labels, draws)
    else:
        rates, scale = rates_of(next(iter(scores.values())))
        facts["kappa"] = repr(scale)
    counts = scheduled_counts(rates, epochs, draws.random(len(rates)))
    shown = samples[[name for name in SHOWN if name in samples]].reset_index(drop=True)
    columns = {f"epoch_{epoch}": row for epoch, row in enumerate(counts.astype(np.int32), start=1)}
    table = pd.concat([shown, pd.DataFrame({**scores, "rate": rates, **columns})], axis=1)
    return table, facts | {"score": ", ".join(scores), "moved": f"{moved_share(rates):.4f}"}


def moved_share(rates: np.ndarray) -> float:
    """Return the share of an epoch's presentations that other samples get than at random, Σ|r − 1| / 2N.

    How large a dose the treatment is: where it is near 0, no difference can come of it.
    """
    return float(np.abs(rates - 1).sum() / (2 * len(rates)))


def scheduled_counts(rates: np.ndarray, epochs: int, offsets: np.ndarray) -> np.ndarray:
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


def _scores(
    definition: Mapping, runs: Sequence[Run]
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return what the sources say of each sample, and what is to be known of them.

    Scores: float [N], the mean over the runs in which the sample has one. What the rates are in
    proportion to, or what is pruned by, comes first.
    """
    facts = {"sources": ", ".join(f"{run.architecture} seed {run.seed}" for run in runs)}
    if not runs:
        return {}, facts
    sources = Sources(definition, partial(_column_or_score, runs))
    if "keep_fraction" in definition:
        name = definition["prune_by"]
        return {name: _mean(sources.column(name))}, facts
    sampler = load_part("retention.samplers", definition["sampler"])
    scores = {name: _mean(values) for name, values in sampler.scores(sources).items()}
    return scores, facts | (sampler.facts(sources) if hasattr(sampler, "facts") else {})


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
