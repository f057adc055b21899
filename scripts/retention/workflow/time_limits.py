"""How many minutes and how much memory a training job is given: by the bill that `snakemake plan` wrote, where it is of that very job."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

import yaml

from retention.common.digests import digest_of
from retention.common.errors import UserError
from retention.common.yaml_files import write_yaml

UNKNOWN_MINUTES = 240  # of a job that no bill tells of
# Nodes and images differ from those of the bill; starting, and reading the first images, takes minutes.
TIMES, MORE_MINUTES, LEAST_MINUTES = 3, 15, 30
LEAST_MEGABYTES = 8000
# Beside states: Python with torch and CUDA, images, and what a CPU's step works with.
MORE_MEGABYTES = 5000
# Of a state in the host's memory: on a GPU the copy that is being saved; on a CPU the model itself and its gradients, too.
STATES_HELD = {"cuda": 1, "cpu": 3}


@dataclass(frozen=True)
class Estimate:
    """How many seconds one run or pretraining takes, and the megabytes of a state; of: `digest_of_run` of what was measured."""

    seconds: float
    of: str
    state_megabytes: float = 0.0


@dataclass(frozen=True)
class Bill:
    """Estimates by (data set, architecture), and the kind (cpu, cuda) and name of the device they were measured on.

    Those of pretrainings stand among those of runs: no source of a backbone is a data set of its study.
    """

    device: str = ""
    device_name: str = ""
    runs: Mapping[tuple[str, str], Estimate] = field(default_factory=dict)

    def minutes(self, dataset: str, architecture: str, of: str, device: str) -> int:
        """Return the minutes that a run or a pretraining is given before the site scales them.

        of: its `digest_of_run`. device: the kind that will train; `auto`: that of the bill. An estimate of
        another recipe or kind of device counts for nothing.
        """
        found = self._estimate(dataset, architecture, of, device)
        if found is None:
            return UNKNOWN_MINUTES
        return max(LEAST_MINUTES, ceil(TIMES * found.seconds / 60 + MORE_MINUTES))

    def megabytes(self, dataset: str, architecture: str, of: str, device: str) -> int:
        """Return the host's memory that a run or a pretraining is given, in MB; the arguments are those of `minutes`."""
        found = self._estimate(dataset, architecture, of, device)
        if found is None:
            return LEAST_MEGABYTES
        held = STATES_HELD.get(self.device, 1) * found.state_megabytes
        return max(LEAST_MEGABYTES, ceil(MORE_MEGABYTES + held))

    def _estimate(self, dataset: str, architecture: str, of: str, device: str) -> Estimate | None:
        found = self.runs.get((dataset, architecture))
        known = found is not None and found.of == of and device in ("auto", self.device)
        return found if known else None


def digest_of_run(definition: Mapping, recipe: Mapping, store: Mapping) -> str:
    """Return a digest of what its time depends on, maps as parameters of jobs say them; a pretraining stores nothing."""
    return digest_of([definition, recipe, store])


def write_bill(path: str | Path, bill: Bill) -> None:
    """Write a bill as YAML, for `read_bill`."""
    runs: dict[str, dict] = {}
    for (dataset, architecture), estimate in bill.runs.items():
        said = {"seconds": round(estimate.seconds, 1), "of": estimate.of}
        said["state_megabytes"] = round(estimate.state_megabytes, 1)
        runs.setdefault(dataset, {})[architecture] = said
    write_yaml(path, {"device": bill.device, "device_name": bill.device_name, "runs": runs})


def read_bill(path: str | Path) -> Bill:
    """Return the bill in a file, one without estimates where there is no file; `UserError` where it holds none."""
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        runs = {
            (dataset, architecture): Estimate(
                float(said["seconds"]), str(said["of"]), float(said.get("state_megabytes", 0))
            )
            for dataset, found in content["runs"].items()
            for architecture, said in found.items()
        }
        return Bill(content["device"], content["device_name"], runs)
    except FileNotFoundError:
        return Bill()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise UserError(
            f"{path}: holds no bill as `snakemake plan` writes it; delete it, and run `snakemake plan` again"
        ) from error


def minutes(site: Mapping, base: float, attempt: int = 1) -> int:
    """Return a time limit in minutes: `base`, grown by the attempt, scaled and capped by the site."""
    return max(1, ceil(min(base * attempt * site["time_factor"], 60 * site["max_hours"])))
