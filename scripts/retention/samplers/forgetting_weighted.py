"""Samples that other runs forgot more often are presented more often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.sampling.declaration import Sampler, Sources
from retention.sampling.keys import SCORED

if TYPE_CHECKING:
    import numpy as np

SAMPLER = Sampler(
    presentations="in proportion to its forgetting events + 1, ¼ to 3", keys=SCORED, scheduled=True
)


def scores(sources: Sources) -> dict[str, np.ndarray]:
    """Return forgetting events plus one, and the events, float [R, N] each."""
    events = sources.column("forgetting_events")
    # One more: never forgotten is no reason never to be shown.
    return {"events_plus_one": events + 1, "forgetting_events": events}
