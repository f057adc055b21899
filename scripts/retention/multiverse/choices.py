"""The dimensions and levels that are declared in resources/multiverse.yaml, and what a user changes of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from retention.common.errors import UserError
from retention.common.lists import listed
from retention.common.names import nearest
from retention.common.resources import read_resource, resource_path

FILE = "multiverse.yaml"
SCORE, TOP_FRACTION, CLASS_VALUE = "score", "top_fraction", "class_value"
# Dimensions that are fields of `dynamics.definition.Definition`.
DEFINITION = (
    "trace",
    "start",
    "epoch_0",
    "epochs",
    "smoothing",
    "curve",
    "estimator",
    "failed",
    "r_squared",
    "flat",
)

Levels = Mapping[str, str]  # a level by dimension, "" where the dimension does not apply


@dataclass(frozen=True)
class Dimension:
    """A choice: its levels and faults with the reason of each, the study's level, and what it is a choice with."""

    what: str
    ours: str
    levels: Mapping[str, str]
    faults: Mapping[str, str]
    only_with: Mapping[str, Sequence[str]]

    @property
    def of_numbers(self) -> bool:
        """Tell whether the levels are shares, so that others between 0 and 1 can be added."""
        return all(level.replace(".", "", 1).isdigit() for level in self.levels)

    def level(self, written: object) -> str:
        """Return a level as the file writes it; what is none comes back as it is written."""
        if self.of_numbers and _is_share(written):
            return f"{float(str(written)):g}"
        return str(written)

    def has(self, level: str) -> bool:
        """Tell whether a level is one that may be chosen, no fault."""
        return level in self.levels or (self.of_numbers and _is_share(level))


@dataclass(frozen=True)
class Exclusion:
    """Levels that can not stand together, and why."""

    when: Mapping[str, Sequence[str]]
    why: str

    def holds(self, levels: Levels) -> bool:
        """Tell whether it excludes a combination."""
        return all(levels.get(name) in self.when[name] for name in self.when)


@dataclass(frozen=True)
class Named:
    """A whole combination that has a name: what it chooses otherwise than this workflow, and why it is listed."""

    choices: Mapping[str, str]
    why: str


@dataclass(frozen=True)
class Plan:
    """What is evaluated of a finding.

    own: the study's level of every dimension of the finding, whether or not it applies; base: these with what the user
    fixed; crossed, alone: levels by dimension.
    """

    finding: str
    statistic: str
    own: Mapping[str, str]
    base: Mapping[str, str]
    crossed: Mapping[str, Sequence[str]]
    alone: Mapping[str, Sequence[str]]
    faults: Mapping[str, Sequence[str]]

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Return the names of the finding's dimensions, in the order of the file."""
        return tuple(self.own)

    @property
    def left(self) -> dict[str, set[str]]:
        """Return the levels of each dimension that the user left, the study's or the fixed one among them."""
        return {
            name: {self.base[name], *self.crossed.get(name, ()), *self.alone[name]}
            for name in self.own
        }


@dataclass(frozen=True)
class Choices:
    """All that the file declares."""

    dimensions: Mapping[str, Dimension]
    exclusions: Sequence[Exclusion]
    named: Mapping[str, Named]
    findings: Mapping[str, Mapping]

    def excluded(self, levels: Levels) -> str:
        """Return why a combination can not be, "" where it can."""
        return next((found.why for found in self.exclusions if found.holds(levels)), "")


def load_choices() -> Choices:
    """Return what resources/multiverse.yaml declares; raise `UserError` with a line per fault of the file."""
    return choices_of(read_resource(FILE))


def choices_of(content: Mapping) -> Choices:
    """Return the choices that a map of the file's form declares; raise `UserError` with a line per fault."""
    if faults := list(_faults(content)):
        raise UserError("\n".join(f"{resource_path(FILE)}: {fault}" for fault in faults))
    dimensions = {
        name: Dimension(
            one["what"],
            one["ours"],
            one["levels"],
            one.get("faults", {}),
            one.get("only_with", {}),
        )
        for name, one in content["dimensions"].items()
    }
    return Choices(
        dimensions,
        [Exclusion(one["when"], one["why"]) for one in content["exclusions"]],
        {name: Named(one["choices"], one["why"]) for name, one in content["named"].items()},
        content["findings"],
    )


