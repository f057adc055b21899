"""What is particular to a cluster: slurm/site.yaml, held against the Slurm at hand before a run."""

import getpass
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from math import ceil
from pathlib import Path

import yaml

from retention.common.errors import UserError
from retention.common.faults import schema_faults
from retention.common.lists import listed
from retention.common.schemas import read_schema
from retention.sampling.treatments import needs_schedule
from retention.workflow.findings import (
    described_treatments,
    drawable,
    figures_of,
    left_out,
    series_of,
)
from retention.workflow.multiverse import evaluated_findings
from retention.workflow.own_runs import (
    own_runs_of,
    runs_of,
    trained_architectures,
    trained_datasets,
)
from retention.workflow.planted import number_of_runs
from retention.workflow.presence import runs_jobs
from retention.workflow.time_limits import minutes

SITE = "slurm/site.yaml"
# Snakemake's plugin looks at most every 180 s; a job that squeue has forgotten is never noticed.
SQUEUE_REMEMBERS = 240
ANSWER_SECONDS = 30
DESCRIBE_MINUTES = 5  # of one run
DESCRIBED_AT_ONCE, DESCRIBED_TOGETHER = 4, 50  # runs in parallel, and in one job
ATTEMPTS = 3
MOST_READING_CORES = (
    8  # that a GPU of a workstation is given unasked; one resizes some 5,000 images a second
)


def load_site(root: Path) -> dict:
    """Return slurm/site.yaml of the sources; `UserError` with one line per fault."""
    path = root / SITE
    try:
        site = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"{path}: cannot be read ({' '.join(str(error).split())})") from error
    faults = schema_faults(site, read_schema("site"))
    if faults:
        raise UserError("\n".join(f"{SITE}: {fault}" for fault in faults))
    return site


@cache  # Snakemake reads its profile more than once
def site_for_profile() -> dict:
    """Return the site with `status` decided; ends the process with one line per fault.

    Slurm is asked only where jobs will be submitted: a dry run works on any machine.
    """
    try:
        if find_spec("snakemake_executor_plugin_slurm") is None:
            raise UserError(
                "this Snakemake can not talk to Slurm: it lacks snakemake-executor-plugin-slurm; "
                "run: pip install -r requirements.txt"
            )
        site = load_site(Path())
        if runs_jobs(sys.argv[1:]):
            faults = list(slurm_faults(site))
            if faults:
                raise UserError("\n".join(faults))
            return site | {"status": watcher(site, slurm_settings())}
    except UserError as error:
        sys.exit("\n".join(f"error: {line}" for line in str(error).split("\n")))
    return site | {"status": "squeue" if site["status"] == "auto" else site["status"]}


def training_resources(
    site: Mapping, device: str, on_cluster: bool, counts_gpus: bool = True
) -> dict:
    """Return the resources, beside memory and time, of a step that trains on `device`.

    A workstation counts `gpu` whatever the site says, unless the cores alone decide what trains at once.
    Raises `UserError` for a device that the cluster's jobs can not have.
    """
    if device == "cpu" or not (on_cluster or counts_gpus):
        return {"gpu": 0}
    if not on_cluster:
        return {"gpu": 1}
    if ":" in device:
        raise UserError(
            f"device: is {device}, but each job of a cluster has a GPU of its own; write cuda"
        )
    if site["gpu_partition"] is None:
        if device == "cuda":
            raise UserError(
                f"device: is cuda, but {SITE} has gpu_partition: null; name a partition with GPUs there, "
                "or set device: cpu"
            )
        return {"gpu": 0}
    own = {"slurm_account": "gpu_account", "qos": "gpu_qos", "constraint": "gpu_constraint"}
    resources = {"gpu": 1, "slurm_partition": site["gpu_partition"]}
    resources |= {name: site[key] for name, key in own.items() if site[key]}
    if site["gpu_option"] == "gres":
        wanted = ["gpu", *([site["gpu_type"]] if site["gpu_type"] else []), "1"]
        resources |= {"gpu": 0, "gres": ":".join(wanted)}
    elif site["gpu_type"]:
        resources["gpu_model"] = site["gpu_type"]
    return resources


def scratch(site: Mapping, on_cluster: bool) -> dict[str, str]:
    """Return what the environment of a job says of the node's own disk; see `retention.training.scratch`."""
    folder = site.get("scratch") if on_cluster else None
    return {"WORKFLOW_SCRATCH": folder or ""}


