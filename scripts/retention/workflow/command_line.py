"""What `snakemake --config` says: Snakemake hands it over as text, which is read as a configuration file's is."""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import yaml

from retention.common.faults import schema_errors
from retention.common.schemas import read_schema

Place = tuple[str | int, ...]


def read_command_line(config: MutableMapping, given: Mapping) -> None:
    """Put numbers and truth values in the place of the texts that the command line gave for them.

    config: the whole configuration, which is changed; given: the entries of the command line, as Snakemake
    has merged them into it. A text stays where a name is wanted, since quotes do not arrive here: an
    architecture called 18 is one.
    """
    texts = dict(_texts(given))
    for place, text in texts.items():
        _put(config, place, _as_yaml(text))
    for place in _where_texts_are_wanted(config):
        if place in texts:
            _put(config, place, texts[place])


def _texts(value: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Yield the texts within maps and lists, with the keys that lead to them."""
    if isinstance(value, str) and len(place) > 1:  # one alone has been read by Snakemake
        yield place, value
    entries = value.items() if isinstance(value, Mapping) else ()
    for key, entry in enumerate(value) if isinstance(value, list) else entries:
        yield from _texts(entry, (*place, key))


def _as_yaml(text: str) -> Any:
    """Return what a text means in YAML where that is a number, a truth value or nothing, else the text."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return value if text and isinstance(value, int | float | None) else text


def _where_texts_are_wanted(config: Mapping) -> Iterator[Place]:
    definitions = config.get("dataset_definitions")
    errors: list[tuple[Place, Any]]
    errors = [((), error) for error in schema_errors(config, read_schema("config"))]
    if isinstance(definitions, Mapping):
        described = schema_errors(definitions, read_schema("datasets"))
        errors += [(("dataset_definitions",), error) for error in described]
    for before, error in errors:
        if error.validator == "type" and error.validator_value == "string":
            yield (*before, *error.absolute_path)


def _put(config: Any, place: Place, value: Any) -> None:
    for key in place[:-1]:
        config = config[key]
    config[place[-1]] = value
