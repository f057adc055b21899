"""Every training sample once per epoch, in a random order; or, pruned, some of them more often."""

from retention.sampling.declaration import EpochOrder, Known, Sampler
from retention.sampling.keys import PRUNING

SAMPLER = Sampler(presentations="1", keys=PRUNING)


def make(known: Known) -> EpochOrder:
    """Return a permutation per epoch."""
    from retention.sampling.orders import RandomSampler

    return RandomSampler(len(known.labels), known.purpose)
