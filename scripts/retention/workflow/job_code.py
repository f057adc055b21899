"""Which named parts a job loads: what the digest of its code covers beside what it imports.

Each function returns them as `code_version` takes them, by room; a job that loads parts of several rooms
has the union.
"""

from collections.abc import Iterable, Mapping

from retention.measuring.figures import figure_homes
from retention.multiverse.choices import Choices
from retention.sampling.treatments import complete_treatment
from retention.workflow.code_version import Parts


def of_dataset(definition: Mapping) -> Parts:
    """Return the adapter that reads a data set."""
    return {"retention.data.adapters": [definition["adapter"]]}


def of_treatments(definitions: Iterable[Mapping]) -> Parts:
    """Return the samplers of treatments."""
    return {
        "retention.samplers": [complete_treatment(found)["sampler"] for found in definitions],
    }


def of_fits(fits: Iterable[Mapping[str, str]]) -> Parts:
    """Return what describes samples: traces and curves of `dynamics.fits`, and the exponential always.

    Of `retention.dynamics` no part is loaded by name: no study describes its samples by another definition.
    """
    fits = list(fits)
    return {
        "retention.dynamics": [],
        "retention.dynamics.retention": [fit["retention"] for fit in fits],
        "retention.dynamics.curves": ["exponential", *(fit["curve"] for fit in fits)],
    }


def of_finding(name: str, definitions: Iterable[Mapping]) -> Parts:
    """Return what measures a finding; definitions: of the treatments whose runs it reads."""
    return {"retention.findings": [f"{name}.measure"], **of_treatments(definitions)}


def of_series(name: str, fits: Iterable[Mapping[str, str]]) -> Parts:
    """Return what measures a series, with the traces and curves of `dynamics.fits`."""
    return {"retention.series": [f"{name}.measure"], **of_fits(fits)}


def of_figure(name: str) -> Parts:
    """Return what draws a figure: its own module, be it of a finding or not."""
    home, part = figure_homes()[name]
    return {"retention.findings": [], "retention.figures": [], home: [f"{part}.draw_{name}"]}


def of_summary(made: Iterable[str], left_out: Iterable[str]) -> Parts:
    """Return what tells findings in sentences and beside the paper, and the titles of those that are left out."""
    told = [f"{name}.{part}" for name in made for part in ("sentences", "printed")]
    return {"retention.findings": [*left_out, *told]}


def of_tables(made: Iterable[str]) -> Parts:
    """Return what findings declare of themselves, and of what a paper prints of them."""
    names = list(made)
    return {"retention.findings": [*names, *(f"{name}.printed" for name in names)]}


def of_report(figures: Iterable[str], findings: Iterable[str]) -> Parts:
    """Return what says which of the figures and tables belong to which finding: declarations."""
    homes = [figure_homes()[name] for name in figures]
    of_figures = {part for home, part in homes if home == "retention.findings"}
    others = {part for home, part in homes if home == "retention.figures"}
    return {
        "retention.findings": sorted({*findings, *of_figures}),
        "retention.figures": sorted(others),
    }


def of_multiverse(findings: Iterable[str], choices: Choices) -> Parts:
    """Return what evaluates findings under every choice: the traces, curves and estimators that are declared."""
    levels = {name: list(dimension.levels) for name, dimension in choices.dimensions.items()}
    names = list(findings)
    return {
        "retention.multiverse.estimates": names,
        "retention.multiverse.nulls": names,
        "retention.dynamics.retention": levels["trace"],
        "retention.dynamics.curves": levels["curve"],
        "retention.dynamics.estimators": levels["estimator"],
    }
