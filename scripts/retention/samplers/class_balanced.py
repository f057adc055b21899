"""Every class equally often, within a class every sample equally often."""

from itertools import repeat

from retention.sampling.declaration import EpochOrder, Known, Sampler

SAMPLER = Sampler(presentations="N / (classes · size of its class)")


def make(known: Known) -> EpochOrder:
    """Return orders at the same rates in every epoch."""
    import numpy as np

    from retention.sampling.orders import SteppingSampler

    labels, sizes = known.labels, np.bincount(known.labels)
    rates = len(labels) / (np.count_nonzero(sizes) * sizes[labels])
    return SteppingSampler(len(labels), known.purpose, lambda: repeat(rates))
