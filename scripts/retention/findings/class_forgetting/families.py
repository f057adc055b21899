"""Families of classes, as an option gives them."""

import json

from retention.common.errors import UserError


def parse_families(text: str) -> str | dict[str, str]:
    """Return "last_word", a map from class to family, or "" (no families) from an option's text."""
    try:
        families = text if text == "last_word" else json.loads(text)
    except json.JSONDecodeError:
        families = None
    if families in ("", "last_word") or isinstance(families, dict):
        return families
    raise UserError(
        f'--families: {text!r} is neither last_word nor a JSON map {{"class": "family"}}'
    )
