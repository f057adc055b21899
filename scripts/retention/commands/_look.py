"""The options by which commands that draw or show are told a study's order of architectures, and its titles."""

import argparse
import json
from collections.abc import Iterable

from retention.common.errors import UserError
from retention.reporting.look import Look, look_of


def add_look(parser: argparse.ArgumentParser) -> None:
    """Let a command take `--architectures` and `--titles`."""
    parser.add_argument(
        "--architectures",
        nargs="+",
        metavar="NAME",
        help="of the study, in its order, controls last: their colours follow from it; without: by name",
    )
    add_titles(parser)


def add_titles(parser: argparse.ArgumentParser) -> None:
    """Let a command take `--titles`."""
    parser.add_argument(
        "--titles",
        type=read_titles,
        default={},
        metavar="JSON",
        help='what architectures and treatments are called, such as \'{"resnet18": "ResNet-18"}\'; without: their names',
    )


def read_titles(text: str) -> dict[str, str]:
    """Return titles by name from JSON; raise `UserError` in one line for what holds none."""
    expected = '--titles: expected JSON of texts by name, such as \'{"resnet18": "ResNet-18"}\''
    try:
        titles = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{expected}; {text!r} is none ({error})") from error
    if not isinstance(titles, dict):
        raise UserError(f"{expected}; {text!r} is no map")
    for name, title in titles.items():
        if not isinstance(title, str) or not title.strip():
            raise UserError(f"{expected}; of {name!r} it says {title!r}")
    return titles


def look_from(arguments: argparse.Namespace, seen: Iterable[str] = ()) -> Look:
    """Return the look that a command's options tell; seen: architectures that its tables name."""
    return look_of(arguments.architectures, arguments.titles, seen)
