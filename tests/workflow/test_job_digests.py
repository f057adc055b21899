"""The digest of a job's code is never too small: it covers all that the job executes, and all of its text."""

import ast
import json
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from every_job import every_job, write_image_sets
from sources import ROOT

from retention.common.parts import part_names
from retention.workflow import code_version as module
from retention.workflow.code_version import code_version, imported_sources

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("digest")]  # one run of the jobs for all
SCRIPTS = ROOT / "scripts"
MUTATIONS = 30
OTHER = {"+": "-", "-": "+", "*": "/", "/": "*", "//": "*", "%": "*", "@": "+", "**": "*"}
OTHER |= {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "&": "|", "|": "&"}


@pytest.fixture(scope="module")
def jobs():
    return {job.name: job for job in every_job()}


@pytest.fixture(scope="module")
def executed(jobs, tmp_path_factory):
    """Return what each job executed, once: by file, the lines."""
    folder = tmp_path_factory.mktemp("jobs")
    write_image_sets(folder)
    (folder / "jobs.json").write_text(json.dumps([asdict(job) for job in jobs.values()]))
    command = [sys.executable, ROOT / "tests/helpers/traced_jobs.py", "jobs.json", "traces.json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return json.loads((folder / "traces.json").read_text())


def test_every_executed_line_lies_in_what_the_digest_covers(jobs, executed):
    missing = {}
    for name, lines in executed.items():
        job = jobs[name]
        covered = {str(path) for path in imported_sources(SCRIPTS / f"{job.script}.py", job.parts)}
        assert len(lines) > 5 and sum(map(len, lines.values())) > 100, name
        if uncovered := set(lines) - covered:
            missing[name] = uncovered
    assert missing == {}


@pytest.mark.parametrize(
    "room", ["samplers", "data.adapters", "dynamics.curves", "dynamics.retention", "findings"]
)
def test_every_part_is_executed_in_some_job(executed, room):
    files = {file for lines in executed.values() for file in lines}
    folder = SCRIPTS / "retention" / room.replace(".", "/")
    for name in part_names(f"retention.{room}"):
        assert files & {str(folder / f"{name}.py"), str(folder / name / "measure.py")}, name


def test_a_job_is_not_told_of_parts_that_it_does_not_load(jobs, executed):
    """Else a digest that covers everything would pass."""
    adapters = {"package", "imagefolder", "csv", "torchvision", "octdl", "cub200", "index"}
    for name, of_others in {
        "index digits": adapters - {"package"},
        "finetune digits/runs/vit/random/seed0": adapters | {"class_balanced", "ranks", "events"},
        "measure early_loss": {"seed_stability", "tracking", "draw_early_loss", "sentences"},
        "draw early_loss": {"measure", "ranks", "sentences"},
    }.items():
        job = jobs[name]
        covered = imported_sources(SCRIPTS / f"{job.script}.py", job.parts)
        assert not of_others & {path.stem for path in covered}, name


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the sources to be mutated."""
    folder = tmp_path_factory.mktemp("mutated") / "scripts"
    shutil.copytree(SCRIPTS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def digest_in(tree: Path, job) -> str:
    """Return the digest of a job as the files are now."""
    for name in ("_code_version", "_read", "_files"):
        getattr(module, name).cache_clear()
    return code_version(tree / f"{job.script}.py", job.parts)


def segment(lines: list[str], start: ast.AST, end: ast.AST) -> tuple[int, int, int]:
    """Return (row, first column, last column) of one row's text, in characters."""
    row = start.lineno - 1
    first, last = (
        len(lines[row].encode()[:column].decode())
        for column in (start.col_offset, end.end_col_offset)
    )
    return row, first, last


def mutations(source: str, executed: set[int]) -> list[tuple[int, str, str]]:
    """Return (row, its text, its text mutated) of every change to a statement that begins in an executed row.

    Numbers grow, texts get longer, operators are exchanged, statements deleted. Docstrings are left alone.
    """
    lines, found = source.split("\n"), []
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in module._docstrings(list(ast.walk(tree)))}

    def change(place: tuple[int, int, int], text: str) -> None:
        row, first, last = place
        changed = lines[row][:first] + text + lines[row][last:]
        mutated = "\n".join([*lines[:row], changed, *lines[row + 1 :]])
        try:
            different = ast.dump(ast.parse(mutated)) != ast.dump(tree)
        except SyntaxError:
            return
        if different:
            found.append((row, lines[row], changed))

    for node in ast.walk(tree):
        if getattr(node, "lineno", None) not in executed or node.lineno != node.end_lineno:
            continue
        if id(node) in docstrings or id(getattr(node, "value", None)) in docstrings:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            change(segment(lines, node, node), f"({node.value!r} + 1)")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            change(segment(lines, node, node), repr(node.value + "x"))
        elif isinstance(node, ast.BinOp | ast.Compare):
            right = node.right if isinstance(node, ast.BinOp) else node.comparators[0]
            row, first, last = segment(lines, node, right)
            text = lines[row][first:last]
            for operator in re.findall(r"(?<= )[-+*/%@<>=!&|]+(?= )", text):
                if operator in OTHER:
                    change(
                        (row, first, last), text.replace(f" {operator} ", f" {OTHER[operator]} ", 1)
                    )
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.Return | ast.Raise):
            change(segment(lines, node, node), "pass")
    return found


def test_each_of_thirty_mutations_of_executed_code_changes_it(jobs, executed, tree):
    draws, names, done = np.random.default_rng(18), sorted(executed), 0
    before: dict[str, str] = {}
    while done < MUTATIONS:
        name = names[draws.integers(len(names))]
        file = sorted(executed[name])[draws.integers(len(executed[name]))]
        source = Path(file).read_text()
        possible = mutations(source, set(executed[name][file]))
        if not possible:
            continue
        row, old, new = possible[draws.integers(len(possible))]
        path, lines = tree / Path(file).relative_to(SCRIPTS), source.split("\n")
        if name not in before:
            before[name] = digest_in(tree, jobs[name])
        path.write_text("\n".join([*lines[:row], new, *lines[row + 1 :]]))
        changed = digest_in(tree, jobs[name]) != before[name]
        path.write_text(source)
        assert changed, f"{name}: {file}, line {row + 1}: {old!r} → {new!r}"
        done += 1
    assert digest_in(tree, jobs[name]) == before[name]
