"""The study's configuration: checked as a whole, then turned into the arguments of the scripts."""

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from retention.common.errors import UserError
from retention.common.names import nearest
from retention.sampling.treatments import complete_treatment
from retention.workflow.findings import left_out, unread_treatments
from retention.workflow.sources import treatments_faults

PAIRED_FINDINGS = ("seed_stability",)
SHAPE = ("type", "required", "anyOf", "oneOf")  # faults after which names cannot be looked up
LIMITS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
}


def load_study(config: Mapping, root: Path) -> dict:
    """Return what the rules look up: one JSON string per script argument, and the grid's names.

    Raises `UserError` with one line per fault, each naming the key.
    """
    registry = yaml.safe_load((root / "resources" / "datasets.yaml").read_text(encoding="utf-8"))
    defaults = yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8"))
    own = config.get("dataset_definitions", {})
    datasets = {**registry, **own}
    described = root / "schemas" / "datasets.schema.json"
    errors = list(schema_errors(config, root / "schemas" / "config.schema.json"))
    faults = [_one_line(error) for error in errors]
    faults += [
        f"resources/datasets.yaml: {_one_line(error)}"
        for error in schema_errors(registry, described)
    ]
    if isinstance(own, Mapping):
        faults += [f"dataset_definitions.{_one_line(e)}" for e in schema_errors(own, described)]
    # Names can only be looked up in a configuration of the right shape.
    if not any(error.validator in SHAPE for error in errors):
        faults += meaning_faults(config, datasets, defaults)
    if faults:
        raise UserError("\n".join(faults))
    impossible = left_out(config)
    return {
        "findings": [name for name in config["findings"] if name not in impossible],
        "left_out": impossible,
        "unread": unread_treatments(config),
        "datasets": {name: _without(datasets[name], "split") for name in sorted(datasets)},
        "splits": {
            name: {**datasets[name].get("split", {"strategy": "stratified_group"})}
            for name in sorted(datasets)
        },
        "architectures": config["architecture_definitions"],
        "treatments": {
            name: complete_treatment(definition)
            for name, definition in config["treatment_definitions"].items()
        },
        "recipes": {
            dataset: {
                architecture: recipe_for(config["recipes"], dataset, architecture)
                for architecture in config["architecture_definitions"]
            }
            for dataset in config["datasets"]
        },
        "pretraining": {
            architecture: merged(
                config["recipes"]["default"],
                config["recipes"].get("pretraining", {}).get("default", {}),
                config["recipes"].get("pretraining", {}).get(architecture, {}),
            )
            for architecture in config["architecture_definitions"]
        },
    }


def load_paper(root: Path) -> dict:
    """Return the numbers that the paper reports."""
    return yaml.safe_load((root / "resources" / "paper.yaml").read_text(encoding="utf-8"))


def recipe_for(recipes: Mapping, dataset: str, architecture: str) -> dict:
    """Merge the recipe's layers: default, data set, architecture, then the one of both."""
    return merged(
        recipes["default"],
        recipes.get("datasets", {}).get(dataset, {}),
        recipes.get("architectures", {}).get(architecture, {}),
        recipes.get("runs", {}).get(dataset, {}).get(architecture, {}),
    )


def merged(*layers: Mapping) -> dict:
    """Merge maps deeply, later ones winning; lists and scalars are replaced whole."""
    result: dict = {}
    for layer in layers:
        for key, value in layer.items():
            if isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
                result[key] = merged(result[key], value)
            else:
                result[key] = deepcopy(value)
    return result


def schema_errors(content: Mapping, schema_path: Path) -> Iterator[ValidationError]:
    """Yield the places in which `content` departs from a JSON schema, in the order of its keys."""
    schema = json.loads(schema_path.read_text(encoding="utf-8"))
    errors = Draft202012Validator(schema).iter_errors(content)
    for error in sorted(errors, key=lambda error: [str(part) for part in error.absolute_path]):
        yield from _leaves(error)


