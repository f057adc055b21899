"""A recipe with every default said, on any machine."""

from collections.abc import Mapping

from retention.common.errors import UserError
from retention.common.options import complete, require_faultless
from retention.training.recipe_checks import recipe_faults


def whole_recipe(recipe: Mapping) -> dict:
    """Return the recipe with its defaults filled in; `auto` stays `auto`.

    Raises `UserError` with a line per key that is missing or unknown (with the nearest known one), per
    value that is out of range and per choice that contradicts another.
    """
    given = _said(recipe)
    require_faultless("recipe", given, "recipe")
    whole = complete("recipe", given)
    if found := [f"recipe: {fault}" for fault in recipe_faults(whole)]:
        raise UserError("\n".join(found))
    return whole


def _said(given: Mapping) -> dict:
    """Return what a map says, in maps within it, too: a key without a value is silent."""
    return {
        key: _said(value) if isinstance(value, Mapping) else value
        for key, value in given.items()
        if value is not None
    }
