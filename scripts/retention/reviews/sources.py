"""Whether the runs that a schedule is made from are those that its treatment names as its source."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from retention.common.errors import UserError
from retention.runs.reading import identity_of

# What each `source` takes, and whether a run of (its architecture, its seed) being the scheduled one's fits.
FITTING = {
    "same_seed": ("the one run of its own architecture and seed", (True, True)),
    "next_seed": ("one run of its own architecture and another seed", (True, False)),
    "other_seeds": ("runs of its own architecture and other seeds", (True, False)),
    "other_architecture": ("one run of another architecture and its own seed", (False, True)),
}
MISTAKEN = "give such files, or name another source in --treatment-definition"


def check_sources(source: str, run: Mapping[str, Any], paths: Sequence[Path]) -> dict[str, str]:
    """Return the studies and treatments of the sources, as the metadata of a schedule take them.

    source: of the treatment definition. run: the scheduled run's dataset, architecture and seed. paths:
    samples.parquet of the sources. Raises `UserError` naming the file that contradicts either.
    """
    takes, fitting = FITTING[source]
    identities = [identity_of(path) for path in paths]
    for path, found in zip(paths, identities, strict=True):
        if found["dataset"] != run["dataset"]:
            raise UserError(
                f"--samples: {path} is of the data set {found['dataset']}, and the schedule of "
                f"{run['dataset']}; give runs of the same data set"
            )
        if found.get("treatment", "random") != "random":
            raise UserError(
                f"--samples: {path} is of treatment {found['treatment']}; expected a run of random, whose "
                "forgetting no schedule has shaped"
            )
        same = (
            found["architecture"] == run["architecture"],
            int(found["seed"]) == int(run["seed"]),
        )
        if same != fitting:
            raise UserError(
                f"--samples: {path} is of {found['architecture']} seed {found['seed']}; source: {source} "
                f"of {run['architecture']} seed {run['seed']} takes {takes}; {MISTAKEN}"
            )
    if source != "other_seeds" and len(paths) > 1:
        raise UserError(
            f"--samples: names {len(paths)} runs; source: {source} takes {takes}; {MISTAKEN}"
        )
    return {f"source_{key}": _shared(identities, key) for key in ("study", "treatment")}


def _shared(identities: Sequence[Mapping[str, str]], key: str) -> str:
    """Return what the sources say under a key, each once; `unknown` where one says nothing."""
    return ", ".join(sorted({found.get(key, "unknown") for found in identities}))