def plans_of(
    choices: Choices, options: Mapping, statistics: Mapping, place: str = "multiverse"
) -> dict[str, Plan]:
    """Return what is evaluated of each finding that the options name.

    options: complete, findings, add, drop and fix among them; statistics: the study's, of which score and top_fraction
    are own choices. Raises `UserError` with a line per fault, which begins with `place`.
    """
    plans = {name: _declared(choices, name, statistics) for name in options["findings"]}
    if not plans:
        return {}  # nothing is evaluated, so no change of a level is wrong
    if faults := list(_changes_faults(choices, options, plans)):
        raise UserError("\n".join(f"{place}{fault}" for fault in faults))
    return {name: _changed(choices, plan, options) for name, plan in plans.items()}


def _declared(choices: Choices, name: str, statistics: Mapping) -> Plan:
    """Return a finding's plan as the file and the study have it."""
    found = choices.findings[name]
    of_study = {SCORE: statistics["score"], TOP_FRACTION: f"{statistics['top_fraction']:g}"}
    names = [name for name in choices.dimensions if name in found["dimensions"]]
    ours = {name: choices.dimensions[name].ours for name in names}
    own = {name: {**ours, **of_study, **found["own"]}[name] for name in names}
    crossed = {name: list(found["crossed"][name]) for name in names if name in found["crossed"]}
    alone = {
        name: [
            level
            for level in choices.dimensions[name].levels
            if level not in crossed.get(name, ()) and level != own[name]
        ]
        for name in names
    }
    without = found.get("without", {})
    faults = {
        name: [
            level for level in choices.dimensions[name].faults if level not in without.get(name, ())
        ]
        for name in names
    }
    return Plan(name, found["statistic"], own, own, crossed, alone, faults)


def _changed(choices: Choices, plan: Plan, options: Mapping) -> Plan:
    """Return a plan with what the user adds, drops and fixes."""
    crossed = {name: list(levels) for name, levels in plan.crossed.items()}
    alone = {name: list(levels) for name, levels in plan.alone.items()}
    base = dict(plan.own)
    for name, level in _levels(choices, options["add"]):
        if name in base:
            crossed.setdefault(name, [plan.own[name]])
            crossed[name] += [level] * (level not in crossed[name])
            alone[name] = [other for other in alone[name] if other != level]
    for name, level in _levels(choices, options["drop"]):
        for levels in (crossed.get(name, []), alone.get(name, [])):
            if (
                level in levels and level != plan.own[name]
            ):  # another finding's own choice may be dropped there alone
                levels.remove(level)
    for name, level in options["fix"].items():
        if name in base:
            base[name] = choices.dimensions[name].level(level)
            alone[name] = []
            crossed[name] = [base[name]]
    return replace(plan, base=base, crossed=crossed, alone=alone)


def _levels(choices: Choices, lists: Mapping[str, Sequence]) -> Iterator[tuple[str, str]]:
    """Yield each dimension that there is with each of its levels."""
    for name in choices.dimensions:
        for level in lists.get(name, ()):
            yield name, choices.dimensions[name].level(level)


def _changes_faults(choices: Choices, options: Mapping, plans: Mapping[str, Plan]) -> Iterator[str]:
    """Yield what is wrong with add, drop and fix, each as `.<key>.<dimension>: …`."""
    for key in ("add", "drop", "fix"):
        for name, written in options[key].items():
            place = f".{key}.{name}"
            if name not in choices.dimensions:
                known = list(choices.dimensions)
                yield f".{key}: there is no dimension {name!r}; known are {', '.join(known)}{nearest(name, known)}"
                continue
            if not any(name in plan.own for plan in plans.values()):
                have = "have" if len(plans) > 1 else "has"
                yield f"{place}: {listed(plans)} {have} no such choice; leave it out, or name another finding"
                continue
            for level in [written] if key == "fix" else written:
                yield from _level_faults(choices.dimensions[name], level, place)
                if key == "drop":
                    yield from _own_dropped(choices.dimensions[name].level(level), name, plans)
    for name in options["fix"]:
        for key in ("add", "drop"):
            if name in options[key]:
                yield f".fix.{name}: {key} changes its levels, too; of a dimension that is fixed there is one"
    dropped = set(_levels(choices, options["drop"]))
    for name in options["add"]:
        added = _levels(choices, {name: options["add"][name]})
        if both := [level for _, level in added if (name, level) in dropped]:
            yield f".add.{name}: adds {listed(both)}, which drop leaves out; name a level in one of them"


