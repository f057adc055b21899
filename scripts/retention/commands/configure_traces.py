"""Write the configuration of a study of traces that were recorded elsewhere.

    python scripts/configure_traces.py traces/*_?.parquet --index traces/index.parquet --study mine --output mine.yaml
    snakemake --configfile config.yaml mine.yaml --cores 2

Which run a file is of stands in it: TraceRecorder and import_traces.py write what they are told.
"""

import argparse
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path

import pyarrow.parquet as pq
import yaml

from retention.common.errors import UserError
from retention.common.escapes import escaped
from retention.common.faults import schema_faults
from retention.common.files import write_text
from retention.common.lists import listed, plural
from retention.common.parquet_tables import read_metadata
from retention.common.schemas import read_schema
from retention.common.treatment_names import RANDOM
from retention.data.adapters.index import has_images, read_table
from retention.data.official import part_of
from retention.workflow.trace_files import unclosed

NAMES = ("dataset", "architecture", "seed")
NAMED = ("dataset", "architecture", "treatment")
NO_FOLDER = re.compile(
    r"[/{}\x00-\x1f\x7f]"
)  # what `name` in the schema of the configuration refuses


def main(argv: Sequence[str] | None = None) -> None:
    """Write the configuration, and print how to go on."""
    arguments = parser().parse_args(argv)
    given = {name: getattr(arguments, name) for name in ("dataset", "architecture", "treatment")}
    recorded = [_run_of(path, given) for path in arguments.traces]
    runs = [_as_folders(run) for run in recorded]
    _require_once(runs)
    _require_one_data_set(runs)
    _require_trained(arguments.index)
    if arguments.folder and not arguments.folder.is_dir():
        raise UserError(f"--folder: {arguments.folder} is not a folder; it should hold the images")
    if faults := schema_faults(arguments.study, read_schema("config")["properties"]["study"]):
        raise UserError(f"--study: {faults[0]}")
    _require_names(runs)
    renamed = _renamed(recorded, runs)
    dataset = {"adapter": "index", "table": str(arguments.index)}
    if arguments.folder:
        dataset["folder"] = str(arguments.folder)
    write_text(arguments.output, _written(arguments.study, runs, dataset))
    told = "images" if has_images(dataset) else "no images (--folder)"
    print(f"{arguments.output}: {plural(len(runs), 'run')}, {told}")
    if renamed:
        print(
            f"note: names become folders, so the study calls {listed(renamed)}; change them there as you like"
        )
    if absent := _absent(runs):
        print(
            f"note: no traces are of {listed(absent)}; record these, or shorten architectures, treatments or seeds there"
        )
    print(f"next: snakemake --configfile config.yaml {arguments.output} --cores 2")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("traces", type=Path, nargs="+", help="a file per run")
    parser.add_argument(
        "--index", type=Path, required=True, help="of their samples, .parquet or .csv"
    )
    parser.add_argument("--folder", type=Path, help="where the images are, if there are any")
    parser.add_argument("--study", required=True, help="its name, the folder of its results")
    parser.add_argument("--output", type=Path, required=True, help="the configuration, .yaml")
    for name in ("dataset", "architecture", "treatment"):
        parser.add_argument(f"--{name}", help="of all the runs, if the traces do not say it")
    return parser


def _run_of(path: Path, given: Mapping[str, str | None]) -> dict:
    """Return the entry of `own_runs` for a file; raise `UserError` where it does not say which run it is of."""
    if fault := unclosed(path):
        raise UserError(f"{path}: {fault}")
    said = {name: text for name, text in given.items() if text} | read_metadata(path)
    if lacking := [name for name in NAMES if name not in said]:
        options = listed(f"--{name}" for name in lacking if name != "seed")
        remedy = f", or give {options}" if options else ""
        raise UserError(
            f"{path}: does not say {listed(lacking)} of its run; tell TraceRecorder or import_traces.py{remedy}"
        )
    if not said["seed"].isdecimal():
        raise UserError(f"{path}: its seed is {said['seed']!r}; expected a whole number from 0")
    if "epoch" not in pq.read_schema(path).names:
        raise UserError(f"{path}: holds no traces (no column epoch); name files of traces alone")
    entry = {name: said[name] for name in ("dataset", "architecture")}
    if said.get("treatment", RANDOM) != RANDOM:
        entry["treatment"] = said["treatment"]
    return entry | {"seed": int(said["seed"]), "traces": str(path)}


