"""A definition of a sample's decay constant and R²: every choice between its correctness and the two numbers.

What there is to choose, the defaults, which are those of every study, and what each means stand in the schema
(`$defs.definition` of config.schema.json).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache

from retention.common.errors import UserError
from retention.common.faults import schema_faults
from retention.common.schemas import read_schema
from retention.dynamics.curve import Curve, curve_of
from retention.dynamics.estimates import estimator_of
from retention.dynamics.points import trace_of


@cache
def schema() -> dict:
    """Return the JSON schema of a definition; for reading alone."""
    return read_schema("config")["$defs"]["definition"]


def _ours(name: str) -> str:
    return schema()["properties"][name]["default"]


@dataclass(frozen=True)
class Definition:
    """A level of each dimension, by the names of the schema; what is not said is ours."""

    trace: str = _ours("trace")
    start: str = _ours("start")
    epoch_0: str = _ours("epoch_0")
    epochs: str = _ours("epochs")
    smoothing: str = _ours("smoothing")
    curve: str = _ours("curve")
    estimator: str = _ours("estimator")
    failed: str = _ours("failed")
    r_squared: str = _ours("r_squared")
    flat: str = _ours("flat")

    @classmethod
    def of(cls, given: object, place: str = "definition") -> Definition:
        """Return the definition that a map of levels says.

        place: what the messages call it. Raises `UserError`, a line per unknown dimension or level, and one for a
        combination that there is not.
        """
        if found := schema_faults(given, schema(), f"{place}: "):
            raise UserError("\n".join(found))
        assert isinstance(given, Mapping)
        definition = cls(**given)
        if reason := problems(definition):
            raise UserError(f"{place}: {reason}")
        return definition

    def differences(self) -> dict[str, str]:
        """Return what it says otherwise than ours; of two that mean the same this is the same."""
        ours = asdict(Definition())
        return {name: level for name, level in asdict(self).items() if level != ours[name]}


DIMENSIONS = tuple(field.name for field in fields(Definition))


def problems(definition: Definition) -> str:
    """Return why there is no such combination of levels, "" where there is."""
    return next(_problems(definition), "")


def _problems(definition: Definition) -> Iterator[str]:
    trace, estimator = trace_of(definition.trace), estimator_of(definition.estimator)
    if definition.start != "left_out" and not hasattr(trace, "start"):
        yield (
            f"start {definition.start}: the trace {definition.trace} does not begin at first learned, so it has no "
            "point t = 0 that was left out; leave start out"
        )
    if definition.smoothing != "none" and not getattr(trace, "SINGLE", False):
        yield (
            f"smoothing {definition.smoothing}: the trace {definition.trace} is no series of single evaluations; "
            "leave smoothing out"
        )
    refused: Callable[[Curve], str] = getattr(estimator, "refused", lambda curve: "")
    if reason := refused(curve_of(definition.curve)):
        yield f"estimator {definition.estimator} of curve {definition.curve}: {reason}; take another"
    if definition.failed != "missing" and not hasattr(estimator, "start"):
        yield (
            f"failed {definition.failed}: the estimator {definition.estimator} is no optimiser that can give up; "
            "leave failed out"
        )
    if definition.flat != "dropped" and definition.r_squared == "r2_score":
        yield (
            f"flat {definition.flat}: r2_score has a rule of its own for flat traces; leave flat out"
        )
