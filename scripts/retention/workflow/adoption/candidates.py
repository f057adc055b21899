"""The runs that may be taken over: finished ones, and those that were stopped half-trained."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from pathlib import Path

import yaml

from retention.common.digests import digest_of
from retention.common.options import complete, without_defaults
from retention.sampling.treatments import complete_treatment, shortest_treatment
from retention.training.state_file import read_state
from retention.training.whole_recipe import whole_recipe
from retention.workflow.adoption.command import Command
from retention.workflow.adoption.graph import Graph, command_of
from retention.workflow.adoption.standing import standing_digests, standing_version

# What Snakemake itself compares: the pins of training. Of other packages a newer one retrains nothing.
UNCOMPARED = ("package versions",)


@dataclass
class Candidate:
    """A job of fine-tuning that the study asks for, and what it left.

    facts: its run.yaml, or what it would say of a half-trained run. state: the folder of the latter.
    now: what this version calls all that the run depends on.
    """

    job: object
    facts: Mapping
    state: Path | None = None
    now: dict[str, str] = field(default_factory=dict)

    @cached_property
    def command(self) -> Command:
        """The command by which this version would train it."""
        return command_of(self.job)

    @property
    def name(self) -> str:
        """What messages call it: the folder of the run or of its state."""
        return str(self.state or self.folder)

    @property
    def folder(self) -> Path:
        """Where the finished run lies."""
        return Path(self.command["run"]).parent

    @property
    def code(self) -> str:
        """The code version of today."""
        return self.command["code-version"]

    @property
    def is_of_today(self) -> bool:
        """Whether the run was made by, or already taken to, this very code."""
        return self.state is None and standing_version(self.facts) == self.code

    @cached_property
    def combination(self) -> str:
        """What one check by both trainers stands for."""
        recipe, treatment = whole_recipe(self.facts["recipe"]), self.facts["treatment_definition"]
        sampler = complete_treatment(treatment)["sampler"]
        pruned = ", pruned" if "keep_fraction" in treatment else ""
        names = f"{self.command['dataset']}, {self.command['architecture']}, {sampler}{pruned}"
        precision = recipe["precision"], recipe["evaluation_precision"]
        return f"{names}, {' evaluated in '.join(precision)}, {self.device}"

    @property
    def device(self) -> str:
        """The kind of device: that it was trained on, else that of the configuration."""
        return self.facts.get("digests", {}).get("device") or self.command["device"]


def finished_runs(graph: Graph) -> list[Candidate]:
    """Return the finished runs of the study that its configuration asks for."""
    return [
        Candidate(job, yaml.safe_load(Path(job.output.run).read_text(encoding="utf-8")))
        for job in graph.jobs("finetune")
        if all(Path(path).exists() for path in job.output)
    ]


def half_trained(graph: Graph) -> list[Candidate]:
    """Return the runs that were stopped after an epoch and are not finished."""
    found = [
        Candidate(job, {}, Path(job.params.state))
        for job in graph.jobs("finetune")
        if not Path(job.output.run).exists() and any(Path(job.params.state).glob("epoch_*.json"))
    ]
    for candidate in found:
        candidate.facts = _facts_of_state(candidate, graph.config)
    return found


def _facts_of_state(candidate: Candidate, config: Mapping) -> dict:
    """Return what run.yaml would say, of a run that has none yet."""
    command = candidate.command
    identity = _identity(candidate.state)
    return {
        "recipe": whole_recipe(_map(command["recipe"])),
        "architecture_definition": config["architecture_definitions"][command["architecture"]],
        "treatment_definition": complete_treatment(_map(command["treatment-definition"])),
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


def strangers(graph: Graph) -> list[str]:
    """Return the folders of finished runs that the configuration does not ask for."""
    asked = {str(job.output.run) for job in graph.jobs("finetune")}
    found = Path("results", graph.config["study"]).glob("*/runs/*/*/seed*/run.yaml")
    return sorted(str(path.parent) for path in found if str(path) not in asked)


def changed_settings(candidate: Candidate) -> list[str]:
    """Return what a finished run was made with that the configuration now wants otherwise."""
    facts, job = candidate.facts, candidate.job
    changed = [
        f"recipe.{key}" for key in _changed_options(candidate.command["recipe"], facts["recipe"])
    ]
    definitions = candidate.command["definition"], facts["architecture_definition"]
    wanted, had = (without_defaults("architecture", _map(text)) for text in definitions)
    changed += ["architecture_definition"] * (wanted != had)
    treatments = candidate.command["treatment-definition"], facts["treatment_definition"]
    wanted, had = (shortest_treatment(_map(text)) for text in treatments)
    changed += ["treatment_definition"] * (wanted != had)
    return changed + other_packages(job.params.pins, facts["versions"])


def other_packages(pins: Iterable[str], versions: Mapping[str, str]) -> list[str]:
    """Return the pinned packages of which a run was made with another version."""
    pairs = [pin.split("==") for pin in pins]
    had = {name: str(versions.get(name, "none")).partition("+")[0] for name, _ in pairs}
    return [
        f"{name} {had[name]}, where {version} is pinned"
        for name, version in pairs
        if had[name] != version
    ]


def same_recipe(wanted: str | Mapping, had: str | Mapping) -> bool:
    """Return whether two recipes mean the same; `auto` in the first is whatever it was settled to."""
    return not _changed_options(wanted, had)


def _changed_options(wanted: str | Mapping, had: str | Mapping) -> list[str]:
    wanted, had = (whole_recipe(_map(recipe)) for recipe in (wanted, had))
    return [
        key
        for key in {**wanted, **had}
        if wanted.get(key) != had.get(key) and wanted.get(key) != "auto"
    ]


def _map(given: str | Mapping) -> Mapping:
    """Return a map that may be JSON, of which YAML is the larger half."""
    return yaml.safe_load(given) if isinstance(given, str) else given


def as_trained(candidate: Candidate, **more: object) -> Command:
    """Return the command of a run in the words of its own run.yaml, as the old version was given them."""
    facts = candidate.facts
    return candidate.command.given(
        recipe=_json(facts["recipe"]),
        definition=_json(facts["architecture_definition"]),
        treatment_definition=_json(facts["treatment_definition"]),
        device=candidate.device,
        **more,
    )


def changed_inputs(candidate: Candidate, told: Mapping | str) -> list[str]:
    """Return what a run depended on that the old version finds otherwise, or made otherwise itself.

    told: its digests of each thing today, or why it gives none.
    """
    recorded = standing_digests(candidate.facts)
    if not recorded:
        return ["run.yaml, which records no digests of what it was trained on"]
    if isinstance(told, str):
        return [f"the old version refuses it: {told}"]
    known = {key for key in recorded if key not in (*UNCOMPARED, "store")}
    changed = [key for key in sorted(known) if recorded[key] != told.get(key)]
    if recorded.get("store") not in map(digest_of, forms_of("store", candidate.command["store"])):
        changed.append("store")
    return changed


def forms_of(section: str, given: str | Mapping, raw: Mapping | None = None) -> list[Mapping]:
    """Return a map of options as versions have passed it on: as it was written, whole, at its shortest."""
    given = _map(given)
    forms = [raw, complete(section, given), without_defaults(section, given)]
    return [form for form in forms if form is not None]


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
    shortest = _map(command["treatment-definition"])
    treatments = [complete_treatment(shortest), shortest]
    return [
        command.given(
            recipe=_json(recipe),
            definition=_json(definition),
            store=_json(store),
            treatment_definition=_json(treatment),
        )
        for recipe, definition, store, treatment in product(
            _different(recipes), _different(definitions), _different(stores), _different(treatments)
        )
    ]


def in_words_of(state: Candidate, command: Command) -> None:
    """Let what is known of a half-trained run be said as the command by which it was begun says it."""
    state.facts = {
        **state.facts,
        "recipe": _map(command["recipe"]),
        "architecture_definition": _map(command["definition"]),
        "treatment_definition": _map(command["treatment-definition"]),
    }


def _different(maps: Iterable[Mapping | None]) -> list[Mapping]:
    """Return the maps that are there, each once."""
    return list({_json(found): found for found in maps if found is not None}.values())


def _json(content: Mapping) -> str:
    return json.dumps(content, sort_keys=True)
