"""Runs whose training went wrong, told where a reader would take it for forgetting."""

from collections.abc import Mapping, Sequence

from retention.common.collapse import fault_of
from retention.common.lists import first_lines, listed, plural
from retention.common.treatment_names import PRUNED, RANDOM, UNPRUNED
from retention.reporting.words import as_text

TITLE = "treatment_title"  # key of a run's treatment as people read it, beside its name


def collapsed(runs: Sequence[Mapping]) -> list[Mapping]:
    """Return those of the runs (run.yaml) whose training went wrong."""
    return [run for run in runs if fault_of(run)]


def read_by(treatments: str, runs: Sequence[Mapping]) -> list[Mapping]:
    """Return the runs that a finding reads which declares `random`, `unpruned` or `pruned` runs."""
    pruned = [run for run in runs if "keep_fraction" in run["treatment_definition"]]
    if treatments == UNPRUNED:
        return [run for run in runs if run not in pruned]
    kept = pruned if treatments == PRUNED else []
    return [run for run in runs if run["treatment"] == RANDOM or run in kept]


def warning(runs: Sequence[Mapping]) -> list[str]:
    """Return a section on the runs whose training went wrong, nothing where there are none."""
    if not (found := collapsed(runs)):
        return []
    elsewhere = all("own_traces" in run for run in found)
    begun = "before training" if elsewhere else "after head warm-up"
    text = (
        f"Of {plural(len(runs), 'run')}, {len(found)} ended without having learned, or below what they knew {begun} or "
        "later. What they lost, too high a learning rate may have taken. Lower it, and take no finding from "
        "them:"
    )
    lines = [f"- {named(run)}: {fault_of(run)}; {_rate(run)}" for run in found]
    return [
        "## Runs whose training went wrong",
        "\n".join([text, "", *first_lines(lines, what="", before="- ")]),
    ]


def _rate(run: Mapping) -> str:
    """Return the learning rate of a run that this workflow trained; traces do not tell that of another."""
    rate = run["recipe"].get("learning_rate")
    return "trained elsewhere" if rate is None else f"learning_rate {rate:g}"


def caveat(treatments: str, runs: Sequence[Mapping]) -> list[str]:
    """Return a sentence on the runs that a finding rests on, nothing where all of them are sound."""
    read = read_by(treatments, runs)
    if not (found := collapsed(read)):
        return []
    names = listed(
        f"{as_text(run['architecture'])} {as_text(_treatment(run))} seed {run['seed']}"
        for run in found
    )
    which = f"{len(found)} of the {len(read)} runs" if len(read) > 1 else "The one run"
    return [f"- {which} that this rests on went wrong: {names}."]


def named(run: Mapping) -> str:
    """Return a run's names as people read them."""
    names = run["dataset"], run["architecture"], _treatment(run)
    dataset, architecture, treatment = map(as_text, names)
    return f"{dataset}, {architecture}, {treatment}, seed {run['seed']}"


def _treatment(run: Mapping) -> str:
    """Return what the treatment of a run is called: by the title that the summary gave it, if any."""
    return str(run.get(TITLE, run["treatment"]))