def _level_faults(dimension: Dimension, written: object, place: str) -> Iterator[str]:
    level = dimension.level(written)
    if level in dimension.faults:
        yield f"{place}: {level} is an error that others could make, and is tried on its own alone; leave it out"
    elif not dimension.has(level):
        known = list(dimension.levels)
        more = ", or another share between 0 and 1" if dimension.of_numbers else ""
        yield f"{place}: there is no level {level!r}; known are {', '.join(known)}{more}{nearest(level, known)}"


def _own_dropped(level: str, name: str, plans: Mapping[str, Plan]) -> Iterator[str]:
    having = [finding for finding, plan in plans.items() if name in plan.own]
    if all(plans[finding].own[name] == level for finding in having):
        yield f".drop.{name}: {level} is the study's own choice in {listed(having)}, with which others are compared; it stays"


def _faults(content: Mapping) -> Iterator[str]:
    """Yield what is wrong with the file, a line each."""
    for key in ("dimensions", "exclusions", "named", "findings"):
        if key not in content:
            yield f"lacks the key {key}"
            return
    dimensions = content["dimensions"]
    for name, one in dimensions.items():
        every = {**one["levels"], **one.get("faults", {})}
        for level, why in every.items():
            if not isinstance(level, str) or not isinstance(why, str) or not why.strip():
                yield f"dimensions.{name}: {level!r} needs a name in text and a reason"
        if one["ours"] not in one["levels"]:
            yield f"dimensions.{name}: ours is {one['ours']!r}, which is no level"
        above = list(dimensions)[: list(dimensions).index(name)]
        for other in one.get("only_with", {}):
            if other not in above:
                yield f"dimensions.{name}: only_with names {other}, which is not above it"
        yield from _unknown(dimensions, one.get("only_with", {}), f"dimensions.{name}.only_with")
    for number, one in enumerate(content["exclusions"]):
        yield from _unknown(dimensions, one["when"], f"exclusions.{number}")
        if not one["why"].strip():
            yield f"exclusions.{number}: has no reason"
    for name, one in content["named"].items():
        as_lists = {key: [level] for key, level in one["choices"].items()}
        yield from _unknown(dimensions, as_lists, f"named.{name}")
    for name, one in content["findings"].items():
        yield from _finding_faults(dimensions, name, one)


def _finding_faults(dimensions: Mapping, name: str, one: Mapping) -> Iterator[str]:
    lists = {key: [level] for key, level in one["own"].items()}
    for place, named in (("own", lists), ("crossed", one["crossed"])):
        yield from _unknown(dimensions, named, f"findings.{name}.{place}")
        for other in named:
            if other not in one["dimensions"]:
                yield f"findings.{name}.{place}: {other} is none of its dimensions"
    for other in one["dimensions"]:
        if other not in dimensions:
            yield f"findings.{name}.dimensions: there is no dimension {other!r}"


def _unknown(dimensions: Mapping, lists: Mapping[str, Sequence], place: str) -> Iterator[str]:
    for name, levels in lists.items():
        if name not in dimensions:
            yield f"{place}: there is no dimension {name!r}"
            continue
        for level in levels:
            if level and level not in dimensions[name]["levels"]:
                yield f"{place}: {name} has no level {level!r}"


def _is_share(written: object) -> bool:
    try:
        return 0 < float(str(written)) < 1
    except ValueError:
        return False
