"""When Snakemake looks for jobs to start."""

from typing import Any

DEFAULT_RATE = (100, 1)  # jobs, seconds: of --max-jobs-per-timespan


def start_when_jobs_end(scheduler: Any) -> None:
    """Let Snakemake's scheduler look for jobs to start whenever one ends, and not by the clock.

    Its default limit of 100 jobs a second wakes it a second after each look, and each job that ends begins one
    more such chain: after n jobs it asks the disk for the inputs of all that are ready up to n times a second. No
    machine starts 100 jobs a second. A limit that someone chose stays.
    """
    limiter = getattr(scheduler, "job_rate_limiter", None)
    if limiter is not None and (limiter.max_jobs, limiter.timespan) == DEFAULT_RATE:
        scheduler.job_rate_limiter = None
