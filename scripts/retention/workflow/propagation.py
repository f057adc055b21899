"""Trainings that are planned for no other reason than that something before them is made again.

Snakemake can not know beforehand that what is made again will have the same content: it plans all that
comes after. Made first and alone, it can.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

TRAINING = ("finetune", "pretrain_backbone")
SHOWN = 3


class Dag(Protocol):
    """What is used of Snakemake's graph of jobs: those that will run, and why each of them does."""

    def needrun_jobs(self) -> Iterable[Any]: ...

    def reason(self, job: Any) -> Any: ...


def trained_again(dag: Dag) -> Iterator[str]:
    """Yield a line where finished trainings are planned because files before them are made again.

    dag: Snakemake's, once it is built.
    """
    waiting = [
        job
        for job in dag.needrun_jobs()
        if job.rule.name in TRAINING
        and dag.reason(job).updated_input_run
        and not dag.reason(job).missing_output
    ]
    if not waiting:
        return
    causes = sorted({str(file) for job in waiting for file in dag.reason(job).updated_input_run})
    more = f" and {len(causes) - SHOWN} more" if len(causes) > SHOWN else ""
    yield (
        f"{len(waiting)} finished training(s) are planned because {', '.join(causes[:SHOWN])}{more} are "
        "made again. Whether their content changes is known only afterwards: stop, run `snakemake data` "
        "with the same options, and what turns out the same trains nothing again"
    )
