"""What is known of the paper: a slot for each of its choices, and what a user fills in.

`choices` of resources/paper.yaml has a slot per choice, `{state: known, value: …, source: …}` or `{state: unknown}`, either
with a `note`. Values and meanings stand in the configuration's schema under `paper.known`, where a study fills slots.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from retention.common.errors import UserError
from retention.common.faults import schema_faults
from retention.common.lists import listed
from retention.common.names import nearest
from retention.common.resources import PAPER, read_resource, resource_path
from retention.common.schemas import read_schema

STATES = {"known": {"state", "value", "source", "note"}, "unknown": {"state", "note"}}
NOTHING: Mapping = MappingProxyType({})
ASSUMED = "assumed"


def slots() -> dict[str, dict]:
    """Return the schemas of all slots by name; `of` is "analysis" or "training", `description` says what it is."""
    return _schema()["properties"]


def read_paper(
    known: Mapping[str, Mapping] = NOTHING, paper: Mapping | None = None, place: str = "paper.known"
) -> dict:
    """Return what is reported and known of the paper, with the slots filled that a user knows.

    known: by slot, `{value: …, source: …}`, as `paper.known` of a configuration; paper: None for resources/paper.yaml;
    place: what messages call `known`. Raises `UserError` with a line per fault of either.
    """
    paper = read_resource(PAPER) if paper is None else paper
    faults = [*known_faults(known, place), *choice_faults(paper["choices"])]
    if faults:
        raise UserError("\n".join(faults))
    filled = {name: {"state": "known", **slot} for name, slot in known.items()}
    if faults := list(_contradictions(filled, paper.get("numbers", []), place)):
        raise UserError("\n".join(faults))
    return {**paper, "choices": {**paper["choices"], **filled}}


def _contradictions(
    filled: Mapping[str, Mapping], numbers: Sequence[Mapping], place: str
) -> Iterator[str]:
    """Yield a line per filled slot that is not what a reported number itself is said to be of."""
    for name, slot in filled.items():
        others = [one for one in numbers if name in one and one[name] != slot["value"]]
        if others:
            texts, levels = (dict.fromkeys(one[key] for one in others) for key in ("text", name))
            are = "is" if len(texts) == 1 else "are"
            yield (
                f"{place}.{name}: is {slot['value']}, and the reported {listed(texts)} {are} of {listed(levels)}; leave it "
                "out, or report other numbers"
            )


def known_choices(paper: Mapping) -> dict[str, object]:
    """Return the level of each dimension of the analysis that is known, by its name.

    paper: that of `read_paper`. How the networks were trained is none of them.
    """
    choices, known = paper["choices"], slots()
    return {
        name: slot["value"]
        for name, slot in choices.items()
        if slot["state"] == "known" and known[name]["of"] == "analysis"
    }


def seeds_of(paper: Mapping, assumed: int) -> tuple[int, str]:
    """Return the paper's number of seeds and how it is known: its source, or "assumed".

    paper: that of `read_paper`; assumed: `paper.assumed_seeds`. A slot that a user filled goes before it; the
    resource's own does not, since a study may assume otherwise than a second-hand source says.
    """
    slot = paper["choices"]["seeds"]
    own = read_resource(PAPER)["choices"]["seeds"]
    if slot["state"] == "known" and (slot != own or slot["value"] == assumed):
        return slot["value"], slot["source"]
    return assumed, ASSUMED


def seeds_told(paper: Mapping, assumed: int) -> list[str]:
    """Return a line where the seeds that a study assumes are not those that are known, else none."""
    slot = paper["choices"]["seeds"]
    if slot["state"] != "known" or slot["value"] == assumed:
        return []
    used, _ = seeds_of(paper, assumed)
    return [
        f"paper.assumed_seeds: is {assumed}, but {slot['value']} is known ({slot['source']}); "
        f"paper_comparison.csv is for {used}"
    ]


def known_faults(known: Mapping[str, object], place: str) -> list[str]:
    """Return a line per fault of slots that a user filled, `place.slot.key: what is wrong`."""
    lines = schema_faults(dict(known), _schema(), whole=": ")
    return [f"{place}{line if line.startswith(': ') else f'.{line}'}" for line in lines]


def choice_faults(choices: Mapping[str, object]) -> Iterator[str]:
    """Yield a line per fault of the slots in resources/paper.yaml: each choice has one, known with its source or not."""
    place = f"{resource_path(PAPER)}: choices"
    names = slots()
    if lacking := [name for name in names if name not in choices]:
        yield f"{place}: lacks {listed(lacking)}; write {{state: unknown}} for what is not known"
    known = {}
    for name, slot in choices.items():
        if not isinstance(slot, Mapping):
            yield f"{place}.{name}: is {slot!r}, expected a map, such as {{state: unknown}}"
            continue
        state = slot.get("state")
        if name not in names:
            yield f"{place}.{name}: there is no such choice{nearest(name, names)}; the schema of paper.known lists them"
        elif state not in STATES:
            yield f"{place}.{name}.state: is {state!r}, expected one of {', '.join(STATES)}"
        elif others := sorted(set(slot) - STATES[state]):
            yield f"{place}.{name}: is {state} and says {listed(others)}; a slot that is {state} has {_keys(state)}"
        elif state == "known":
            known[name] = {key: slot[key] for key in ("value", "source") if key in slot}
    yield from known_faults(known, place)


def _keys(state: str) -> str:
    return ", ".join(sorted(STATES[state]))


def _schema() -> dict:
    """Return the schema of `paper.known`, with the definitions that it refers to."""
    whole = read_schema("config")
    return {"$defs": whole["$defs"], **whole["properties"]["paper"]["properties"]["known"]}
