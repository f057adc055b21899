"""Count what others count of the same traces: forgetting, correctness, EL2N at one epoch, by their conventions.

    python scripts/describe_conventions.py --traces traces.parquet --output conventions.parquet

The rows are those of samples.parquet of the same traces, with the same keys; docs/samples.md says what each column is.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pyarrow.parquet import read_schema

from retention.common.added_options import add_added
from retention.common.errors import UserError
from retention.common.lists import plural
from retention.common.parquet_tables import read_metadata, write_parquet
from retention.dynamics.conventions import ERROR_NORM, by_conventions, forgetting_events_from_1
from retention.dynamics.events import events
from retention.dynamics.trace_table import read_traces

KEY = "conventions"
IDENTITY = ("study", "dataset", "architecture", "treatment", "seed")


def main(argv: Sequence[str] | None = None) -> None:
    """Write the table that the command line asks for, and print what of it is told."""
    arguments = parser().parse_args(argv)
    if arguments.output.suffix != ".parquet":
        raise UserError(f"--output: {arguments.output} is written as Parquet; end it in .parquet")
    metadata = read_metadata(arguments.traces)  # first: it says where there is no such file
    asked = arguments.conventions["error_norm_at"]
    has_norm = ERROR_NORM in read_schema(arguments.traces).names
    traces = read_traces(arguments.traces, [ERROR_NORM] if asked and has_norm else [])
    table = by_conventions(traces, asked if has_norm else [])
    write_parquet(arguments.output, table, {n: metadata[n] for n in IDENTITY if n in metadata})
    print(f"{arguments.output}: {plural(len(table), 'sample')}, {_first_step(traces.correct)}")
    if asked and not has_norm:
        print(f"note: {arguments.traces} lacks the column {ERROR_NORM}, so no error norm is told")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=Path, required=True)
    add_added(parser, KEY)
    parser.add_argument("--output", type=Path, required=True, help="Parquet, a row per sample")
    return parser


def _first_step(correct: np.ndarray) -> str:
    """Return how many forgetting events there are, and how many of them lie before the second evaluation."""
    all_events, later = int(events(correct)[0].sum()), int(forgetting_events_from_1(correct).sum())
    share = f" ({1 - later / all_events:.0%})".replace("%", " %") if all_events else ""
    told = plural(all_events, "forgetting event")
    return (
        f"{told}, {all_events - later:,} of them{share} between the first evaluation and the second"
    )
