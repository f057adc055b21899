"""The control arm in a study's configuration: copies of data sets with labels planted wrong, trained beside the study."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import TypeVar

from retention.common.added_options import completed
from retention.common.lists import listed
from retention.common.names import nearest

KEY = "planted"
TARGETS = (KEY, "planted_labels")
LONGEST = 255  # bytes of a folder's name
Told = TypeVar("Told")
OFF = f"{KEY}.datasets names no data set; name those of which copies are to be trained with wrong labels"


def copies_of(config: Mapping) -> dict[str, dict]:
    """Return the copies of a study by name: of which data set (`dataset`), which `kind`, which `draw`, and the `share`."""
    options = completed(KEY, config.get(KEY, {}))
    draws = range(1, options["draws"] + 1)
    return {
        f"{dataset}_planted_{kind}_{draw}": {
            "dataset": dataset,
            "kind": kind,
            "draw": draw,
            "share": options["share"],
        }
        for dataset, kind, draw in product(options["datasets"], options["kinds"], draws)
    }


def seeds_of(config: Mapping) -> list[int]:
    """Return the seeds that copies are trained with: those asked for, else the study's first."""
    return completed(KEY, config.get(KEY, {}))["seeds"] or config["seeds"][:1]


def runs_of(config: Mapping) -> dict[str, dict[str, int]]:
    """Return how many runs are trained on copies of a data set, by data set and architecture; controls are left out."""
    sets, seeds = [copy["dataset"] for copy in copies_of(config).values()], len(seeds_of(config))
    return {
        name: dict.fromkeys(config["architectures"], sets.count(name) * seeds)
        for name in dict.fromkeys(sets)
    }


def number_of_runs(config: Mapping) -> int:
    """Return how many runs are trained on all copies."""
    return sum(sum(runs.values()) for runs in runs_of(config).values())


def with_copies(config: Mapping, found: Mapping[str, Told]) -> dict[str, Told]:
    """Return what is told of data sets by name, and of each copy what is told of the data set that it is a copy of."""
    copies = copies_of(config).items()
    return {**found, **{name: found[copy["dataset"]] for name, copy in copies}}


def planted_faults(config: Mapping, defined: Mapping) -> Iterator[str]:
    """Yield one line per data set that the study does not have, and per copy whose name is taken.

    defined: all data sets that have a definition, by name.
    """
    names = config["datasets"]
    unknown = [
        name for name in completed(KEY, config.get(KEY, {}))["datasets"] if name not in names
    ]
    for name in unknown:
        yield (
            f"{KEY}.datasets: {name!r} is no data set of this study, which has {listed(names)}"
            f"{nearest(name, names)}"
        )
    for name, copy in copies_of(config).items():
        if name in defined:
            yield (
                f"{KEY}.datasets: the copy of {copy['dataset']} would be called {name}, as another data set is; give that "
                "one another name in dataset_definitions"
            )
        elif len(name.encode()) > LONGEST:
            yield (
                f"{KEY}.datasets: the copy of {copy['dataset']} would have a name of {len(name.encode())} bytes, and a "
                f"folder's may have {LONGEST}; give the data set a shorter one"
            )
