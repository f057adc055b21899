"""What is evaluated of a finding: the factorial of the crossed levels, levels tried alone, named ones, faults."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from retention.common.errors import UserError
from retention.common.lists import listed
from retention.common.multiverse_tables import FAULT
from retention.multiverse.choices import Choices, Levels, Plan

CROSSED, ALONE, NAMED = "crossed", "alone", "named"


@dataclass(frozen=True)
class Combination:
    """A level of each dimension of a finding, "" where the dimension does not apply.

    number: within the finding, from 1, which is the study's own. named: the name of a definition that it has, or "".
    """

    number: int
    kind: str
    levels: Levels
    own: bool = False
    named: str = ""


def combinations_of(
    choices: Choices, plan: Plan, most: int, place: str = "multiverse"
) -> list[Combination]:
    """Return a finding's combinations: the study's own, then crossed, alone, named, faults, each once.

    Combinations that differ only in dimensions that do not apply are one. most: how many crossed ones there may be at
    most. Raises `UserError` where there are more, and where nothing is left.
    """
    _require_few(choices, plan, most, place)
    own = reduced(choices, plan.own)
    crossed = list(_crossed(choices, plan))
    kinds: dict[tuple, Combination] = {}
    for kind, levels in (
        (CROSSED if own in crossed else ALONE, own),
        *((CROSSED, levels) for levels in crossed),
        *((ALONE, levels) for levels in _alone(choices, plan, plan.alone)),
        *((NAMED, levels) for _, levels in _named(choices, plan)),
        *((FAULT, levels) for levels in _alone(choices, plan, plan.faults)),
    ):
        key = tuple(levels.values())
        if key not in kinds:
            kinds[key] = Combination(len(kinds) + 1, kind, levels, own=levels == own)
    for name, levels in _named(choices, plan):
        key = tuple(levels.values())
        kinds[key] = replace(kinds[key], named=kinds[key].named or name)
    return list(kinds.values())


def counts(combinations: Sequence[Combination]) -> dict[str, int]:
    """Return how many there are of each kind."""
    found = Counter(one.kind for one in combinations)
    return {kind: found[kind] for kind in (CROSSED, ALONE, NAMED, FAULT)}


def reduced(choices: Choices, levels: Mapping[str, str]) -> dict[str, str]:
    """Return the levels, "" in place of those of dimensions that do not apply beside the others.

    levels: of every dimension of a finding, in the order of the file.
    """
    kept: dict[str, str] = {}
    for name, level in levels.items():
        asked = choices.dimensions[name].only_with
        applies = all(kept[other] in asked[other] for other in asked if other in kept)
        kept[name] = level if applies else ""
    return kept


def _crossed(choices: Choices, plan: Plan) -> Iterator[dict[str, str]]:
    """Yield the factorial, without what is excluded; the same one again where dimensions do not apply."""
    for chosen in product(*plan.crossed.values()):
        levels = reduced(choices, {**plan.base, **dict(zip(plan.crossed, chosen, strict=True))})
        if not choices.excluded(levels):
            yield levels


def _alone(
    choices: Choices, plan: Plan, lists: Mapping[str, Sequence[str]]
) -> Iterator[dict[str, str]]:
    """Yield the study's own combination with one level changed.

    Where a dimension does not apply there, the first levels that make it apply are taken, too; where the user left none of
    them, it is not tried.
    """
    for name, others in lists.items():
        needed = _enabling(choices, plan, name, plan.left)
        if needed is None:
            continue
        for level in others:
            base = {**plan.base, **needed, name: level}
            levels = reduced(choices, base)
            if levels[name] and not choices.excluded(levels):
                yield levels


def _enabling(
    choices: Choices, plan: Plan, name: str, left: Mapping[str, Collection[str]]
) -> dict[str, str] | None:
    """Return the levels of other dimensions that a dimension needs to apply, as far as the study's own do not do.

    left: the levels of each dimension that may be taken; None where none of them makes it apply.
    """
    needed: dict[str, str] = {}
    for other, wanted in choices.dimensions[name].only_with.items():
        if other in plan.base and reduced(choices, plan.base)[other] not in wanted:
            above = _enabling(choices, plan, other, left)
            first = next((level for level in wanted if level in left[other]), None)
            if above is None or first is None:
                return None
            needed |= {**above, other: first}
    return needed


def _named(choices: Choices, plan: Plan) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield named definitions, whole, whatever the user fixes or drops.

    What they say nothing of is as the study has it, and their score is the decay constant.
    """
    for name, one in choices.named.items():
        chosen = {key: level for key, level in one.choices.items() if key in plan.own}
        needed: dict[str, str] = {}
        every = {key: choices.dimensions[key].levels for key in plan.own}
        for key in chosen:
            needed |= _enabling(choices, plan, key, every) or {}
        levels = reduced(choices, {**plan.own, **needed, **chosen})
        if not choices.excluded(levels):
            yield name, levels


def _require_few(choices: Choices, plan: Plan, most: int, place: str) -> None:
    """Raise `UserError` where no crossed combination is left, or none has what is fixed, or more than so many are."""
    several = {name: levels for name, levels in plan.crossed.items() if len(levels) > 1}
    whole = reduced(choices, plan.base)
    why = choices.excluded(whole) or "their levels exclude each other"
    crossed = list(_crossed(choices, plan))
    if not crossed:
        raise UserError(
            f"{place}: nothing is left of {plan.finding}, every combination is excluded ({why}); fix or drop less"
        )
    fixed = {name: whole[name] for name in plan.crossed if name not in several and whole[name]}
    if not any(fixed.items() <= levels.items() for levels in crossed):
        told = listed(f"{name} {level}" for name, level in fixed.items())
        raise UserError(
            f"{place}: no combination of {plan.finding} has all that is fixed, {told} ({why}); fix less"
        )
    found = {tuple(levels.values()) for levels in crossed}
    if len(found) > most:
        wide = sorted(several, key=lambda name: -len(several[name]))
        shown = [f"{name} ({len(several[name])} levels)" for name in wide]
        raise UserError(
            f"{place}: {plan.finding} has {len(found)} crossed combinations, more than {most} (most); fix or drop levels "
            f"of {listed(shown)}, or raise most"
        )
