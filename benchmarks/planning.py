"""How long Snakemake takes to plan a study of 10,000 runs whose results are all there.

Lays out the empty results of many data sets, two architectures and ten seeds each, with Snakemake's
own records of them, then times dry runs of the whole study and of one figure, which needs 20 runs:
the best of three (--repeats) each.

    python benchmarks/planning.py                     # 10,000 runs, 10 minutes, most of it the layout
    python benchmarks/planning.py --datasets 5 --repeats 1
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import yaml
from layout import lay_out
from record import record

ROOT = Path(__file__).parents[1]
SEEDS, ARCHITECTURES = 10, 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--datasets", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3, help="dry runs, of which the best counts")
    parser.add_argument("--write", action="store_true", help="write the table that the docs show")
    arguments = parser.parse_args()
    names = [f"set{number:03d}" for number in range(arguments.datasets)]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write_study(names)
        with ProcessPoolExecutor(1) as pool:  # its gigabytes of graph go with it
            jobs = pool.submit(lay_out, ROOT / "Snakefile", [Path("many.yaml")]).result()
        one = f"results/many/{names[0]}/figures/early_loss.png"
        repeats = range(arguments.repeats)
        study = min(seconds_to_plan() for _ in repeats)
        figure = min(seconds_to_plan(one) for _ in repeats)
    runs = len(names) * SEEDS * ARCHITECTURES
    print(
        f"{runs} runs, {jobs} jobs: planned in {study:.1f} s; one figure of 20 runs in {figure:.1f} s"
    )
    ratios = {"study_seconds": study, "figure_seconds": figure, "figure_of_study": figure / study}
    record("planning", {"runs": runs, "jobs": jobs}, ratios, write=arguments.write)


def write_study(names: list[str]) -> None:
    """Write a configuration of one empty image folder per data set."""
    Path("images").mkdir()
    shutil.copy(ROOT / "config.yaml", ".")
    definition = {"adapter": "imagefolder", "folder": "images", "split": {"strategy": "official"}}
    content = {
        "study": "many",
        "datasets": names,
        "seeds": list(range(SEEDS)),
        "treatments": ["random"],
        "dataset_definitions": {name: {**definition, "title": name} for name in names},
        "paper": {"comparable": {name: "not the paper's" for name in names}},
    }
    Path("many.yaml").write_text(yaml.safe_dump(content))


def seconds_to_plan(*targets: str) -> float:
    """Return how long a dry run takes that finds nothing to do."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--dry-run"]
    command += ["--configfile", "many.yaml", "--cores", "1", *(["--"] if targets else []), *targets]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    output = done.stdout + done.stderr
    if done.returncode or "Nothing to be done" not in output:
        raise SystemExit(f"the layout does not look finished:\n{output[-3000:]}")
    return seconds


if __name__ == "__main__":
    main()
