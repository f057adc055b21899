"""What Snakemake would run in this folder, and its records of what it has run.

Snakemake offers no way to say that a finished job stands; `snakemake --touch` changes times and asks
nothing. So these are calls into its insides, for the version that requirements.txt pins; a test holds them.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

from snakemake.api import SnakemakeApi
from snakemake.exceptions import LockException, WorkflowError
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    ExecutionSettings,
    GroupSettings,
    OutputSettings,
    Quietness,
    RemoteExecutionSettings,
    RerunTrigger,
    ResourceSettings,
    SchedulingSettings,
)

from retention.common.errors import UserError
from retention.workflow.adoption.command import Command
from retention.workflow.presence import record_presence
from retention.workflow.titles import without_titles

# Runs of treatments that no finding reads belong to the study, too.
TARGETS = {"all", "runs"}
TRIGGERS = {RerunTrigger.MTIME, RerunTrigger.PARAMS, RerunTrigger.INPUT, RerunTrigger.CODE}


class Job(Protocol):
    """What is used of Snakemake's jobs: input, output and params name their parts, as the rule does."""

    rule: Any
    input: Any
    output: Any
    params: Any
    shellcmd: str


class Record(Protocol):
    """What is used of Snakemake's record of a job: its parameters, and the checksums of its smaller inputs."""

    params: list[str]
    input_checksums: dict[str, str] | None


class Graph:
    """The jobs of a study. workflow: Snakemake's, its graph built."""

    def __init__(self, workflow: Any) -> None:
        self._workflow = workflow
        self.config = without_titles(workflow.globals["config"])

    def jobs(self, rule: str) -> list[Job]:
        """Return the jobs of a rule, in the order of their outputs."""
        found = [job for job in self._workflow.dag.jobs if job.rule.name == rule]
        return sorted(found, key=lambda job: str(job.output[0]))

    def above(self, jobs: Iterable[Job]) -> list[Job]:
        """Return these jobs and all that they were made from, each once, in the order of outputs."""
        found: set[Job] = set()
        waiting = list(jobs)
        while waiting:
            job = waiting.pop()
            if job not in found:
                found.add(job)
                waiting.extend(self._workflow.dag.dependencies[job])
        return sorted(found, key=lambda job: str(job.output[0]))

    def planned(self) -> Counter:
        """Return how many jobs of each rule Snakemake would run."""
        return Counter(job.rule.name for job in self._workflow.dag.needrun_jobs())

    def recorded(self, file: Any) -> Record | None:
        """Return the record of the job that made an output, given as the job names it; `None` for none."""
        return self._workflow.persistence.metadata(file)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold Snakemake's own lock, and say who does; `UserError` where another was faster."""
        with ExitStack() as stack:
            try:
                stack.enter_context(self._workflow.persistence.lock())
            except LockException as error:
                raise UserError(
                    f"{Path.cwd()}: a Snakemake has just begun to work here; wait for its end or stop it, "
                    "then run adopt again"
                ) from error
            record_presence(Path.cwd())
            yield

    def record(self, jobs: Iterable[Job]) -> None:
        """Let the records of jobs say what the jobs are today; needs the lock.

        The times of files stay, and those in the records are taken from them.
        """
        self._workflow.iocache.deactivate()  # some files are newer than the graph
        for job in jobs:
            asyncio.run(self._workflow.persistence.finished(job))


def command_of(job: Job) -> Command:
    """Return the command of a job."""
    return Command.of(job.shellcmd)


@contextmanager
def study_graph(root: Path, configfiles: Sequence[Path], cores: int = 1) -> Iterator[Graph]:
    """Yield the graph of the study in the working directory; `UserError` where there is none."""
    with ExitStack() as stack:
        try:
            graph = Graph(_built(stack, root, configfiles, cores))
        except WorkflowError as error:
            lines = [line for line in str(error).splitlines() if line.strip()]
            raise UserError("\n".join(lines) or "the workflow can not be planned") from error
        yield graph


def _built(stack: ExitStack, root: Path, configfiles: Sequence[Path], cores: int) -> Any:
    api = stack.enter_context(SnakemakeApi(OutputSettings(quiet={Quietness.ALL})))
    workflow_api = api.workflow(
        resource_settings=ResourceSettings(cores=cores),
        config_settings=ConfigSettings(configfiles=list(configfiles)),
        snakefile=root / "Snakefile",
    )
    workflow_api.dag(DAGSettings(targets=TARGETS, rerun_triggers=TRIGGERS))
    workflow = workflow_api._workflow
    workflow.execution_settings = ExecutionSettings()
    workflow.remote_execution_settings = RemoteExecutionSettings()
    workflow.scheduling_settings = SchedulingSettings()
    workflow.group_settings = GroupSettings()
    workflow._prepare_dag(forceall=False, ignore_incomplete=False, lock_warn_only=False)
    workflow._build_dag()
    return workflow
