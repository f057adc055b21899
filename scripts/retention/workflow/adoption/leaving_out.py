"""Telling the user what is left out, and why: a line each, ten at most."""

from collections.abc import Callable, Iterable, Sequence

from retention.common.lists import first_lines
from retention.workflow.adoption.candidates import Candidate


def tell_list(said: Callable[[str], None], what: str, names: Sequence[str]) -> None:
    """Say what these are, how many, and the first ten of them; nothing where there are none."""
    if not names:
        return
    said(f"{len(names)} {what}:")
    for line in first_lines([f"  {name}" for name in names], what="", before="  … "):
        said(line)


def leave_out(
    candidates: Iterable[Candidate],
    reasons: Callable[[Candidate], Sequence[str]],
    what: str,
    said: Callable[[str], None],
) -> list[Candidate]:
    """Return those candidates that there are no reasons against; say of the others which they are, and why."""
    kept, left = [], []
    for one in candidates:
        if why := reasons(one):
            left.append(f"{one.name}: {', '.join(why)}")
        else:
            kept.append(one)
    tell_list(said, what, left)
    return kept
