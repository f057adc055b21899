"""Runs that were stopped half-trained: what their states say, and in which words they were begun."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

from retention.sampling.treatments import complete_treatment
from retention.training.state_file import read_state
from retention.training.whole_recipe import whole_recipe
from retention.workflow.adoption.candidates import (
    Candidate,
    as_json,
    as_map,
    forms_of,
    is_half_trained,
)
from retention.workflow.adoption.command import Command
from retention.workflow.adoption.graph import Graph


def half_trained(graph: Graph) -> list[Candidate]:
    """Return the runs that were stopped after an epoch and are not finished."""
    found = [
        Candidate(job, {}, Path(job.params.state))
        for job in graph.jobs("finetune")
        if is_half_trained(job)
    ]
    return [replace(one, facts=_facts_of_state(one, graph.config)) for one in found]


def _facts_of_state(candidate: Candidate, config: Mapping) -> dict:
    """Return what run.yaml would say, of a run that has none yet."""
    command = candidate.command
    identity = _identity(Path(candidate.name))
    return {
        "recipe": whole_recipe(as_map(command["recipe"])),
        "architecture_definition": config["architecture_definitions"][command["architecture"]],
        "treatment_definition": complete_treatment(as_map(command["treatment-definition"])),
        "code_version": identity.get("code version", ""),
        "digests": identity,
    }


def _identity(folder: Path) -> dict[str, str]:
    """Return the identity of the newest whole state in a folder, none where all are damaged."""
    for path in sorted(folder.glob("epoch_*.json"), reverse=True):
        try:
            return read_state(path)["identity"]
        except (OSError, ValueError, KeyError):
            continue
    return {}


def state_commands(state: Candidate, config: Mapping, code: str, like: Mapping) -> list[Command]:
    """Return the commands by which an old version may have begun a half-trained run.

    like: run.yaml of a finished run of its data set and architecture, which says recipe and definition
    in the old version's own words; empty where there is none.
    """
    command = state.command.given(code_version=code, device=state.device)
    raw = {
        "architecture": config["architecture_definitions"][command["architecture"]],
        "store": config["store"],
    }
    recipes = [like.get("recipe"), *forms_of("recipe", command["recipe"])]
    definitions = [
        like.get("architecture_definition"),
        *forms_of("architecture", command["definition"], raw["architecture"]),
    ]
    stores = forms_of("store", command["store"], raw["store"])
    shortest = as_map(command["treatment-definition"])
    treatments = [complete_treatment(shortest), shortest]
    return [
        command.given(
            recipe=as_json(recipe),
            definition=as_json(definition),
            store=as_json(store),
            treatment_definition=as_json(treatment),
        )
        for recipe, definition, store, treatment in product(
            _different(recipes), _different(definitions), _different(stores), _different(treatments)
        )
    ]


def begun_otherwise(state: Candidate, told: Sequence[Mapping[str, str] | str]) -> list[str]:
    """Return in what a half-trained run differs from the nearest that a version says; nothing, if in nothing.

    told: what the version calls what the run depends on, for each way to say the run; or why it gives none.
    """
    known = state.facts["digests"]
    if not known:
        return ["no state is whole"]
    return min((_differing(known, answer) for answer in told), key=len)


def _differing(known: Mapping[str, str], told: Mapping[str, str] | str) -> list[str]:
    if isinstance(told, str):
        return [told]
    return [key for key in {**known, **told} if known.get(key) != told.get(key)]


def in_words_of(state: Candidate, command: Command) -> Candidate:
    """Return a half-trained run with its settings said as the command by which it was begun says them."""
    said = {
        "recipe": as_map(command["recipe"]),
        "architecture_definition": as_map(command["definition"]),
        "treatment_definition": as_map(command["treatment-definition"]),
    }
    return replace(state, facts={**state.facts, **said})


def _different(maps: Iterable[Mapping | None]) -> list[Mapping]:
    """Return the maps that are there, each once."""
    return list({as_json(found): found for found in maps if found is not None}.values())
