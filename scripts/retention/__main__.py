"""Run a command: `retention NAME …`, or `python -m retention NAME …`.

NAME is a module of retention.commands; scripts/NAME.py runs the same without installation.
"""

import argparse
import ast
import sys
from collections.abc import Sequence
from pathlib import Path

from retention import __version__
from retention.commands._extras import missing_extra
from retention.common.errors import UserError, run_command
from retention.common.names import nearest
from retention.common.parts import load_part, part_names

PROGRAM = "retention"
FOLDER = Path(__file__).parent / "commands"


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command that the first word names on the words that follow it.

    Raises `UserError` for a name that is none, and where a package is not installed.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0].startswith("-"):
        parser().parse_args(words or ["--help"])
        return
    name, known = words[0], part_names("retention.commands")
    if name not in known:
        raise UserError(
            f"{PROGRAM}: there is no command {name!r}{nearest(name, known)}; {PROGRAM} --help lists them"
        )
    sys.argv = [f"{PROGRAM} {name}", *words[1:]]  # argparse names the program by its first entry
    try:
        load_part("retention.commands", name).main(words[1:])
    except ModuleNotFoundError as error:
        raise missing_extra(name, error) from error


def parser() -> argparse.ArgumentParser:
    """Return the parser of what stands before a command's name; its help lists the commands."""
    names = part_names("retention.commands")
    width = max(map(len, names))
    listed = "\n".join(f"  {name:{width}}  {first_line(name)}" for name in names)
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        usage="%(prog)s NAME [options]",
        description="Run one command; NAME --help tells its options.",
        epilog=f"commands:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    return parser


def first_line(name: str) -> str:
    """Return what a command does, without importing it: torch takes seconds."""
    text = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]


def run() -> None:
    """Run the command line; a `UserError` becomes one line."""
    run_command(main)


if __name__ == "__main__":
    __spec__ = None  # of `python -m`: from Python 3.14 on argparse would name the program by it
    run()