def _as_folders(run: Mapping) -> dict:
    """Return a run with names that folders can have: a hub's `google/vit` as `google_vit`."""
    return dict(run) | {key: NO_FOLDER.sub("_", run[key]) for key in NAMED if key in run}


def _renamed(recorded: Iterable[Mapping], runs: Iterable[Mapping]) -> list[str]:
    """Return which names were changed to what, each once; raise `UserError` where two would become one."""
    before: dict[tuple[str, str], list[str]] = {}
    for one, other in zip(recorded, runs, strict=True):
        for key in NAMED:
            names = before.setdefault((key, other.get(key, RANDOM)), [])
            if (name := one.get(key, RANDOM)) not in names:
                names.append(name)
    for (key, after), names in before.items():
        if len(names) > 1:
            raise UserError(
                f"{' and '.join(map(escaped, names))} would both be {after}, as names of {key}s become folders; write a "
                "configuration of each, and name one otherwise there"
            )
    return [f"{names[0]} {after}" for (_, after), names in before.items() if names[0] != after]


def _require_trained(index: Path) -> None:
    """Raise `UserError` for an index that is none, or in which nothing is trained on."""
    splits = list(read_table(index)["split"].astype(str).unique())
    if not any(part_of(split) == "train" for split in splits):
        raise UserError(
            f"{index}: no sample is of the split train, it has {listed(splits)}; call the samples that were trained on train, "
            "in TraceRecorder's splits, too"
        )


def _require_names(runs: Iterable[Mapping]) -> None:
    """Raise `UserError` for a name that no folder of results can have."""
    schema = read_schema("config")["$defs"]["name"]
    for run in runs:
        for key in NAMED:
            if faults := schema_faults(run.get(key, RANDOM), schema):
                raise UserError(f"{run['traces']}: its {key} {faults[0]}")


def _require_once(runs: Iterable[Mapping]) -> None:
    files: dict[tuple, list[str]] = {}
    for run in runs:
        files.setdefault(_name(run), []).append(run["traces"])
    for name, paths in files.items():
        if len(paths) > 1:
            raise UserError(
                f"{listed(paths)}: say that they are of one run ({', '.join(map(str, name[1:]))}); name one of them, or "
                "record seeds that differ"
            )


def _require_one_data_set(runs: Iterable[Mapping]) -> None:
    names = sorted({run["dataset"] for run in runs})
    if len(names) > 1:
        raise UserError(
            f"the traces are of several data sets ({listed(names)}), and --index is of one; write a configuration for each"
        )


def _name(run: Mapping) -> tuple[str, str, str, int]:
    return run["dataset"], run["architecture"], run.get("treatment", RANDOM), run["seed"]


def _absent(runs: Sequence[Mapping]) -> list[str]:
    """Return the runs that the lists of the configuration imply, and that no file is of."""
    there = {_name(run) for run in runs}
    parts = [list(dict.fromkeys(column)) for column in zip(*there, strict=True)]
    absent = sorted(one for one in product(*parts) if one not in there)
    return [
        f"{architecture}, {treatment}, seed {seed}" for _, architecture, treatment, seed in absent
    ]


def _written(study: str, runs: Sequence[Mapping], dataset: Mapping) -> str:
    """Return the configuration as YAML."""
    treatments = list(dict.fromkeys([RANDOM, *(run.get("treatment", RANDOM) for run in runs)]))
    others = {name: {"sampler": "elsewhere"} for name in treatments if name != RANDOM}
    name = runs[0]["dataset"]
    parts = {
        "study": study,
        "datasets": [name],
        "architectures": list(dict.fromkeys(run["architecture"] for run in runs)),
        "seeds": sorted({run["seed"] for run in runs}),
        "treatments": treatments,
    }
    said = [_yaml(parts, flow=None), "own_runs:\n"]
    said += [f"  - {_yaml(dict(run), flow=True)}" for run in runs]
    said.append(_yaml({"dataset_definitions": {name: dict(dataset)}}, flow=None))
    if others:
        said.append(_yaml({"treatment_definitions": others}, flow=None))
    return "".join(said)


def _yaml(content: Mapping, flow: bool | None) -> str:
    return yaml.safe_dump(
        dict(content), sort_keys=False, allow_unicode=True, default_flow_style=flow, width=10_000
    )
