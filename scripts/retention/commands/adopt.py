"""Take a finished study to this version of the code, once both versions were seen to give the same bytes.

Run it in the study's folder, where you run snakemake. Nothing is retrained afterwards, and nothing is
written where one byte differs: docs/upgrading.md.
"""

import argparse
import signal
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from retention.common.errors import UserError
from retention.common.parts import SOURCES
from retention.workflow.adoption.adopting import check, planned_training, write
from retention.workflow.adoption.graph import study_graph
from retention.workflow.adoption.old_tree import old_tree
from retention.workflow.adoption.scratch import remove_scratch_of_killed, scratch_folder
from retention.workflow.adoption.upgrade import Upgrade
from retention.workflow.presence import refuse_second, require_writable

ROOT = SOURCES.parent


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--from",
        dest="old",
        required=True,
        metavar="OLD",
        help="clone of the version that made the results, or its commit",
    )
    parser.add_argument(
        "--configfile",
        type=Path,
        nargs="+",
        default=[],
        help="the study's, as snakemake takes them; without: config.yaml alone",
    )
    parser.add_argument("--cores", type=int, default=1, help="tables that are remade at a time")
    parser.add_argument("--check-only", action="store_true", help="check, and write nothing")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Check and adopt the study in the working directory."""
    options = parse(argv)
    if not (ROOT / "Snakefile").is_file():
        raise UserError(f"{ROOT}: holds no Snakefile; adopt with scripts/adopt.py of a clone")
    for path in options.configfile:
        if not path.is_file():
            raise UserError(f"--configfile {path}: there is no such file")
    if options.cores < 1:
        raise UserError(f"--cores: is {options.cores}; expected at least 1")
    refuse_second(Path.cwd())
    require_writable(Path.cwd())
    signal.signal(signal.SIGTERM, end)
    with scratch_folder() as scratch:
        adopt(options, scratch)
    if not options.check_only:
        tell_what_is_left(options)


def end(number: int, _frame: FrameType | None) -> None:
    """End so that the lock is freed and what was begun for a comparison is taken away."""
    raise SystemExit(128 + number)


def adopt(options: argparse.Namespace, scratch: Path) -> None:
    """Check all, then write, while nobody else works in the folder."""
    (scratch / "old").mkdir()
    old = old_tree(options.old, ROOT, scratch / "old")
    with study_graph(ROOT, options.configfile, options.cores) as graph, graph.locked():
        remove_scratch_of_killed(scratch)
        checked = check(Upgrade(graph, old, ROOT, scratch, options.cores))
        if not options.check_only:
            write(graph, checked, old.commit)
        print(checked.counted("would adopt" if options.check_only else "adopted"))


def tell_what_is_left(options: argparse.Namespace) -> None:
    """Say how many trainings Snakemake still plans."""
    with study_graph(ROOT, options.configfile) as graph:
        left = planned_training(graph.planned())
    words = ", ".join(f"{count} of {rule}" for rule, count in left.items())
    print(f"snakemake would now train: {words or 'nothing'}")
