"""Which findings a study can make from its configuration, why it can not make the others, and their figures."""

from collections.abc import Callable, Iterable, Mapping

from retention.common.lists import listed
from retention.common.parts import load_part, part_names
from retention.measuring.declaration import (
    PRUNED,
    UNPRUNED,
    DatasetFile,
    Figure,
    Finding,
    of_finding,
)
from retention.measuring.figures import figure_homes
from retention.measuring.series import Series
from retention.measuring.shown_with import finding_of
from retention.sampling.treatments import complete_treatment
from retention.workflow.own_runs import lacking_files, left_out_for
from retention.workflow.recipes import all_warm_up


def declared(name: str) -> Finding:
    """Return a finding's declaration."""
    return load_part("retention.findings", name).FINDING


def declared_series(name: str) -> Series:
    """Return a series' declaration."""
    return load_part("retention.series", name).SERIES


def treatments_of(config: Mapping, runs: str) -> list[str]:
    """Return the study's treatments whose runs a finding reads: `random`, `unpruned` or `pruned`."""
    names = config["treatments"]
    pruned = [name for name in names if "keep_fraction" in _whole(config, name)]
    if runs == UNPRUNED:
        return [name for name in names if name not in pruned]
    return ["random", *(pruned if runs == PRUNED else ())]


def left_out(config: Mapping) -> dict[str, str]:
    """Return the findings asked for that the study can not make, each with the reason in one line."""
    reasons = {}
    of_own_runs = left_out_for(config)
    for name in config["findings"]:
        finding = declared(name)
        lacking = [
            need.why for need in finding.needs if not ENOUGH[need.what](config, finding, need.least)
        ]
        if lacking or name in of_own_runs:
            reasons[name] = lacking[0] if lacking else of_own_runs[name]
    return reasons


def figures_of(made: list[str]) -> dict[str, Figure]:
    """Return the figures of the findings that are made, and those of none whose tables are, by name."""
    figures = [of_finding(figure, name) for name in made for figure in declared(name).figures]
    others = [
        load_part("retention.figures", name).FIGURE for name in part_names("retention.figures")
    ]
    tables = {f"findings/{name}.csv" for name in made}
    figures += [figure for figure in others if _tables(figure) <= tables]
    return {figure.name: figure for figure in figures}


def drawable(figures: Mapping[str, Figure], config: Mapping) -> dict[str, Figure]:
    """Return the figures without those that are drawn from what some data set's runs lack: own ones leave less."""
    lacking = {name for dataset in config["datasets"] for name in lacking_files(config, dataset)}
    return {
        name: figure
        for name, figure in figures.items()
        if not any(_needs(series, lacking) for series in series_of([figure]))
    }


def _needs(series: str, lacking: set[str]) -> bool:
    """Return whether a series is measured from one of the files."""
    read = declared_series(series).reads.values()
    return any(lacking & {*getattr(files, "names", ())} for files in read if not files.optional)


def category_of(figure: str) -> str:
    """Return under which heading of Snakemake's report a figure stands: the title of the finding it is shown with."""
    room, part = figure_homes()[figure]
    if room == "retention.figures":
        part = finding_of(load_part("retention.figures", part).FIGURE)
    if part:
        return declared(part).title
    return "Every analytic choice" if figure.startswith("multiverse_") else "The runs"


def series_of(figures: Iterable[Figure]) -> list[str]:
    """Return the series that figures are drawn from, by name."""
    files = [found for figure in figures for found in figure.reads.values()]
    names = {found.name for found in files if isinstance(found, DatasetFile)}
    return [name for name in part_names("retention.series") if f"series/{name}.csv" in names]


def described_treatments(config: Mapping) -> list[str]:
    """Return the treatments whose samples some finding reads."""
    made = set(config["findings"]) - set(left_out(config))
    read = {
        name for finding in made for name in treatments_of(config, declared(finding).treatments)
    }
    return [name for name in config["treatments"] if name in read | {"random"}]


def unread_treatments(config: Mapping) -> list[str]:
    """Return one line per reason for which listed treatments are in no result, naming them.

    Only the target `runs` trains these.
    """
    unread: dict[str, list[str]] = {}
    impossible, read = left_out(config), described_treatments(config)
    readers = {runs: _reader(runs) for runs in (UNPRUNED, PRUNED)}
    for name in config["treatments"]:
        if name in read:
            continue
        finding = readers[PRUNED if "keep_fraction" in _whole(config, name) else UNPRUNED]
        why = (
            f"is left out: {impossible[finding]}" if finding in impossible else "is not in findings"
        )
        unread.setdefault(f"{finding}, which would read it, {why}", []).append(name)
    return [
        f"treatments: only `snakemake runs` trains {listed(names)}; {reason}"
        for reason, names in unread.items()
    ]


def _reader(runs: str) -> str:
    """Return the first finding, by number, that reads the runs of such treatments."""
    readers = [
        name for name in part_names("retention.findings") if declared(name).treatments == runs
    ]
    return min(readers, key=lambda name: declared(name).number)


def _whole(config: Mapping, name: str) -> dict:
    return complete_treatment(config["treatment_definitions"][name])


def _tables(figure: Figure) -> set[str]:
    files = [files.name for files in figure.reads.values() if isinstance(files, DatasetFile)]
    return {name for name in files if name.startswith("findings/")}


def _architectures(config: Mapping, finding: Finding, least: int) -> bool:
    return len(config["architectures"]) >= least


def _seeds(config: Mapping, finding: Finding, least: int) -> bool:
    return len(config["seeds"]) >= least


def _runs(config: Mapping, finding: Finding, least: int) -> bool:
    return len(config["architectures"]) * len(config["seeds"]) >= least


def _treatments(config: Mapping, finding: Finding, least: int) -> bool:
    return len(treatments_of(config, finding.treatments)) >= least


def _probabilities(config: Mapping, finding: Finding, least: int) -> bool:
    return config["store"]["probabilities"] != "none"


def _warm_up(config: Mapping, finding: Finding, least: int) -> bool:
    return all_warm_up(config)


def _paired_pruning(config: Mapping, finding: Finding, least: int) -> bool:
    """Return whether so many keep-fractions have both random pruning and pruning by a score."""
    pruned = [_whole(config, name) for name in treatments_of(config, PRUNED)[1:]]
    by_lot = {found["keep_fraction"] for found in pruned if found["prune_by"] == "random"}
    scored = {found["keep_fraction"] for found in pruned if found["prune_by"] != "random"}
    return len(by_lot & scored) >= least


ENOUGH: dict[str, Callable[[Mapping, Finding, int], bool]] = {
    "architectures": _architectures,
    "seeds": _seeds,
    "runs": _runs,
    "treatments": _treatments,
    "probabilities": _probabilities,
    "paired_pruning": _paired_pruning,
    "warm_up": _warm_up,
}
