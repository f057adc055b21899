"""Snakemake looks for jobs to start when one ends, and not by the clock."""

import subprocess
import sys

import pytest
from sources import ROOT

SECONDS, JOBS = 1.2, 3
SNAKEFILE = f"""
import sys
sys.path.insert(0, {str(ROOT / "scripts")!r})
from retention.workflow.scheduling import start_when_jobs_end

onstart:
    start_when_jobs_end(workflow.scheduler)

rule all:
    input:
        expand("{{number}}", number=range({JOBS}))

rule wait:
    output:
        "{{number}}"
    shell:
        "sleep {SECONDS}; touch {{output}}"
"""


@pytest.mark.parametrize(
    ("options", "by_the_clock"), [((), False), (("--max-jobs-per-timespan", "50/1s"), True)]
)
def test_snakemake_looks_for_jobs_when_one_ends(tmp_path, options, by_the_clock):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--verbose", *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len([*tmp_path.glob("[0-9]")]) == JOBS
    # A look before the first job and one after each, `all` included; jobs that take longer than the limit's second
    # let it look in between, more often after each of them.
    looks = done.stderr.count("Ready jobs: ")
    assert (looks > JOBS + 2) == by_the_clock
