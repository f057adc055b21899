"""The control arm in a study's configuration: copies of data sets with labels planted wrong, trained beside the study.

Its options are no section of `common.options`: what every job imports would say something else, and every study would be
made anew.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from copy import deepcopy
from itertools import product

from retention.common.lists import listed
from retention.common.names import nearest
from retention.common.options import properties
from retention.common.schemas import read_schema

KEY = "planted"
TARGETS = (KEY, "planted_labels")
LONGEST = 255  # bytes of a folder's name
OFF = f"{KEY}.datasets names no data set; name those of which copies are to be trained with wrong labels"


def complete_options(given: Mapping) -> dict:
    """Return the options with the defaults of those that are not given."""
    known = properties(read_schema("config")["properties"][KEY])
    return {name: deepcopy(one["default"]) for name, one in known.items()} | dict(given)


def copies_of(config: Mapping) -> dict[str, dict]:
    """Return the copies of a study by name: of which data set (`dataset`), which `kind`, which `draw`, and the `share`."""
    options = complete_options(config.get(KEY, {}))
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
    return complete_options(config.get(KEY, {}))["seeds"] or config["seeds"][:1]


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


def with_copies(config: Mapping, found: Mapping[str, object]) -> dict[str, object]:
    """Return what is told of data sets by name, and of each copy what is told of the data set that it is a copy of."""
    copies = copies_of(config).items()
    return {**found, **{name: found[copy["dataset"]] for name, copy in copies}}


def keep_what_is_said(config: MutableMapping) -> None:
    """Take the options at their defaults out of a configuration: it is a job's parameter, and an older study's has none."""
    usual, given = complete_options({}), config.pop(KEY, {})
    if said := {name: value for name, value in given.items() if value != usual.get(name)}:
        config[KEY] = said


def planted_faults(config: Mapping, defined: Mapping) -> Iterator[str]:
    """Yield one line per data set that the study does not have, and per copy whose name is taken.

    defined: all data sets that have a definition, by name.
    """
    names = config["datasets"]
    unknown = [
        name for name in complete_options(config.get(KEY, {}))["datasets"] if name not in names
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
