"""Which runs' scores a treatment's schedule is made from, and what is wrong with a study's treatments."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from retention.common.lists import listed
from retention.sampling.checks import treatment_faults
from retention.sampling.treatments import complete_treatment, needs_source

Entry = TypeVar("Entry")


def source_runs(
    definition: Mapping,
    architecture: str,
    seed: int,
    architectures: Sequence[str],
    seeds: Sequence[int],
) -> list[tuple[str, int]]:
    """Return (architecture, seed) of each source run of a run, empty where it needs none.

    Sources are runs of the treatment `random`, so nothing can depend on itself; and they are other
    runs than the one that is scheduled, but for `same_seed`, the positive control: there the very
    initialisation and order that are trained again were scored before.
    """
    if not needs_source(definition):
        return []
    source = complete_treatment(definition)["source"]
    if source == "same_seed":
        return [(architecture, seed)]
    if source == "other_architecture":
        return [(_next(architectures, architecture), seed)]
    if source == "next_seed":
        return [(architecture, _next(seeds, seed))]
    return [(architecture, other) for other in seeds if other != seed]


def treatments_faults(
    config: Mapping, defaults: Mapping[str, Mapping] | None = None
) -> Iterator[str]:
    """Yield one line per fault of the treatments that a study defines or uses.

    defaults: treatment_definitions of config.yaml, over which the user's were merged.
    """
    definitions = config["treatment_definitions"]
    faulty = set()
    for name, definition in definitions.items():
        for fault in treatment_faults(definition, config["dynamics"]["fits"]):
            faulty.add(name)
            yield f"treatment_definitions.{name}.{fault}{_merged(fault, definition, (defaults or {}).get(name))}"
    if definitions.get("random", {"sampler": "random"}) not in ({}, {"sampler": "random"}):
        yield (
            "treatment_definitions.random: is the baseline of every comparison, expected {sampler: random} "
            "and no more; give another treatment another name"
        )
    yield from _equal_treatments(
        {n: definitions[n] for n in config["treatments"] if n in definitions and n not in faulty}
    )


def sourceless(config: Mapping) -> dict[str, str]:
    """Return the treatments for whose scores a study has no other run, each with what it lacks."""
    lacking = {}
    for name in config["treatments"]:
        definition = config["treatment_definitions"][name]
        source = complete_treatment(definition)["source"] if needs_source(definition) else ""
        if source in ("next_seed", "other_seeds") and len(config["seeds"]) < 2:
            lacking[name] = "scores of another seed, and seeds names one"
        if source == "other_architecture" and len(config["architectures"]) < 2:
            lacking[name] = "scores of another architecture, and architectures names one"
    return lacking


def with_sources(config: Mapping) -> dict:
    """Return a configuration without the treatments that it has no source for."""
    lacking = sourceless(config)
    made = [name for name in config["treatments"] if name not in lacking]
    return {**config, "treatments": made}


def told_sourceless(config: Mapping) -> Iterator[str]:
    """Yield one line per reason for which treatments are left out, naming them."""
    lacking = sourceless(config)
    for reason in dict.fromkeys(lacking.values()):
        names = [name for name, found in lacking.items() if found == reason]
        yield f"treatments: left out for want of {reason}: {listed(names)}"


def _merged(fault: str, definition: Mapping, default: Mapping | None) -> str:
    """Return a hint where a fault is of a key that stands in config.yaml, and not in the user's file."""
    key = fault.split(":")[0]
    untouched = default is not None and key in default and default[key] == definition.get(key)
    if not untouched or default == definition:
        return ""
    return f"; {key} was merged from config.yaml, which has a treatment of this name: give yours another"


def _equal_treatments(definitions: Mapping[str, Mapping]) -> Iterator[str]:
    """Yield one line per treatment that is another one by another name: trained twice, told apart by chance."""
    seen = {"random": complete_treatment({})}
    for name, definition in definitions.items():
        whole = complete_treatment(definition)
        twins = [other for other, known in seen.items() if known == whole and other != name]
        if twins and name != "random":
            yield (
                f"treatments: {name} is defined like {twins[0]}; change treatment_definitions.{name} or "
                "leave one of them out"
            )
        seen.setdefault(name, whole)


def _next(names: Sequence[Entry], name: Entry) -> Entry:
    """Return the one after `name` in the list, the first after the last."""
    return names[(names.index(name) + 1) % len(names)]
