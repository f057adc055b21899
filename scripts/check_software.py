"""Compare the installed packages with the pins of requirements.txt; run inside any environment.

Works without any package: it must run where they are missing.
"""

import argparse
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from retention.common.errors import UserError, run_command

PINS = Path(__file__).parents[1] / "requirements.txt"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requirements", default=PINS, help="a file of name==version lines")
    arguments = parser.parse_args(argv)
    faults = list(departures(Path(arguments.requirements).read_text(encoding="utf-8").split()))
    if faults:
        raise UserError("; ".join(faults))


def departures(pins):
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


if __name__ == "__main__":
    run_command(main)
