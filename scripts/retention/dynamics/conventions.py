"""What others count of the same traces, where they count otherwise than `dynamics.events`.

Forgetting, with never-learned samples at the number of evaluations, and presentations needed to learn: Toneva et al., ICLR
2019, as their code has them. Correctness: Swayamdipta et al., EMNLP 2020. EL2N at one epoch: Paul et al., NeurIPS 2021.
Matrices are [N samples, E evaluations]; a result is [N].
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from retention.common.errors import UserError
from retention.dynamics.events import events
from retention.dynamics.trace_table import Traces

ERROR_NORM = "error_norm"


def by_conventions(traces: Traces, error_norm_at: Sequence[int]) -> pd.DataFrame:
    """Return the keys of the samples and a column per convention, [N] rows.

    error_norm_at: epochs, as the file numbers them, whose error norms are columns; the traces need error_norm as a whole.
    Raises `UserError` for an epoch that the traces do not have.
    """
    columns = {
        "forgetting_events_from_1": forgetting_events_from_1(traces.correct),
        "forgetting_events_toneva": forgetting_events_toneva(traces.correct),
        "presentations_needed_to_learn": presentations_needed_to_learn(traces.correct),
        "correctness": traces.correct.sum(axis=1),
    }
    for epoch in error_norm_at:
        columns[f"{ERROR_NORM}_at_{epoch}"] = traces.whole[ERROR_NORM][:, _place(traces, epoch)]
    return pd.concat([traces.keys, pd.DataFrame(columns)], axis=1)


def forgetting_events_from_1(correct: np.ndarray) -> np.ndarray:
    """Return forgetting events without that between the first evaluation and the second, int [N]."""
    return events(correct[:, 1:])[0].sum(axis=1)


def forgetting_events_toneva(correct: np.ndarray) -> np.ndarray:
    """Return forgetting events, of samples that are never right the number of evaluations E, int [N]."""
    return np.where(correct.any(axis=1), events(correct)[0].sum(axis=1), correct.shape[1])


def presentations_needed_to_learn(correct: np.ndarray) -> np.ndarray:
    """Return how many evaluations it took up to the last wrong one, int [N]: 0 if none is wrong, E if the last is."""
    after = np.flip(~correct, axis=1).argmax(axis=1)
    return np.where(correct.all(axis=1), 0, correct.shape[1] - after)


def _place(traces: Traces, epoch: int) -> int:
    found = np.flatnonzero(traces.epochs == epoch)
    if not len(found):
        raise UserError(
            f"error_norm_at: {epoch} is no epoch of the traces, which have {traces.epochs[0]} to {traces.epochs[-1]}; "
            "name one of these"
        )
    return int(found[0])
