"""The ranking of suspects in a study's configuration: what it asks for."""

from collections.abc import Mapping, MutableMapping

from retention.suspects.options import KEY, options_without_defaults


def asked_suspects(config: Mapping) -> dict:
    """Return the options that differ from the defaults."""
    return options_without_defaults(config.get(KEY, {}))


def keep_said_suspects(config: MutableMapping) -> None:
    """Take the options at their defaults out of a configuration: it is a job's parameter, and an older study's has none."""
    said = options_without_defaults(config.pop(KEY, {}))
    if said:
        config[KEY] = said
