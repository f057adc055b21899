"""The sampler of a run: of its treatment, following its schedule where it has one."""

import numpy as np

from retention.common.errors import UserError
from retention.common.parts import load_part
from retention.sampling.declaration import EpochOrder, Known
from retention.sampling.orders import ScheduledSampler
from retention.sampling.treatments import complete_treatment, key_faults, needs_schedule


def make_sampler(known: Known, schedule: np.ndarray | None = None) -> EpochOrder:
    """Return what gives the order of each epoch of a run; imports no other sampler than its own.

    schedule: int [T, N], where the treatment has one. Raises `UserError` for a definition with faults
    and for a schedule that is lacking or that no one asked for.
    """
    for fault in key_faults(known.definition):
        raise UserError(f"treatment: {fault}")
    name = complete_treatment(known.definition)["sampler"]
    if needs_schedule(known.definition) != (schedule is not None):
        does = "needs a schedule; give" if schedule is None else "has no schedule; leave out"
        raise UserError(f"treatment: this {name} treatment {does} --reviews")
    if schedule is not None:
        return ScheduledSampler(schedule, known.purpose)
    return load_part("retention.samplers", name).make(known)
