"""From a finished study of another version to one that this version need not train again."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import yaml

from retention.common.errors import UserError
from retention.common.options import without_defaults
from retention.workflow.adoption import records
from retention.workflow.adoption.candidates import (
    Candidate,
    as_trained,
    changed_inputs,
    changed_settings,
    finished_runs,
    half_trained,
    in_words_of,
    other_packages,
    same_recipe,
    state_commands,
    strangers,
)
from retention.workflow.adoption.comparison import read_notes
from retention.workflow.adoption.graph import Graph, command_of
from retention.workflow.adoption.old_tree import Tree
from retention.workflow.adoption.questions import code_versions, identities
from retention.workflow.adoption.remaking import (
    REMADE,
    WEIGHTS,
    digests_of_weights,
    remake_all,
    require_files,
)
from retention.workflow.adoption.trainers import check_backbone, check_run

SHOWN = 10
ADOPTED_RULES = ("fetch_dataset", "finetune", *REMADE, *WEIGHTS)
TRAINING = ("finetune", "pretrain_backbone")


class Adoption:
    """One adoption: what may be taken over, what was checked, what is written.

    old: the version that made the results. root: the sources of this one. scratch: an empty folder.
    said: called with each line that the user is told.
    """

    def __init__(
        self,
        graph: Graph,
        old: Tree,
        root: Path,
        scratch: Path,
        cores: int = 1,
        said: Callable[[str], None] = print,
    ) -> None:
        self.graph, self.old, self.root, self.scratch = graph, old, root, scratch
        self.cores, self.said = cores, said
        self.runs: list[Candidate] = []
        self.states: list[Candidate] = []
        self.backbones: list = []
        self.jobs: list = []
        self.places: dict[str, Path] = {}
        self.checked: dict[str, str] = {}

    def check(self) -> None:
        """Find what may be taken over and check all of it; `UserError` where a byte differs."""
        if found := strangers(self.graph):
            self._list("finished, and not asked for by the configuration; left as they are", found)
        self.runs = self._of_this_configuration(finished_runs(self.graph))
        self.states = half_trained(self.graph)
        self._ask_the_old_version()
        self._leave_out_backbones()
        if not self.runs and not self.states:
            raise UserError("no run can be adopted; the lines above say why")
        wanted = [one.job for one in [*self.runs, *self.states]]
        found = self.graph.above([*wanted, *self.backbones])
        unfinished = {one.job for one in self.states}
        self.jobs = [job for job in found if job not in unfinished and self._adoptable(job)]
        require_files(self.jobs)
        remade = [job for job in self.jobs if job.rule.name in REMADE]
        weights = [job for job in self.jobs if job.rule.name in WEIGHTS]
        self.places = remake_all(remade, self.root, self.scratch, self.cores, self.said)
        self.places |= digests_of_weights(weights, self.scratch)
        self._ask_this_version()
        self._train()

    def write(self) -> None:
        """Write what was checked; needs the lock of the graph."""
        date = datetime.now(UTC).isoformat(timespec="seconds")
        for job in self.jobs:
            records.put_in_place(job, self.places)
        taken = [run for run in self.runs if not run.is_of_today]
        for run in taken:
            records.adopt_run(run, self.old.commit, self.checked[run.combination], date)
        for state in self.states:
            records.adopt_state(state)
        self.graph.record(self.jobs)
        said = f"adopted {len(taken)} runs"
        if already := len(self.runs) - len(taken):
            said += f", {already} more were of this version already"
        self.said(f"{said}; {len(self.states)} half-trained runs go on where they stopped")

    def _list(self, what: str, names: Sequence[str]) -> None:
        """Say a line per name, ten at most, and how many there are."""
        self.said(f"{len(names)} {what}:")
        for name in names[:SHOWN]:
            self.said(f"  {name}")
        if len(names) > SHOWN:
            self.said(f"  … and {len(names) - SHOWN} more")

    def _of_this_configuration(self, runs: Iterable[Candidate]) -> list[Candidate]:
        """Leave out the runs that the configuration now wants otherwise, with a line each."""
        return self._kept(
            runs, changed_settings, "not adopted, since the configuration wants them otherwise"
        )

    def _kept(
        self, runs: Iterable[Candidate], reasons: Callable[[Candidate], list[str]], what: str
    ) -> list[Candidate]:
        kept, left = [], []
        for run in runs:
            if why := reasons(run):
                left.append(f"{run.name}: {', '.join(why)}")
            else:
                kept.append(run)
        if left:
            self._list(what, left)
        return kept

    def _ask_the_old_version(self) -> None:
        """Leave out what the old version did not make, or made from other files than there are."""
        wanted = [run for run in self.runs if not run.is_of_today]
        codes = self._old_codes([*wanted, *self.states])
        commands = [
            as_trained(run, code_version=codes[_sampler_key(run)], state=self.scratch / "asked")
            for run in wanted
        ]
        told = dict(zip(map(id, wanted), self._asked(self.old, commands), strict=True))
        self.runs = self._kept(
            self.runs,
            lambda run: changed_inputs(run, told[id(run)]) if id(run) in told else [],
            f"not adopted, since {self.old.name} did not make them as they are",
        )
        self.states = self._kept(
            self.states,
            lambda state: self._state_faults(state, codes[_sampler_key(state)]),
            f"half-trained, not begun by {self.old.name} as the configuration says; start anew",
        )

    def _old_codes(self, candidates: Sequence[Candidate]) -> dict[str, str]:
        """Return the old version's code version of fine-tuning, by sampler."""
        samplers = sorted({_sampler_key(one) for one in candidates})
        asked = [("finetune", {"retention.samplers": [name]}) for name in samplers]
        return dict(zip(samplers, code_versions(self.old.folder, asked), strict=True))

    def _state_faults(self, state: Candidate, code: str) -> list[str]:
        """Return what keeps a half-trained run from going on; learn how it was begun."""
        known = state.facts["digests"]
        if not known:
            return ["no state is whole"]
        place = [state.command["dataset"], state.command["architecture"]]
        like = (run.facts for run in self.runs if _place(run) == place and not run.is_of_today)
        commands = state_commands(state, self.graph.config, code, next(like, {}))
        asked = [command.given(state=self.scratch / "asked") for command in commands]
        nearest = list(known)
        for command, told in zip(commands, self._asked(self.old, asked), strict=True):
            differing = _differing(known, told) if isinstance(told, dict) else [told]
            if not differing:
                in_words_of(state, command)
                return []
            nearest = min(nearest, differing, key=len)
        return nearest

    def _asked(self, tree: Tree, commands: Sequence) -> list:
        options = tree.options["finetune"] if commands else ()
        return identities(tree.folder, [command.known(options) for command in commands])

    def _leave_out_backbones(self) -> None:
        """Leave out runs whose backbone the configuration wants otherwise, or other code made."""
        backbones = self.graph.jobs("pretrain_backbone")
        code = code_versions(self.old.folder, [("pretrain_backbone", {})] if backbones else [])
        faults = {
            str(job.output.weights): _backbone_faults(job, self.graph, code[0])
            for job in backbones
            if Path(job.output.weights).exists()
        }
        self.backbones = [job for job in backbones if faults.get(str(job.output.weights)) == []]

        def reasons(one: Candidate) -> list[str]:
            return faults.get(str(one.job.input.get("weights")), [])

        what = "not adopted, since their backbone is pretrained anew"
        self.runs = self._kept(self.runs, reasons, what)
        self.states = self._kept(self.states, reasons, what)

    def _adoptable(self, job) -> bool:
        if job.rule.name == "finetune":
            return any(run.job is job for run in self.runs)
        return job.rule.name in ADOPTED_RULES

    def _ask_this_version(self) -> None:
        """Learn what this version calls all that the runs depend on."""
        both = [*self.runs, *self.states]
        commands = [
            as_trained(one, state=self.scratch / "asked").moved(self.places) for one in both
        ]
        for one, told in zip(both, identities(self.root, commands), strict=True):
            if isinstance(told, str):
                raise UserError(f"{one.name}: this version refuses it: {told}; nothing was adopted")
            one.now = told
        self.runs = self._kept(
            self.runs,
            lambda run: changed_inputs(run, run.now) if run.is_of_today else [],
            "of this version, from other files than there are; left to be retrained",
        )
        kept = {id(run.job) for run in self.runs}
        self.jobs = [job for job in self.jobs if job.rule.name != "finetune" or id(job) in kept]

    def _train(self) -> None:
        """Train, by both versions, one run of each combination and each backbone."""
        candidates = [*(run for run in self.runs if not run.is_of_today), *self.states]
        firsts: dict[str, Candidate] = {}
        for one in candidates:
            firsts.setdefault(one.combination, one)
        for number, job in enumerate(job for job in self.jobs if self._needs_training(job)):
            devices = [one.device for one in candidates]
            command = command_of(job).given(**({"device": devices[0]} if devices else {}))
            folder = self.scratch / "backbones" / str(number)
            check_backbone(command, self.old, self.root, self.places, folder)
            self.said(f"checked pretraining of {job.output.weights}: two epochs, the same bytes")
        for number, (combination, one) in enumerate(firsts.items()):
            folder = self.scratch / "runs" / str(number)
            check_run(one, self.old, self.root, self.places, folder)
            self.checked[combination] = f"two epochs of {one.name}"
            stands_for = sum(other.combination == combination for other in candidates)
            self.said(f"checked {combination}: two epochs of one of {stands_for}, the same bytes")

    def _needs_training(self, job) -> bool:
        if job.rule.name != "pretrain_backbone":
            return False
        recorded = self.graph.recorded_params(job.output.weights)
        return recorded is None or repr(job.params.code) not in recorded


