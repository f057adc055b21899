"""Compare the installed packages with the pins of requirements.txt; run inside any environment.

Works without any package: it must run where they are missing.
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from retention.common.errors import UserError

PINS = Path(__file__).parents[3] / "requirements.txt"  # of a clone


def main(argv: Sequence[str] | None = None) -> None:
    """Raise `UserError` naming every package that is not the one pinned."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--requirements", type=Path, default=PINS, help="a file of name==version lines"
    )
    arguments = parser.parse_args(argv)
    if not arguments.requirements.is_file():
        raise UserError(f"--requirements: there is no file {arguments.requirements}; name one")
    faults = list(departures(arguments.requirements.read_text(encoding="utf-8").split()))
    if faults:
        raise UserError("; ".join(faults))


def departures(pins: Iterable[str]) -> Iterator[str]:
    """Yield one phrase per pin (`name==version`) that is not what is installed."""
    for pin in pins:
        name, _, wanted = pin.partition("==")
        try:
            installed = version(name).partition("+")[0]  # 2.14.1+cpu is 2.14.1
        except PackageNotFoundError:
            yield f"{name} is missing (pinned: {wanted})"
        else:
            if installed != wanted:
                yield f"{name} is {installed} (pinned: {wanted})"
