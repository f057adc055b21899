"""The paper's numbers, and what is known of it, on command lines."""

import argparse
from collections.abc import Sequence
from functools import partial

from retention.audits.tables import json_map
from retention.common.errors import UserError
from retention.common.paper import read_paper, seeds_of
from retention.common.resources import PAPER, resource_path


def add_paper(parser: argparse.ArgumentParser, needed: Sequence[str]) -> None:
    """Let a command take --reported, which must have the keys `needed`, --known and --assumed-seeds."""
    parser.add_argument(
        "--reported",
        type=partial(json_map, "--reported", needed=tuple(needed)),
        help=f"JSON; {resource_path(PAPER)} if left out",
    )
    parser.add_argument(
        "--known",
        type=partial(json_map, "--known"),
        default={},
        help="JSON, choices of the paper that you know, such as "
        '\'{"seeds": {"value": 5, "source": "p. 4"}}\'; docs/paper.md lists them',
    )
    parser.add_argument(
        "--assumed-seeds", type=int, default=3, help="of the paper, where they are not known; 3"
    )


def paper_in(arguments: argparse.Namespace) -> tuple[dict, int]:
    """Return the paper as `read_paper` does, and its number of seeds; raise `UserError` for fewer than one."""
    require_positive(arguments, "assumed_seeds")
    paper = read_paper(arguments.known, arguments.reported, "--known")
    seeds, _ = seeds_of(paper, arguments.assumed_seeds)
    return paper, seeds


def require_positive(arguments: argparse.Namespace, name: str) -> None:
    """Raise `UserError` where an option, named as in the namespace, is below 1."""
    if (number := getattr(arguments, name)) < 1:
        raise UserError(f"--{name.replace('_', '-')}: is {number}, expected at least 1")
