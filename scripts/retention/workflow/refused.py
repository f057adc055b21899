"""Which targets that a user asks for a study can not make, and why: told before anything is planned, in a line each."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePath

from retention.common.lists import listed
from retention.common.parts import part_names
from retention.workflow.own_runs import NOTHING
from retention.workflow.planted import OFF, TARGETS

MULTIVERSE, PLAN = "multiverse", "plan"
SUFFIXES = ("", ".pdf", ".svg", ".png")


def refused_targets(
    targets: Iterable[str],
    made: Iterable[str],
    left_out: Mapping[str, str],
    evaluated: Iterable[str],
    copies: Collection[str] = (),
    trains: bool = True,
) -> Iterator[str]:
    """Yield a line per target that can not be made.

    targets: names and paths, such as the words of a command line. While rules are read Snakemake does not tell which of
    them are targets, and in a rule the reason would stand amid a traceback. made, left_out: the study's findings, and why
    those are left out that it can not make; evaluated: findings that are measured under every analytic choice;
    copies: data sets with labels planted wrong; trains: whether any run is to be trained.
    """
    evaluated = list(evaluated)
    for target in targets:
        if target in left_out:
            yield f"{target}: {left_out[target]}"
        elif target == MULTIVERSE and not evaluated:
            yield f"{target}: multiverse.findings names no finding that this study makes"
        elif target == PLAN and not trains:
            yield f"{target}: {NOTHING}"
        elif target in TARGETS and not copies:
            yield f"{target}: {OFF}"
        else:
            yield from _of_figure(target, list(made), evaluated)


def _of_figure(target: str, made: list[str], evaluated: list[str]) -> Iterator[str]:
    """Yield why there is no specification curve of a finding."""
    path = PurePath(target)
    if path.suffix not in SUFFIXES:
        return
    name = path.stem
    finding = name.removeprefix(f"{MULTIVERSE}_")
    known = part_names("retention.multiverse.estimates")
    if name == finding or finding not in known or finding in evaluated:
        return
    if finding not in made:
        yield f"{target}: the study does not make {finding}; name it in findings"
    elif evaluated:
        yield f"{target}: multiverse.findings names {listed(evaluated)} alone; name {finding}, too"
    else:
        yield f"{target}: multiverse.findings names no finding; name {finding}"