def cores_of_gpu_job(site: Mapping, resources: Mapping, slots: int, cores: int) -> int:
    """Return how many cores a job with a GPU has at least, most of which read images for it; 0 without one.

    resources: what `training_resources` says. slots, cores: how many jobs train at once on a workstation,
    and how many cores all jobs have there. One core is left to other jobs.
    """
    if "slurm_partition" in resources:
        return site.get("gpu_cores") or 0
    return max(min((cores - 1) // slots, MOST_READING_CORES), 1) if slots else 0


def kind_of_device(resources: Mapping, on_cluster: bool) -> str:
    """Return the kind of device that jobs with these `training_resources` train on; `auto`: as this machine has it."""
    if not on_cluster:
        return "auto"
    return "cuda" if resources["gpu"] or "gres" in resources else "cpu"


def described_together(site: Mapping) -> int:
    """Return how many runs one job describes: 50, or what the time limit holds at the last attempt."""
    rows = 60 * site["max_hours"] // minutes(site, DESCRIBE_MINUTES, ATTEMPTS)
    return int(min(DESCRIBED_TOGETHER, DESCRIBED_AT_ONCE * max(rows, 1)))


def treatments_of(config: Mapping, architecture: str) -> int:
    """Return how many treatments an architecture is trained with; a control only with `random`."""
    return len(config["treatments"]) if architecture in config["architectures"] else 1


def jobs_of_study(config: Mapping, site: Mapping) -> int:
    """Return how many jobs the whole study sends to a cluster.

    Index and cache of each data set, pretraining, training, descriptions in groups, findings, their multiverse, series;
    runs on copies with labels planted wrong, and their descriptions.
    """
    definitions = config["architecture_definitions"]
    trained = trained_architectures(config)
    sources = {
        (definitions[name]["weights"]["source"], name)
        for name in trained
        if isinstance(definitions[name]["weights"], Mapping)
        and "source" in definitions[name]["weights"]
    }
    caches = {(dataset, definitions[name]["stored_size"]) for dataset, name in sources} | {
        (dataset, definitions[name]["stored_size"])
        for dataset in trained_datasets(config)
        for name in trained
    }
    datasets, seeds = len(config["datasets"]), len(config["seeds"])
    runs = len(runs_of(config))
    described = datasets * seeds * len(config["architectures"])  # of one treatment
    treated = described * (len(described_treatments(config)) - 1)
    together, copied = described_together(site), number_of_runs(config)
    made = set(config["findings"]) - set(left_out(config))
    return (
        len({dataset for dataset, _ in caches})
        + len(caches)
        + len(sources)
        + runs
        + copied
        + ceil((described + copied) / together)
        + ceil(treated / together)
        + datasets * (len(made) + bool(evaluated_findings(config, made)))
        + datasets * len(series_of(drawable(figures_of(sorted(made)), config).values()))
    )


def files_of_study(config: Mapping, treatments: Mapping[str, Mapping]) -> tuple[int, int]:
    """Return how many files the runs of a study leave, and how many records Snakemake keeps of them.

    treatments: the definitions, also of such as are not trained. The records lie in .snakemake/metadata.
    """
    sets = len(config["datasets"]) * len(config["seeds"])
    architectures = len(config["architectures"])
    copied = number_of_runs(config)
    trained = len(runs_of(config)) + copied
    described = sets * architectures * len(described_treatments(config)) + copied
    scheduled = (
        sets
        * architectures
        * sum(needs_schedule(treatments[name]) for name in config["treatments"])
    )
    stored = sum(config["store"][kind] != "none" for kind in ("probabilities", "weights"))
    own = own_runs_of(config).values()  # these leave no centroids and no weights
    spared = len(own) * (1 + stored) - sum("probabilities" in entry for entry in own)
    outputs = trained * (4 + stored) - spared + described * 3 + scheduled
    logs = trained + 2 * (described + scheduled)  # with a table of resources each, but for training
    return outputs + logs, outputs


def slurm_faults(site: Mapping) -> Iterator[str]:
    """Yield one line per thing in the site that this Slurm does not have."""
    if shutil.which("sbatch") is None:
        yield (
            "there is no Slurm here (no sbatch on the PATH); log in to the cluster, or run on this "
            "machine with: snakemake --cores N"
        )
        return
    partitions = _partitions()
    for key in ("cpu_partition", "gpu_partition"):
        name = site[key]
        if name is None:
            continue
        if name not in partitions:
            yield f"{SITE}: {key}: no partition is called {name!r}; there are {_listed(partitions)}"
            continue
        limit = partitions[name]["minutes"]
        if site["max_hours"] * 60 > limit:
            yield (
                f"{SITE}: max_hours: is {site['max_hours']}, but partition {name!r} allows "
                f"{limit / 60:.4g} hours; set it to that or less"
            )
    if site["gpu_partition"] in partitions:
        yield from _gpu_faults(site, partitions[site["gpu_partition"]]["gres"])
    yield from _account_faults(site)


def watcher(site: Mapping, settings: Mapping[str, str]) -> str:
    """Return the command that tells how jobs fare; `UserError` where none would.

    squeue is preferred: after a `scancel`, sacct prints `CANCELLED by 0`, for which the plugin
    waits for ever. But squeue forgets a job MinJobAge seconds after its end, and without accounts
    sacct knows nothing.
    """
    remembered = re.match(r"\d+", settings.get("MinJobAge", "300"))  # such as 300 sec
    age = int(remembered[0] if remembered else 0) or float("inf")  # 0: never
    accounts = keeps_accounts(settings)
    if site["status"] == "sacct" and not accounts:
        raise UserError(f"{SITE}: status: is sacct, but this Slurm keeps no accounts; use auto")
    if site["status"] == "sacct" and shutil.which("sacct") is None:
        raise UserError(f"{SITE}: status: is sacct, but there is no such command here; use auto")
    if site["status"] == "sacct" or (site["status"] == "auto" and age < SQUEUE_REMEMBERS):
        if accounts:
            return "sacct"
        raise UserError(
            f"this Slurm keeps no accounts and forgets a job {age} s after its end (MinJobAge), so "
            f"none can be watched; ask its administrators for MinJobAge={SQUEUE_REMEMBERS} or more"
        )
    return "squeue"


def keeps_accounts(settings: Mapping[str, str]) -> bool:
    """Return whether Slurm writes accounts, which sacct reads and which know who may use what."""
    return settings.get("AccountingStorageType", "").removeprefix("accounting_storage/") not in (
        *("none", "(null)", ""),
    )


def slurm_settings() -> dict[str, str]:
    """Return Slurm's configuration as `scontrol show config` prints it."""
    pairs = (line.partition("=") for line in _ask("scontrol", "show", "config").splitlines())
    return {key.strip(): value.strip() for key, equals, value in pairs if equals}


def _partitions() -> dict[str, dict]:
    found: dict[str, dict] = {}
    for line in _ask("sinfo", "--noheader", "--all", "--format=%R|%l|%G").splitlines():
        name, limit, gres = line.split("|", 2)
        partition = found.setdefault(name.strip(), {"minutes": _minutes_of(limit), "gres": ""})
        partition["gres"] += f",{gres.strip()}"
    return found


def _gpu_faults(site: Mapping, gres: str) -> Iterator[str]:
    kinds = [piece.split("(")[0].split(":") for piece in gres.split(",") if piece]
    types = {kind[1] for kind in kinds if kind[0] == "gpu" and len(kind) == 3}
    if not any(kind[0] == "gpu" for kind in kinds):
        yield (
            f"{SITE}: gpu_partition: {site['gpu_partition']!r} has no GPU; name one that has, or null to "
            "train on the CPU partition"
        )
    elif site["gpu_type"] and site["gpu_type"] not in types:
        has = _listed(types) if types else "GPUs without a type; write null"
        yield f"{SITE}: gpu_type: no GPU of {site['gpu_partition']!r} is a {site['gpu_type']!r}; it has {has}"


def _account_faults(site: Mapping) -> Iterator[str]:
    named = {key: site[key] for key in ("account", "gpu_account") if site[key] is not None}
    if not named:
        return
    if not keeps_accounts(slurm_settings()):
        for key, account in named.items():
            yield f"{SITE}: {key}: is {account!r}, but this Slurm keeps no accounts; write null"
        return
    query = ("show", "assoc", f"user={getpass.getuser()}", "format=account")
    try:
        own = set(_ask("sacctmgr", "--noheader", "--parsable2", *query).split())
    except UserError as error:  # no reason to hold jobs back: sbatch refuses what is wrong
        print(f"warning: {SITE}: account: is not checked ({error})", file=sys.stderr)
        return
    for key, account in named.items():
        if account.lower() not in own:
            yield f"{SITE}: {key}: you have none called {account!r}; yours are {_listed(own)}"


def _minutes_of(limit: str) -> float:
    """Return Slurm's `days-hours:minutes:seconds`, `minutes:seconds` or `infinite` in minutes."""
    limit = limit.strip()
    if not re.fullmatch(r"[\d:-]+", limit):
        return float("inf")
    days, _, clock = limit.rpartition("-")
    parts = [int(part) for part in clock.split(":")]
    parts = [*parts, 0, 0][:3] if days else [0] * (3 - len(parts)) + parts
    return int(days or 0) * 1440 + parts[0] * 60 + parts[1] + parts[2] / 60


def _listed(names: Iterable[str]) -> str:
    return listed(sorted(names)) or "none"


def _ask(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"Slurm does not answer: {command[0]} ({error})") from error
    if done.returncode:
        reason = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise UserError(f"Slurm does not answer: {command[0]} ({reason})")
    return done.stdout
