"""Spaced repetition by each sample's hazard in the run's own trace so far.

Before epoch e the epochs 0 … e - 1 are over. The smoothed hazard in them is the mean of a Beta posterior
under Jeffreys' prior: a sample just learned is reviewed often, and less with every epoch it is held.
Samples never at risk so far are held at one presentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from retention.sampling.declaration import EpochOrder, Known, Sampler

if TYPE_CHECKING:
    import numpy as np

SAMPLER = Sampler(presentations="in proportion to its hazard so far, ¼ to 3", adaptive=True)


def make(known: Known) -> EpochOrder:
    """Return orders at rates that follow the epochs that are over."""
    from retention.sampling.orders import SteppingSampler

    return SteppingSampler(len(known.labels), known.purpose, partial(rates, known))


def rates(known: Known) -> Iterator[np.ndarray]:
    """Yield clip(hazard / κ, ¼, 3), float [N], of epoch 1, 2, …; looks at the epoch before each."""
    import numpy as np

    from retention.common.hazard import smoothed_hazard
    from retention.sampling.exposures import rates_of

    at_risk, forgotten = np.zeros((2, len(known.labels)), dtype=np.int64)
    before: np.ndarray | None = None
    for epoch in count(1):
        correct = known.correct_at(epoch - 1)
        if before is not None:
            at_risk += before
            forgotten += before & ~correct
        before = correct
        yield rates_of(smoothed_hazard(forgotten, at_risk))[0]
