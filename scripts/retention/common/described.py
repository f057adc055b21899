"""How findings say that their samples were described by another definition than ours."""

from collections.abc import Iterable

MARK = "samples described by the definition "


def noted(note: object, definition: str) -> str:
    """Return a row's note, text or NaN, with the definition at its end."""
    said = f"{MARK}{definition}"
    return f"{note}; {said}" if isinstance(note, str) and note else said


def definition_in(notes: Iterable[object]) -> str:
    """Return the definition that notes name, "" where they name none."""
    named = (note for note in notes if isinstance(note, str) and MARK in note)
    return next(named, "").rpartition(MARK)[2]
