"""Describe what happened to each sample of a run: forgetting events, hazard, decay constants.

Works on any traces: the columns `sample_index` or `sample_id`, `epoch` and `correct` are enough.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from retention.common.csv_tables import write_csv
from retention.common.errors import UserError
from retention.common.lists import plural
from retention.common.options import add_options, allowed_values
from retention.common.parquet_tables import read_parquet, write_parquet
from retention.common.parts import load_part
from retention.common.randomness import generator
from retention.common.schemas import read_schema
from retention.dynamics.description import confusions, describe, epoch_counts
from retention.dynamics.labels import with_index
from retention.dynamics.points import needs_of
from retention.dynamics.split_half import chances
from retention.dynamics.trace_table import Traces, read_traces

IDENTITY = {"study": str, "dataset": str, "architecture": str, "treatment": str, "seed": int}


def main(argv: Sequence[str] | None = None) -> None:
    arguments = parser().parse_args(argv)
    if arguments.confusions and not arguments.index:
        raise UserError("--confusions: needs the labels of --index")
    if arguments.output.suffix != ".parquet":
        raise UserError(f"--output: {arguments.output} is written as Parquet; end it in .parquet")
    definition = defined(arguments.definition)
    fits, shuffles = arguments.dynamics["fits"], arguments.dynamics["shuffles"]
    fitted = [fit["retention"] for fit in fits] + ([definition.trace] if definition else [])
    traces = read_traces(arguments.traces, {name for trace in fitted for name in needs_of(trace)})
    labels = pd.DataFrame(index=traces.keys.index)
    if arguments.index:
        _require_same_names(traces, arguments.index)
        traces, labels = with_index(traces, arguments.index)
    samples = describe(traces, fits, shuffles)
    notes, by = [], {}
    if arguments.confusions and traces.predicted is None:
        notes.append(
            f"{arguments.traces} lacks the column predicted: what samples were taken for is not known, and "
            f"{arguments.confusions} has no row"
        )
    if definition:
        module = _redescription()
        samples, more = module.redescribed(samples, traces, definition, shuffles)
        notes += more
        by = {"definition": module.as_text(definition)}
    samples = pd.concat([samples, labels], axis=1)
    metadata = identity(arguments, traces.metadata) | {"epochs": str(int(traces.epochs[-1]))}
    metadata |= halves_of(traces, labels, metadata) | by
    write_parquet(arguments.output, samples, metadata)
    if arguments.confusions:
        write_csv(arguments.confusions, _confusions(traces, samples["label"]))
    if arguments.epoch_counts:
        write_csv(arguments.epoch_counts, epoch_counts(traces))
    ever = int((samples["forgetting_events"] > 0).sum())
    print(f"{arguments.output}: {len(samples)} samples, {ever} were ever forgotten")
    for note in notes:
        print(f"note: {note}")


def _require_same_names(traces: Traces, path: Path) -> None:
    """Raise `UserError` where traces and index have numbers and names of samples, and these do not belong together.

    `with_index` joins by number; an index in another order would give every sample the label of another.
    """
    both = ["sample_index", "sample_id"]
    index = read_parquet(path)
    if not {*both} <= {*index} & {*traces.keys}:
        return
    names = index.drop_duplicates("sample_index").set_index("sample_index")["sample_id"].astype(str)
    own = traces.keys["sample_id"].astype(str)
    found = traces.keys["sample_index"].map(names)
    wrong = found.notna() & (found != own)
    if wrong.any() and not ("split" in index and index["sample_index"].duplicated().any()):
        first = wrong.idxmax()
        raise UserError(
            f"{path}: numbers {plural(int(wrong.sum()), 'sample')} otherwise than the traces do, the first is "
            f"sample_index {traces.keys['sample_index'][first]}: {found[first]} here, {own[first]} there; take "
            "sample_index out of one of the files, to match by sample_id"
        )


def _confusions(traces: Traces, labels: pd.Series) -> pd.DataFrame:
    if traces.predicted is None:
        return pd.DataFrame(columns=["occasion", "label", "predicted", "count"])
    return confusions(traces, labels.to_numpy())


def defined(text: str) -> Any:
    """Return the `Definition` that an option's JSON says, None where it is ours; raise `UserError`.

    What makes it is loaded by name, and by nothing else: no job of a study depends on it.
    """
    if not text:
        return None
    try:
        given = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(
            f"--definition: {text!r} is no JSON object, such as '{example_of_definition()}' ({error})"
        ) from error
    return _redescription().definition_of(given, "--definition")


def _redescription() -> ModuleType:
    return load_part("retention.dynamics", "redescription")


def example_of_definition() -> str:
    """Return a definition as the option takes it."""
    return json.dumps(read_schema("config")["$defs"]["definition"]["examples"][0])


def help_of_definition() -> str:
    """Return what --help shows of the definition: a line per dimension."""
    lines = [
        "JSON, another definition of decay constants and R², what differs from ours, such as "
        f"'{example_of_definition()}'"
    ]
    for name, schema in read_schema("config")["$defs"]["definition"]["properties"].items():
        levels = ", ".join(allowed_values(schema))
        lines.append(f"  {name}: {levels}; default {schema['default']}; {schema['description']}")
    return "\n".join(lines).replace("%", "%%")


def halves_of(traces: Traces, labels: pd.DataFrame, names: Mapping[str, str]) -> dict[str, str]:
    """Return what the agreement of odd and even epochs is held against, of the training samples, as text."""
    train = (traces.keys["split"] == "train").to_numpy()
    if not train.any():
        return {}
    classes = labels["label"].to_numpy()[train] if "label" in labels else None
    found = chances(traces.correct[train], generator("split_half", *names.values()), classes)
    return {name: f"{value:.6g}" for name, value in found.items()}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=Path, required=True)
    parser.add_argument(
        "--index", type=Path, help="adds label, class_name, group, and split, sample_id if lacking"
    )
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--confusions", type=Path, help="needs --index")
    parser.add_argument("--epoch-counts", type=Path, help="CSV of what happened at each epoch")
    add_options(parser, "--dynamics", "dynamics")
    parser.add_argument("--definition", default="", metavar="JSON", help=help_of_definition())
    for name, kind in IDENTITY.items():
        parser.add_argument(f"--{name}", type=kind, help="of the run, if the traces do not say it")
    return parser


def identity(arguments: argparse.Namespace, metadata: Mapping[str, str]) -> dict[str, str]:
    """Return what names the run: the options, else the metadata of the traces."""
    given = {name: getattr(arguments, name) for name in IDENTITY}
    given = {name: str(value) for name, value in given.items() if value is not None}
    return {name: metadata[name] for name in IDENTITY if name in metadata} | given