def _place(run: Candidate) -> list[str]:
    return [run.facts["dataset"], run.facts["architecture"]]


def _differing(known: Mapping[str, str], told: Mapping[str, str]) -> list[str]:
    return [key for key in {**known, **told} if known.get(key) != told.get(key)]


def _sampler_key(candidate: Candidate) -> str:
    return candidate.facts["treatment_definition"].get("sampler", "random")


def _backbone_faults(job, graph: Graph, code: str) -> list[str]:
    """Return what a pretrained backbone was made with that is otherwise today."""
    weights = job.output.weights
    notes = read_notes(Path(weights))
    if not {"recipe", "definition", "versions"} <= set(notes):
        return [f"{weights}, which does not say how it was made"]
    faults = other_packages(job.params.pins, yaml.safe_load(notes["versions"]))
    if not same_recipe(job.params.recipe, notes["recipe"]):
        faults.append("pretraining recipe")
    wanted, had = (
        without_defaults("architecture", yaml.safe_load(text))
        for text in (job.params.definition, notes["definition"])
    )
    faults += ["definition"] * (wanted != had)
    recorded = graph.recorded_params(weights)
    if recorded is not None and not {repr(code), repr(job.params.code)} & set(recorded):
        faults.append("code, which is another than that of --from")
    return [f"{weights}: {fault}" for fault in faults]


def planned_training(planned: Mapping[str, int]) -> Counter:
    """Return how many trainings are among planned jobs, by rule."""
    return Counter({rule: planned[rule] for rule in TRAINING if planned.get(rule)})


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield an empty folder on the disk of the results, gone afterwards."""
    Path(".snakemake").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="adopt-", dir=".snakemake"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers(scratch: Path) -> None:
    """Delete what killed adoptions left beside the scratch folder; needs the lock of the graph."""
    for folder in scratch.parent.glob("adopt-*"):
        if folder != scratch:
            shutil.rmtree(folder, ignore_errors=True)
