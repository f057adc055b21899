"""Titles of architectures and treatments on command lines."""

import argparse
import json

from retention.common.errors import UserError

EXPECTED = '--titles: expected JSON of texts by name, such as \'{"vit": "ViT-S/16"}\''


def add_titles(parser: argparse.ArgumentParser) -> None:
    """Let a command take --titles."""
    parser.add_argument(
        "--titles",
        type=titles_of,
        default={},
        metavar="JSON",
        help='what architectures and treatments are called, such as \'{"vit": "ViT-S/16"}\'; without: their names',
    )


def titles_of(text: str) -> dict[str, str]:
    """Return titles by name from an option's JSON; raise `UserError` where it is no map of texts."""
    try:
        titles = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{EXPECTED}; {text!r} is none ({error})") from error
    if not isinstance(titles, dict):
        raise UserError(f"{EXPECTED}; {text!r} is no map")
    for name, title in titles.items():
        if not isinstance(title, str) or not title.strip():
            raise UserError(f"{EXPECTED}; of {name!r} it says {title!r}")
    return titles
