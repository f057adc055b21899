"""What is wrong with a map that a user wrote, in one line per fault, by its JSON schema.

A schema's keyword `written` says how a value is written, where its type or pattern does not tell.
jsonschema and yaml are imported where they are needed: options at their defaults need neither.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from retention.common.lists import SHOWN, listed
from retention.common.names import nearest

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

SHAPE = ("type", "required", "anyOf", "oneOf")  # faults after which names cannot be looked up
LONGEST = 200  # letters of a value in a message
ENTRY = re.compile(r"[\w.-]+(\s*,\s*[\w.-]+)*")  # what brackets alone would make a list of
LIMITS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
}


def schema_errors(content: object, schema: Mapping) -> list[ValidationError]:
    """Return the places in which `content` departs from a JSON schema, in the order of its keys."""
    from jsonschema import Draft202012Validator

    errors = sorted(Draft202012Validator(schema).iter_errors(content), key=_keys)
    leaves = [leaf for error in errors for leaf in _leaves(error)]
    # Of two limits for one value the later is the narrower: it is said alone.
    limits = {(*_keys(leaf), leaf.validator): leaf for leaf in leaves if leaf.validator in LIMITS}
    return [leaf for leaf in leaves if limits.get((*_keys(leaf), leaf.validator), leaf) is leaf]


def schema_faults(content: object, schema: Mapping, place: str = "", whole: str = "") -> list[str]:
    """Return one line per place in which `content` departs from a JSON schema.

    place: what every line begins with. whole: what stands for the key in a line about all of it.
    """
    return [place + in_one_line(error, whole) for error in schema_errors(content, schema)]


def key_faults(content: object, place: str = "") -> Iterator[str]:
    """Yield one line per key that YAML took for a number, a date or a truth value: no name equals it."""
    if isinstance(content, Mapping):
        for key, value in content.items():
            where = f"{place}.{key}".lstrip(".")
            if not isinstance(key, str):
                yield f"{where}: YAML reads this key as {type(key).__name__}; write it in quotes"
            yield from key_faults(value, where)


def in_one_line(error: ValidationError, whole: str = "") -> str:
    """Return `key: what is wrong` of an error, `whole` in place of the key where it has none."""
    path = ".".join(_keys(error))
    return f"{path}: {_explanation(error)}" if path else whole + _explanation(error)


def _keys(error: ValidationError) -> list[str]:
    return [str(part) for part in error.absolute_path]


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """Yield the most telling causes of an error: of `anyOf`, the branch that came nearest."""
    if not error.context:
        yield error
        return
    branches: dict[int, list[ValidationError]] = {}
    for cause in error.context:
        branches.setdefault(cause.schema_path[0], []).append(cause)
    right_type = [
        causes
        for causes in branches.values()
        if not any(c.validator in ("type", "const") for c in causes)
    ]
    if len(right_type) == 1:
        for cause in right_type[0]:
            yield from _leaves(cause)
    else:
        yield error


def _explanation(error: ValidationError) -> str:
    value, wanted = error.instance, error.validator_value
    if error.validator == "type":
        return _wrong_type(value, wanted) + _how_to_write(error)
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        unknown = [key for key in value if key not in known]
        hints = "".join(nearest(key, known) for key in unknown[:SHOWN])
        return f"unknown key(s) {listed(unknown)}; known are {', '.join(sorted(known))}{hints}"
    if error.validator == "required":
        return error.message.replace("'", "") + "; add the key"
    if error.validator == "enum":
        return f"is {_said(value)}, expected one of {', '.join(map(str, wanted))}{nearest(value, wanted)}"
    if error.validator == "minItems":
        return f"has {len(value)} entries, expected at least {wanted}"
    if error.validator == "uniqueItems":
        repeated = sorted({_shown(item) for item in value if value.count(item) > 1})
        comma = "," if len(repeated) > SHOWN else ""
        return f"names {listed(repeated)}{comma} more than once; each entry may stand once"
    if error.validator in LIMITS:
        return f"is {_said(value)}, expected {LIMITS[error.validator]} {wanted}" + _how_to_write(
            error
        )
    if error.validator in ("anyOf", "oneOf", "pattern") and "written" in error.schema:
        return f"is {_said(value)}, expected {error.schema['written']}"
    return error.message.replace(repr(value), _said(value))


def _how_to_write(error: ValidationError) -> str:
    written = error.schema.get("written")
    return f" ({written})" if written else ""


def _said(value: object) -> str:
    """Return a value as Python writes it, a long one cut."""
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"


def _shown(item: object) -> str:
    return json.dumps(item, ensure_ascii=False) if isinstance(item, dict) else str(item)


def _wrong_type(value: object, wanted: str) -> str:
    """Explain a value of the wrong kind: what stands there, and how what is wanted is written."""
    written = {"object": "a map ({key: value, …})", "array": "a list ([a, b, …])"}
    if value is None:
        return f"has no value (null), expected {written.get(str(wanted), wanted)}"
    shown = f"is {_said(value)} ({type(value).__name__}), expected"
    if wanted in written and isinstance(value, str) and (fault := _broken(value)):
        return f"{shown} {written[wanted]}; {fault}"
    if wanted == "array" and isinstance(value, str | int | float):
        example = value if ENTRY.fullmatch(str(value)) and len(str(value)) < LONGEST else "a, b, …"
        return f"{shown} a list; write [{example}]"
    if wanted == "string" and not isinstance(value, list | dict):
        return f"{shown} a text; write it in quotes, in a file: --config drops them"
    if wanted in ("integer", "number", "boolean") and isinstance(value, str):
        return f"{shown} {wanted}{_as_number(value)}"
    return f"{shown} {written.get(str(wanted), wanted)}"


def _broken(text: str) -> str:
    """Tell why a text that has brackets of its own is no list or map; '' for one without."""
    import yaml

    begun = text.lstrip().startswith(("[", "{"))
    try:
        yaml.safe_load(text if begun else f"[{text}]")
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or "a letter that YAML does not take"
        problem = problem.replace("'<stream end>'", "its end")
        return f"as YAML it is broken: {problem}"
    return "write it without quotes" if begun else ""


def _as_number(text: str) -> str:
    """Tell how a number or truth value that YAML took for a text is written; '' for other texts."""
    import yaml

    if isinstance(yaml.safe_load(text or "''"), int | float):
        return "; write it without quotes"
    # YAML 1.1 wants a point in the number and a sign in the exponent.
    if parts := re.fullmatch(r"([-+]?\d+)(\.\d*)?e([-+]?\d+)", text, re.IGNORECASE):
        mantissa, point, exponent = parts.groups()
        return f"; YAML takes it for a text, write {mantissa}{point or '.0'}e{int(exponent):+d}"
    return ""