def schema_faults(content: Mapping, schema_path: Path, whole: str = "config: ") -> list[str]:
    """Return one line per place in which `content` departs from a JSON schema.

    whole: what a line about the content as a whole begins with, instead of a key.
    """
    return [_one_line(error, whole) for error in schema_errors(content, schema_path)]


def meaning_faults(config: Mapping, datasets: Mapping, defaults: Mapping) -> Iterator[str]:
    """Yield one line per name that nothing defines and per choice that contradicts another.

    defaults: config.yaml, which the user's configuration was merged over.
    """
    yield from _undefined(config, "datasets", datasets, "dataset_definitions")
    for key in ("architectures", "control_architectures"):
        yield from _undefined(
            config, key, config["architecture_definitions"], "architecture_definitions"
        )
    yield from _undefined(
        config, "treatments", config["treatment_definitions"], "treatment_definitions"
    )
    yield from treatments_faults(config, defaults["treatment_definitions"])
    for name in [*config["architectures"], *config["control_architectures"]]:
        weights = config["architecture_definitions"].get(name, {}).get("weights")
        if isinstance(weights, Mapping) and weights.get("source", "") not in {"", *datasets}:
            yield (
                f"architecture_definitions.{name}.weights.source: no data set is called "
                f"{weights['source']!r}; defined are {', '.join(sorted(datasets))}"
            )
        if isinstance(weights, Mapping) and weights.get("source") in config["datasets"]:
            yield (
                f"architecture_definitions.{name}.weights.source: {weights['source']!r} is also a "
                "data set of this study; a backbone may not be pretrained on what it is tested on"
            )
    yield from _missing_images(config, datasets)
    yield from _missing_weights(config)
    if "random" not in config["treatments"]:
        yield "treatments: lacks 'random', the baseline on which every finding stands; add it"
    comparable = config["paper"]["comparable"]
    others = [name for name in config["datasets"] if comparable.get(name) is not True]
    if config["study"] == "paper" and others:
        yield (
            f"study: 'paper' is the paper's own study, and {', '.join(others)} is not of it; give your "
            "study a name, the folder of its results"
        )
    for finding in PAIRED_FINDINGS:
        if finding in config["findings"] and len(config["seeds"]) < 2:
            yield f"seeds: {finding} compares pairs of seeds; give at least two, or leave it out of findings"
    if "architecture_overlap" in config["findings"] and len(config["architectures"]) < 2:
        yield (
            "architectures: architecture_overlap compares two architectures; give at least two, or leave "
            "it out of findings"
        )


def _missing_images(config: Mapping, datasets: Mapping) -> Iterator[str]:
    """Yield one line per folder or table of images that is not there, before any job starts."""
    sources = [
        config["architecture_definitions"].get(name, {}).get("weights")
        for name in [*config["architectures"], *config["control_architectures"]]
    ]
    sources = [source.get("source") for source in sources if isinstance(source, Mapping)]
    for name in sorted({*config["datasets"], *sources} & {*datasets}):
        folder, table = (datasets[name].get(key) for key in ("folder", "table"))
        if folder is not None and not Path(folder).is_dir():
            yield (
                f"dataset_definitions.{name}.folder: {folder} is not a folder; it should hold one "
                "folder per class"
            )
        if table is not None and not Path(table).is_file():
            yield f"dataset_definitions.{name}.table: {table} does not exist"


def _missing_weights(config: Mapping) -> Iterator[str]:
    """Yield one line per weights file that is not there, before any job starts."""
    for name in [*config["architectures"], *config["control_architectures"]]:
        weights = config["architecture_definitions"].get(name, {}).get("weights")
        file = weights.get("file") if isinstance(weights, Mapping) else None
        if file is not None and not Path(file).is_file():
            yield (
                f"architecture_definitions.{name}.weights.file: {file} does not exist; fetch it or "
                "correct its path"
            )


