"""The maps of options in a configuration, said whole or only where they differ from the defaults.

The layers of recipes over `default` are none of them: what a layer says goes before another layer.
"""

from collections.abc import Callable, Mapping

from retention.common.options import complete, without_defaults

SECTIONS = ("store", "dynamics", "statistics")
DEFINITIONS = {"architecture_definitions": "architecture", "dataset_definitions": "dataset"}


def whole(config: Mapping) -> dict:
    """Return the configuration with every default said."""
    return _each(config, complete)


def shortest(config: Mapping) -> dict:
    """Return the configuration with no default said: a job's parameter, which `whole` completes."""
    return _each(config, without_defaults)


def _each(config: Mapping, change: Callable[[str, Mapping], dict]) -> dict:
    changed = {section: change(section, config[section]) for section in SECTIONS}
    for key, section in DEFINITIONS.items():
        changed[key] = {name: change(section, entry) for name, entry in config[key].items()}
    recipes = config["recipes"]
    changed["recipes"] = {**recipes, "default": change("recipe", recipes["default"])}
    return {**config, **changed}
