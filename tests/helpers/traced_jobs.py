"""Runs jobs and notes which lines of the sources each executes.

    python traced_jobs.py jobs.json traces.json     # in the folder of the jobs' files

jobs.json: a list of {name, script, arguments}. traces.json: by name, by file, the lines. Each job has a
process of its own, forked from one that has imported what takes long and is not ours: so a job's imports
are executed, and seen, too. What numba compiles is not seen, but for its `def` lines.
"""

import json
import multiprocessing
import runpy
import sys
import threading
from pathlib import Path

import matplotlib.backends.backend_agg
import matplotlib.backends.backend_pdf
import matplotlib.backends.backend_svg  # noqa: F401
import numba  # noqa: F401
import pandas  # noqa: F401
import pyarrow.parquet  # noqa: F401
import safetensors.torch  # noqa: F401
import scipy.stats  # noqa: F401
import sklearn.datasets  # noqa: F401
import timm  # noqa: F401
import torchvision  # noqa: F401
from sources import ROOT

SCRIPTS = ROOT / "scripts"


def main(jobs: str, traces: str) -> None:
    fork, found = multiprocessing.get_context("fork"), {}
    for job in json.loads(Path(jobs).read_text()):
        process = fork.Process(target=run, args=(job, traces))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(f"{job['name']}: ended with {process.exitcode}")
        found[job["name"]] = json.loads(Path(traces).read_text())
    Path(traces).write_text(json.dumps(found))


def run(job: dict, output: str) -> None:
    """Run a job as its command line would, and write the lines that it executes."""
    script = SCRIPTS / f"{job['script']}.py"
    sys.path[0], sys.argv = str(SCRIPTS), [str(script), *job["arguments"]]
    lines: dict[str, set[int] | None] = {}

    def enter(frame, event, argument):
        name = frame.f_code.co_filename
        if name not in lines:
            # templates of pages run as code, too: their own digest is a parameter of the rules that render them
            ours = name.startswith(f"{SCRIPTS}/") and name.endswith(".py")
            lines[name] = set() if ours else None
        if (seen := lines[name]) is None:
            return None
        seen.add(frame.f_lineno)

        def step(frame, event, argument):
            seen.add(frame.f_lineno)
            return step

        return step

    threading.settrace(enter)
    sys.settrace(enter)
    try:
        runpy.run_path(str(script), run_name="__main__")
    finally:
        sys.settrace(None)
        ours = {name: sorted(seen) for name, seen in lines.items() if seen}
        Path(output).write_text(json.dumps(ours))


if __name__ == "__main__":
    main(*sys.argv[1:])
