"""From a finished study of another version to one that this version need not train again."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from retention.common.errors import UserError
from retention.workflow.adoption import records
from retention.workflow.adoption.backbones import faults_of_backbones, needs_training
from retention.workflow.adoption.candidates import (
    Candidate,
    as_trained,
    changed_inputs,
    changed_settings,
    finished_runs,
    passed_over,
    strangers,
)
from retention.workflow.adoption.fetched import require_fetched
from retention.workflow.adoption.graph import Graph, Job, command_of
from retention.workflow.adoption.leaving_out import leave_out, tell_list
from retention.workflow.adoption.old_version import made_by_old
from retention.workflow.adoption.questions import identities
from retention.workflow.adoption.remaking import (
    REMADE,
    WEIGHTS,
    digests_of_weights,
    remake_all,
    require_files,
)
from retention.workflow.adoption.states import begun_otherwise, half_trained
from retention.workflow.adoption.trainers import check_backbone, check_run
from retention.workflow.adoption.upgrade import Upgrade
from retention.workflow.propagation import TRAINING


@dataclass(frozen=True)
class Checked:
    """What both versions were seen to make alike, and may be written.

    candidates: finished and half-trained runs. jobs: those whose records become today's. places: where
    files wait that are new or gained columns. trained: by combination, what both versions trained.
    """

    candidates: Sequence[Candidate]
    jobs: Sequence[Job]
    places: Mapping[str, Path]
    trained: Mapping[str, str]

    @property
    def runs(self) -> list[Candidate]:
        """The finished runs."""
        return [one for one in self.candidates if one.state is None]

    @property
    def states(self) -> list[Candidate]:
        """The half-trained runs."""
        return [one for one in self.candidates if one.state is not None]

    def counted(self, adopted: str) -> str:
        """Return how many runs are adopted, which `adopted` says, are so already, and go on."""
        new = sum(not run.is_of_today for run in self.runs)
        said = f"{adopted} {_counted(new, 'run')}"
        if already := len(self.runs) - new:
            said += f", {already} more of this version already"
        return (
            f"{said}; {_counted(len(self.states), 'half-trained run')} to go on from the last epoch"
        )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def check(upgrade: Upgrade) -> Checked:
    """Find what may be taken over and check all of it; `UserError` where a byte differs."""
    chosen, backbones = _chosen(upgrade)
    jobs = _jobs_around(upgrade.graph, chosen, backbones)
    runs = [one.job for one in chosen if one.state is None]
    require_files([*jobs, *runs])
    places = _made_again(upgrade, jobs)
    named = _named_by_today(upgrade, chosen, places)
    trained = _train(upgrade, named, jobs, places)
    return Checked(
        named, [*jobs, *(one.job for one in named if one.state is None)], places, trained
    )


def write(graph: Graph, checked: Checked, commit: str) -> None:
    """Write what was checked; needs the lock of the graph. commit: of the old version, "" where not known.

    What was written is found again by the next adoption: one that is killed here goes on.
    """
    date = datetime.now(UTC).isoformat(timespec="seconds")
    for job in checked.jobs:
        records.put_in_place(job, checked.places)
    for one in checked.candidates:
        if one.is_of_today:
            continue
        if one.state is None:
            records.adopt_run(one, commit, checked.trained[one.combination], date)
        else:
            records.adopt_state(one.state, one.facts["digests"], one.now)
    graph.record(checked.jobs)


def planned_training(planned: Mapping[str, int]) -> Counter:
    """Return how many trainings are among planned jobs, by rule."""
    return Counter({rule: planned[rule] for rule in TRAINING if planned.get(rule)})


def _chosen(upgrade: Upgrade) -> tuple[list[Candidate], list[Job]]:
    """Return the runs that may be taken over, and the backbones; say of all others why not."""
    graph, said = upgrade.graph, upgrade.said
    finished = finished_runs(graph)
    found = [*finished, *half_trained(graph)]
    outside, broken = strangers(graph), passed_over(graph, finished)
    tell_list(said, "finished, and not asked for by the configuration; left as they are", outside)
    tell_list(said, "not adopted, since a part of them is missing; trained anew", broken)
    if not found and not broken:
        raise UserError(
            f"{Path('results', graph.config['study']).resolve()}: holds no run, finished or half-trained, that the "
            "configuration asks for; adopt in the folder where its results lie, with the study's --configfile"
        )
    kept = leave_out(
        found,
        changed_settings,
        "not adopted, since the configuration wants them otherwise",
        said,
    )
    kept = made_by_old(upgrade, kept)
    faults = faults_of_backbones(graph, upgrade.old)
    kept = leave_out(
        kept,
        lambda one: faults.get(str(one.job.input.get("weights")), []),
        "not adopted, since their backbone is pretrained anew",
        said,
    )
    if not kept:
        raise UserError("no run can be adopted; the lines above say why")
    backbones = graph.jobs("pretrain_backbone")
    return kept, [job for job in backbones if faults.get(str(job.output.weights)) == []]


def _jobs_around(graph: Graph, chosen: Sequence[Candidate], backbones: Sequence[Job]) -> list[Job]:
    """Return the jobs but fine-tuning that made what runs and backbones were made from, and the backbones."""
    rules = ("fetch_dataset", *REMADE, *WEIGHTS)
    above = graph.above([*(one.job for one in chosen), *backbones])
    return [job for job in above if job.rule.name in rules]


def _made_again(upgrade: Upgrade, jobs: Sequence[Job]) -> dict[str, Path]:
    """Hold what jobs made against what this version makes; return where what is new waits."""
    for job in jobs:
        if job.rule.name == "fetch_dataset":
            require_fetched(job)
    places = remake_all(jobs, upgrade.root, upgrade.scratch, upgrade.cores, upgrade.said)
    # Weights are not made again: what a run was trained from is held by its own digest of them.
    weights = [job for job in jobs if job.rule.name in WEIGHTS]
    return places | digests_of_weights(weights, upgrade.scratch)


def _named_by_today(
    upgrade: Upgrade, chosen: Sequence[Candidate], places: Mapping[str, Path]
) -> list[Candidate]:
    """Return the candidates with what this version calls all that they depend on.

    Those of this version that were made from other files are left out.
    """
    commands = [as_trained(one).moved(places) for one in chosen]
    named = []
    told = identities(upgrade.root, commands, upgrade.scratch / "asked")
    for one, answer in zip(chosen, told, strict=True):
        if isinstance(answer, str):
            raise UserError(f"{one.name}: this version refuses it: {answer}; nothing was adopted")
        named.append(replace(one, now=answer))

    def reasons(one: Candidate) -> list[str]:
        if not one.is_of_today:
            return []
        return (
            changed_inputs(one, one.now) if one.state is None else begun_otherwise(one, [one.now])
        )

    what = "of this version, from other files than there are; trained anew"
    return leave_out(named, reasons, what, upgrade.said)


def _train(
    upgrade: Upgrade, named: Sequence[Candidate], jobs: Sequence[Job], places: Mapping[str, Path]
) -> dict[str, str]:
    """Train, by both versions, one run of each combination and each backbone; return which runs."""
    old, root, scratch, said = upgrade.old, upgrade.root, upgrade.scratch, upgrade.said
    candidates = [one for one in named if not one.is_of_today]
    stand_for = Counter(one.combination for one in candidates)
    firsts = {one.combination: one for one in reversed(candidates)}
    device = {"device": candidates[0].device} if candidates else {}
    more: list[str] = []
    for number, job in enumerate(job for job in jobs if needs_training(job, upgrade.graph)):
        folder = scratch / "backbones" / str(number)
        more += check_backbone(command_of(job).given(**device), old, root, places, folder)
        said(f"checked pretraining of {job.output.weights}: two epochs, the same bytes")
    for number, combination in enumerate(stand_for):
        folder = scratch / "runs" / str(number)
        more += check_run(firsts[combination], old, root, places, folder)
        count = stand_for[combination]
        said(f"checked {combination}: two epochs of one of {count}, the same bytes")
    if more:
        columns = ", ".join(dict.fromkeys(more))
        said(f"this version writes more, which runs of the old one lack: {columns}")
    return {name: f"two epochs of {one.name}" for name, one in firsts.items()}
