"""Lays a study out as if it had run: empty files, and Snakemake's own records of them.

    python benchmarks/layout.py path/to/Snakefile mine.yaml     # in the folder of the study

What a dry run then plans is what has changed since.
"""

import asyncio
import sys
from pathlib import Path

from snakemake.api import SnakemakeApi
from snakemake.settings.types import (
    ConfigSettings,
    ExecutionSettings,
    OutputSettings,
    ResourceSettings,
)


def lay_out(snakefile: Path, configfiles: list[Path]) -> int:
    """Make every file of a study in this folder, and Snakemake's record of each; return the number of jobs."""
    with SnakemakeApi(OutputSettings(quiet=None)) as api:
        study = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=configfiles),
            snakefile=snakefile,
        )
        study.dag()
        workflow = study._workflow
        workflow.execution_settings = ExecutionSettings()
        workflow._prepare_dag(forceall=False, ignore_incomplete=True, lock_warn_only=False)
        workflow._build_dag()
        jobs = list(workflow.dag.jobs)
        # As they were made: no file is older than what it was made from.
        for layer in workflow.dag.toposorted():
            for job in layer:
                for path in job.output:
                    Path(path).parent.mkdir(parents=True, exist_ok=True)
                    Path(path).touch()
        asyncio.run(record_all(workflow, jobs))
    return len(jobs)


async def record_all(workflow, jobs) -> None:
    for job in jobs:
        await workflow.persistence.finished(job)


if __name__ == "__main__":
    snakefile, *configfiles = map(Path, sys.argv[1:])
    print(lay_out(snakefile, configfiles), "jobs")
