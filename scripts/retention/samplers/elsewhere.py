"""What a training of one's own showed: a treatment of `own_runs` alone, which this workflow can not train."""

from retention.common.errors import UserError
from retention.sampling.declaration import EpochOrder, Known, Sampler

SAMPLER = Sampler(presentations="as the training of your own counted them")


def make(known: Known) -> EpochOrder:
    """Raise `UserError`: how samples were chosen is not known here."""
    raise UserError(
        "sampler: elsewhere is of runs that were trained elsewhere (own_runs); name the traces of this one"
    )
