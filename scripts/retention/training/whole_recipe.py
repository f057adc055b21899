"""A recipe with every default said, on any machine."""

from collections.abc import Mapping

from retention.common.options import complete, require_faultless


def whole_recipe(recipe: Mapping) -> dict:
    """Return the recipe with its defaults filled in; `auto` stays `auto`.

    Raises `UserError` with a line per key that is missing or unknown (with the nearest known one) and
    per value that is out of range.
    """
    given = _said(recipe)
    require_faultless("recipe", given, "recipe")
    return complete("recipe", given)


def _said(given: Mapping) -> dict:
    """Return what a map says, in maps within it, too: a key without a value is silent."""
    return {
        key: _said(value) if isinstance(value, Mapping) else value
        for key, value in given.items()
        if value is not None
    }
