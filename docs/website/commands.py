"""The page of commands: what each of them prints under --help."""

import io
import os
import sys
import textwrap
from contextlib import redirect_stdout, suppress
from pathlib import Path
from unittest.mock import patch

from retention.__main__ import first_line, main
from retention.common.parts import part_names

ROOM = "retention.commands"
WIDTH = 78
# Commands that take a name first → the room of the names.
NAMED = {"measure_finding": "retention.findings"}

INTRODUCTION = """# Commands

`python scripts/NAME.py` runs a command in a clone. `retention NAME` does the same where the package is installed
([as a package](../software.md#as-a-package)). Snakemake runs these commands, too: `snakemake -np` prints how.

Options that are maps are written as JSON, such as `--statistics '{"resamples": 500}'`. [Configuration](configuration.md) has them all.

"""


def page(root: Path) -> str:
    """Return the page, as Markdown: the commands in a list, then the help of each."""
    names = part_names(ROOM)
    listed = "".join(f"- [`{name}`](#{name}): {first_line(name)}\n" for name in names)
    return INTRODUCTION + listed + "".join(f"\n## {name}\n\n{_helps(name)}" for name in names)


def _helps(name: str) -> str:
    """Return the help of a command and, where it takes a name first, of one of these names."""
    text = _block(help_of(name))
    if name in NAMED:
        first = part_names(NAMED[name])[0]
        text += f"\nWith a name, such as `{first}`:\n\n{_block(help_of(name, first))}"
    return text


def _block(text: str) -> str:
    return f"```text\n{text.strip()}\n```\n"


def help_of(name: str, *words: str) -> str:
    """Return what `retention NAME … --help` prints, no line longer than `WIDTH` where words allow it."""
    printed = io.StringIO()
    environment = patch.dict(os.environ, COLUMNS=str(WIDTH))
    argv = patch.object(sys, "argv", sys.argv)  # which main sets, for the name of the program
    with environment, argv, redirect_stdout(printed), suppress(SystemExit):
        main([name, *words, "--help"])
    return "\n\n".join(map(_folded, printed.getvalue().rstrip().split("\n\n")))


def _folded(block: str) -> str:
    """Return lines without one that is too long: prose is filled anew, all else folded under itself."""
    lines = block.splitlines()
    prose = not any(line.startswith((" ", "usage:")) for line in lines)
    return "\n".join(map(_fill, [" ".join(lines)] if prose else lines))


def _fill(line: str) -> str:
    words = line.strip()
    indent = line[: len(line) - len(line.lstrip())]
    further = f"{indent}  " if indent else ""
    whole = {"break_long_words": False, "break_on_hyphens": False}
    return textwrap.fill(words, WIDTH, initial_indent=indent, subsequent_indent=further, **whole)
