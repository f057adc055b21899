"""The runs that may be taken over: finished ones, and those that were stopped half-trained."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import yaml

from retention.common.digests import digest_of
from retention.common.options import complete, without_defaults
from retention.sampling.treatments import complete_treatment, shortest_treatment
from retention.training.whole_recipe import whole_recipe
from retention.workflow.adoption.command import Command
from retention.workflow.adoption.graph import Graph, Job, command_of
from retention.workflow.adoption.standing import standing_digests, standing_version

# What Snakemake itself compares: the pins of training. Of other packages a newer one retrains nothing.
UNCOMPARED = ("package versions",)
FACTS = {"recipe", "architecture_definition", "treatment_definition", "versions", "code_version"}


@dataclass(frozen=True, eq=False)
class Candidate:
    """A job of fine-tuning that the study asks for, and what it left.

    facts: its run.yaml, or what it would say of a half-trained run. state: the folder of the latter.
    now: what this version calls all that the run depends on, once it is asked.
    """

    job: Job
    facts: Mapping
    state: Path | None = None
    now: Mapping[str, str] = field(default_factory=dict)

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
        """Whether the run was made or begun by, or already taken to, this very code."""
        return standing_version(self.facts) == self.code

    @property
    def place(self) -> tuple[str, str]:
        """Its data set and its architecture."""
        return self.command["dataset"], self.command["architecture"]

    @property
    def sampler(self) -> str:
        """The sampler of its treatment."""
        return complete_treatment(self.facts["treatment_definition"])["sampler"]

    @cached_property
    def combination(self) -> str:
        """What one check by both trainers stands for."""
        recipe = whole_recipe(self.facts["recipe"])
        pruned = ", pruned" if "keep_fraction" in self.facts["treatment_definition"] else ""
        names = f"{', '.join(self.place)}, {self.sampler}{pruned}"
        precision = recipe["precision"], recipe["evaluation_precision"]
        return f"{names}, {' evaluated in '.join(precision)}, {self.device}"

    @property
    def device(self) -> str:
        """The kind of device: that it was trained on, else that of the configuration."""
        return self.facts.get("digests", {}).get("device") or self.command["device"]


def finished_runs(graph: Graph) -> list[Candidate]:
    """Return the finished runs of the study that its configuration asks for."""
    return [
        Candidate(job, facts)
        for job in graph.jobs("finetune")
        if not lacking(job) and (facts := _facts(job)) is not None
    ]


def lacking(job: Job) -> list[str]:
    """Return the names of a job's outputs that are not there."""
    return [Path(path).name for path in job.output if not Path(path).exists()]


def passed_over(graph: Graph, finished: Iterable[Candidate]) -> list[str]:
    """Return a line for each run that left results of which some are gone, or whose run.yaml tells nothing.

    finished: those that are whole. Those that were stopped half-trained are not passed over either.
    """
    whole = {id(one.job) for one in finished}
    lines = []
    for job in graph.jobs("finetune"):
        gone = lacking(job)
        if id(job) in whole or len(gone) == len(job.output) or is_half_trained(job):
            continue
        why = f"lacks {', '.join(gone)}" if gone else "its run.yaml does not say how it was made"
        lines.append(f"{Path(job.output.run).parent}: {why}")
    return lines


def is_half_trained(job: Job) -> bool:
    """Return whether a run was stopped after an epoch and is not finished."""
    return not Path(job.output.run).exists() and any(Path(job.params.state).glob("epoch_*.json"))


def _facts(job: Job) -> Mapping | None:
    """Return what run.yaml says, `None` where it does not say how the run was made."""
    try:
        facts = yaml.safe_load(Path(job.output.run).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None
    return facts if isinstance(facts, Mapping) and set(facts) >= FACTS else None


def strangers(graph: Graph) -> list[str]:
    """Return the folders of finished runs that the configuration does not ask for."""
    asked = {str(job.output.run) for job in graph.jobs("finetune")}
    found = Path("results", graph.config["study"]).glob("*/runs/*/*/seed*/run.yaml")
    return sorted(str(path.parent) for path in found if str(path) not in asked)


def changed_settings(candidate: Candidate) -> list[str]:
    """Return what a finished run was made with that the configuration now wants otherwise.

    A half-trained one says no settings, only digests of them.
    """
    if candidate.state is not None:
        return []
    facts, job = candidate.facts, candidate.job
    changed = [
        f"recipe.{key}" for key in _changed_options(candidate.command["recipe"], facts["recipe"])
    ]
    pair = candidate.command["definition"], facts["architecture_definition"]
    wanted, had = (without_defaults("architecture", as_map(text)) for text in pair)
    changed += ["architecture_definition"] * (wanted != had)
    pair = candidate.command["treatment-definition"], facts["treatment_definition"]
    wanted, had = (shortest_treatment(as_map(text)) for text in pair)
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
    wanted, had = (whole_recipe(as_map(recipe)) for recipe in (wanted, had))
    return [
        key
        for key in {**wanted, **had}
        if wanted.get(key) != had.get(key) and wanted.get(key) != "auto"
    ]


def as_map(given: str | Mapping) -> Mapping:
    """Return a map that may be JSON, of which YAML is the larger half."""
    return yaml.safe_load(given) if isinstance(given, str) else given


def as_trained(candidate: Candidate, **more: object) -> Command:
    """Return the command of a run in the words of its own run.yaml, as the old version was given them."""
    facts = candidate.facts
    return candidate.command.given(
        recipe=as_json(facts["recipe"]),
        definition=as_json(facts["architecture_definition"]),
        treatment_definition=as_json(facts["treatment_definition"]),
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
    stores = [digest_of(form) for form in forms_of("store", candidate.command["store"])]
    if recorded.get("store") not in stores:
        changed.append("store")
    return changed


def forms_of(section: str, given: str | Mapping, raw: Mapping | None = None) -> list[Mapping]:
    """Return a map of options as versions have passed it on: as it was written, whole, at its shortest."""
    given = as_map(given)
    forms = [raw, complete(section, given), without_defaults(section, given)]
    return [form for form in forms if form is not None]


def as_json(content: Mapping) -> str:
    return json.dumps(content, sort_keys=True)
