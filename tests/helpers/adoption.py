"""Hand-made jobs, trees and graphs for the tests of adoption: no Snakemake, no torch."""

import json
import shlex
from pathlib import Path
from types import SimpleNamespace

from snakemake.iocontainers import Namedlist

from retention.workflow.adoption.old_tree import Tree

PINS = ["torch==2.14.1"]
WORDS = ("recipe", "definition", "treatment-definition", "store", "code-version", "device")
NAMES = ("study", "dataset", "architecture", "treatment", "seed")
RESULTS = ("traces", "epochs", "centroids", "probabilities", "final-weights", "run", "state")

# The trainer as 0.1.0 had it: scripts/finetune.py itself. It calls things as its command line does.
TRAINER = f"""
import argparse, csv, pathlib

class RunState:
    def __init__(self, folder, identity):
        self.folder, self.identity = folder, identity

def parse(argv):
    parser = argparse.ArgumentParser()
    for name in {(*NAMES, *WORDS, *RESULTS, "index", "reviews")!r}:
        parser.add_argument("--" + name)
    return vars(parser.parse_args(argv))

def identity_of(options):
    words = {{name: options[name.replace("-", "_")] for name in {WORDS!r}}}
    return {{"code version" if name == "code-version" else name: words[name] for name in words}}

def main(argv=None):
    options = parse(argv)
    if options["seed"] == "13":
        raise ValueError("seed 13 is refused\\nat length")
    RunState(options["state"], identity_of(options))
    train(options)

def train(options):
    for name in ("traces", "centroids", "probabilities", "final_weights", "run"):
        if options[name]:
            pathlib.Path(options[name]).write_text("the same")
    with open(options["epochs"], "w", newline="") as stream:
        csv.writer(stream).writerows([["epoch", "loss"], ["0", "0.5"], ["1", "0.25"]])

if __name__ == "__main__":
    main()
"""
CODE_VERSION = """
def code_version(script):
    return "version of " + script.stem
"""


def tree(folder: Path, trainer: str = TRAINER, code_version: str = CODE_VERSION) -> Tree:
    """Write a version of the sources that has a trainer alone, laid out as 0.1.0 was."""
    for name in ("retention", "retention/workflow"):
        (folder / "scripts" / name).mkdir(parents=True)
        (folder / "scripts" / name / "__init__.py").touch()
    (folder / "scripts/finetune.py").write_text(trainer)
    (folder / "scripts/retention/workflow/code_version.py").write_text(code_version)
    return Tree(folder, "the old version (hand-made)", "")


def job(rule: str, script: str, options: dict, **parts: dict) -> SimpleNamespace:
    """Return a job whose command has these options; parts: its output, input and params by name."""
    words = " ".join(f"--{name} {shlex.quote(str(value))}" for name, value in options.items())
    named = {name: Namedlist(fromdict=parts.get(name, {})) for name in ("output", "input")}
    return SimpleNamespace(
        rule=SimpleNamespace(name=rule),
        shellcmd=f'exec python "$WORKFLOW/scripts/{script}.py" {words} > log 2>&1',
        params=SimpleNamespace(**{"pins": PINS, **parts.get("params", {})}),
        **named,
    )


def finetune_job(folder: Path, seed: int = 0, **options: str) -> SimpleNamespace:
    """Return a job of fine-tuning with its results in a folder of its own."""
    run = folder / f"seed{seed}"
    output = {"traces": str(run / "traces.parquet"), "run": str(run / "run.yaml")}
    state = str(folder / f"state{seed}")
    given = {
        **dict(zip(NAMES, ("s", "digits", "vit", "random", seed), strict=True)),
        "definition": json.dumps({"timm": "test_vit"}),
        "recipe": json.dumps({"epochs": 8, "learning_rate": 0.001}),
        "treatment-definition": "{}",
        "store": "{}",
        "code-version": "today",
        "device": "cpu",
        "state": state,
        **output,
        "epochs": str(run / "epochs.csv"),
        "centroids": str(run / "class_centroids.npy"),
        **options,
    }
    return job("finetune", "finetune", given, output=output, params={"state": state})


def graph(*jobs: SimpleNamespace, records: dict | None = None, **config) -> SimpleNamespace:
    """Return what is asked of a graph, with jobs that were made from nothing."""
    return SimpleNamespace(
        config={
            "study": "s",
            "store": {},
            "architecture_definitions": {"vit": {"timm": "test_vit"}},
            **config,
        },
        jobs=lambda rule: [one for one in jobs if one.rule.name == rule],
        above=list,
        recorded=lambda file: (records or {}).get(str(file)),
    )
