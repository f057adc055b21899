"""Take the traces of a training of your own into a study, as those of one of its runs.

    python scripts/take_traces.py --traces traces/swin_0.parquet --index results/mine/photos/index.parquet …

What was recorded stays as it is; samples are numbered as the study numbers them. Other samples, splits or labels are refused.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from retention.commands._own import add_own, read_own
from retention.common.csv_tables import write_csv
from retention.common.digests import digest_file
from retention.common.lists import plural
from retention.common.measured import MEASURED
from retention.common.parquet_tables import read_metadata
from retention.common.yaml_files import write_yaml
from retention.recorder.placing import write_placed
from retention.recorder.run_facts import epochs_of, facts_of
from retention.sampling.treatments import complete_treatment

NAMES = {"study": str, "dataset": str, "architecture": str, "treatment": str, "seed": int}


def main(argv: Sequence[str] | None = None) -> None:
    """Write the run that the command line asks for."""
    arguments = parser().parse_args(argv)
    names = {name: getattr(arguments, name) for name in NAMES}
    found = read_own(arguments)
    traces, samples = found.traces, found.samples
    metadata = {name: str(value) for name, value in names.items()}
    write_placed(arguments.traces, arguments.output, traces.keys, samples, metadata)
    losses = _train_loss(arguments.output)
    epochs = epochs_of(traces.epochs, traces.correct, samples, losses)
    write_csv(arguments.epochs, epochs)
    write_yaml(arguments.run, names | _told(arguments) | facts_of(epochs, samples))
    print(
        f"{arguments.traces}: {plural(len(samples), 'sample')}, {plural(len(epochs), 'epoch')} from {traces.epochs[0]} on, "
        f"accuracy {epochs['train_accuracy'].iloc[-1]:.3f} on the training samples at the end"
    )


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_own(parser)
    for name, kind in NAMES.items():
        parser.add_argument(f"--{name}", type=kind, required=True, help="of the run in the study")
    parser.add_argument(
        "--treatment-definition", type=json.loads, default={}, metavar="JSON", help="its sampler"
    )
    parser.add_argument(
        "--pretrained",
        choices=("true", "false"),
        help="whether it began with weights from elsewhere",
    )
    parser.add_argument("--output", type=Path, required=True, help="traces.parquet")
    parser.add_argument("--epochs", type=Path, required=True, help="epochs.csv")
    parser.add_argument("--run", type=Path, required=True, help="run.yaml")
    return parser


def _train_loss(path: Path) -> np.ndarray | None:
    """Return the mean loss of the training samples at each epoch, float [E], of traces with a row group per epoch."""
    if "loss" not in pq.read_schema(path).names:
        return None
    file = pq.ParquetFile(path)
    tables = (
        file.read_row_group(n, columns=["split", "loss"]).to_pandas()
        for n in range(file.num_row_groups)
    )
    means = [table.loc[table["split"] == "train", "loss"].mean() for table in tables]
    return np.array(means, dtype=float)


def _told(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what run.yaml tells of where a run comes from."""
    known: Mapping[str | None, bool | None] = {"true": True, "false": False, None: None}
    return {
        "own_traces": {"file": str(arguments.traces), "sha256": digest_file(arguments.traces)},
        "treatment_definition": complete_treatment(arguments.treatment_definition),
        "pretrained": known[arguments.pretrained],
        **{key: said for key, said in read_metadata(arguments.traces).items() if key == MEASURED},
    }