def as_argument(value: object) -> str:
    """Return a map as one line of JSON with sorted keys: equal maps make equal parameters."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _undefined(config: Mapping, key: str, defined: Mapping, where: str) -> Iterator[str]:
    for name in config[key]:
        if name not in defined:
            yield (
                f"{key}: nothing defines {name!r}; {where} has {', '.join(sorted(defined))}"
                f"{nearest(name, defined)}"
            )


def _without(definition: Mapping, key: str) -> dict:
    return {name: value for name, value in definition.items() if name != key}


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Yield the most telling causes of an error: of `anyOf`, the branch that came nearest."""
    if not error.context:
        yield error
        return
    branches: dict[int, list[ValidationError]] = {}
    for cause in error.context:
        branches.setdefault(cause.schema_path[0], []).append(cause)
    right_type = [
        causes for causes in branches.values() if not any(c.validator == "type" for c in causes)
    ]
    if len(right_type) == 1:
        for cause in right_type[0]:
            yield from _leaves(cause)
    else:
        yield error


def _one_line(error: ValidationError, whole: str = "config: ") -> str:
    path = ".".join(str(part) for part in error.absolute_path)
    return f"{path}: {_explanation(error)}" if path else whole + _explanation(error)


def _explanation(error: ValidationError) -> str:
    value, wanted = error.instance, error.validator_value
    if error.validator == "type":
        return _wrong_type(value, wanted) + _how_to_write(error)
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        unknown = [key for key in value if key not in known]
        hints = "".join(nearest(key, known) for key in unknown)
        return f"unknown key(s) {', '.join(unknown)}; known are {', '.join(sorted(known))}{hints}"
    if error.validator == "required":
        return error.message.replace("'", "") + "; add the key"
    if error.validator == "enum":
        return (
            f"is {value!r}, expected one of {', '.join(map(str, wanted))}{nearest(value, wanted)}"
        )
    if error.validator == "minItems":
        return f"has {len(value)} entries, expected at least {wanted}"
    if error.validator == "uniqueItems":
        repeated = sorted({str(item) for item in value if value.count(item) > 1})
        return f"names {', '.join(repeated)} more than once; each entry may stand once"
    if error.validator in LIMITS:
        return f"is {value!r}, expected {LIMITS[error.validator]} {wanted}" + _how_to_write(error)
    if error.validator in ("anyOf", "oneOf", "pattern") and "description" in error.schema:
        return f"is {value!r}, expected {error.schema['description']}"
    return error.message


def _how_to_write(error: ValidationError) -> str:
    description = error.schema.get("description")
    return f" ({description})" if description else ""


def _wrong_type(value: object, wanted: str) -> str:
    """Explain a value of the wrong kind: what stands there, and how what is wanted is written."""
    if value is None:
        written = {"object": "a map ({key: value, …})", "array": "a list ([a, b, …])"}
        return f"has no value (null), expected {written.get(str(wanted), wanted)}"
    shown = f"is {value!r} ({type(value).__name__}), expected"
    if wanted == "array" and isinstance(value, str | int | float):
        return f"{shown} a list; write [{value}]"
    if wanted in ("integer", "number", "boolean") and isinstance(value, str):
        return f"{shown} {wanted}{_as_number(value)}"
    return f"{shown} {wanted}"


def _as_number(text: str) -> str:
    """Tell how a number or truth value that YAML took for a text is written; '' for other texts."""
    if isinstance(yaml.safe_load(text or "''"), int | float):
        return "; write it without quotes"
    # YAML 1.1 wants a point in the number and a sign in the exponent.
    if parts := re.fullmatch(r"([-+]?\d+)(\.\d*)?e([-+]?\d+)", text, re.IGNORECASE):
        mantissa, point, exponent = parts.groups()
        return f"; YAML takes it for a text, write {mantissa}{point or '.0'}e{int(exponent):+d}"
    return ""
