"""Import traces that other code wrote, as one file of traces.

python scripts/import_traces.py cartography_output --format cartography --output traces.parquet --index index.parquet
python scripts/import_traces.py run__stats_dict.pkl --format toneva --output traces.parquet --dataset mnist --architecture cnn --seed 1
python scripts/import_traces.py aum_output --format aum --output traces.parquet
python scripts/import_traces.py logits --format logits --labels labels.csv --output traces.parquet
python scripts/import_traces.py traces/mine.parquet --format recorder --output so_far.parquet
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from retention.common.errors import UserError
from retention.common.notes import collected
from retention.common.parts import load_part, part_names
from retention.importers._imported import write
from retention.recorder.merging import merge
from retention.recorder.parts import SUFFIX

NAMES = {"study": str, "dataset": str, "architecture": str, "treatment": str, "seed": int}
RECORDER = "recorder"


def main(argv: Sequence[str] | None = None) -> None:
    """Write the traces, and print what they hold and what should be known of them."""
    arguments = parser().parse_args(argv)
    for option in ("output", "index"):
        path = getattr(arguments, option)
        if path is not None and path.suffix != ".parquet":
            raise UserError(f"--{option}: {path} is written as Parquet; end it in .parquet")
    if not arguments.source.exists() and arguments.format != RECORDER:
        raise UserError(f"{arguments.source}: there is no such file or folder")
    names = {name: getattr(arguments, name) for name in NAMES}
    if arguments.format == RECORDER:
        _merge(arguments)
        return
    found = load_part("retention.importers", arguments.format).read(
        arguments.source, arguments.labels
    )
    epochs = write(found, arguments.output, arguments.index, names)
    print(
        f"{arguments.output}: {len(found.ids)} samples, {epochs} epochs, the first is {found.first}"
    )
    for note in found.notes:
        print(f"note: {note}")


def _merge(arguments: argparse.Namespace) -> None:
    """Write what a recorder has recorded so far."""
    given = [
        f"--{name}" for name in (*NAMES, "labels", "index") if getattr(arguments, name) is not None
    ]
    if given:
        raise UserError(
            f"--format recorder: a recording says itself what it is of; leave out {', '.join(given)}"
        )
    source = arguments.source
    if source.name.endswith(SUFFIX):
        source = source.with_name(source.name.removesuffix(SUFFIX))
    if source.resolve() == arguments.output.resolve():
        raise UserError(f"--output: is the recording itself, {source}; name another file")
    with collected(str(source)):
        epochs = merge(source, arguments.output)
    print(f"{arguments.output}: {len(epochs)} epochs, the first is {epochs[0]}")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, help="the file or folder that the other code wrote")
    parser.add_argument(
        "--format",
        required=True,
        choices=sorted([*part_names("retention.importers"), RECORDER]),
        help="what wrote it: dataset cartography, Toneva's forgetting, AUM, plain logits, or TraceRecorder, closed or not",
    )
    parser.add_argument("--output", type=Path, required=True, help="the traces, .parquet")
    parser.add_argument(
        "--index", type=Path, help="also write an index of the samples, where the labels are known"
    )
    parser.add_argument(
        "--labels", type=Path, help="of --format logits: .npy, .csv or .parquet with a column label"
    )
    for name, kind in NAMES.items():
        parser.add_argument(f"--{name}", type=kind, help="of the run")
    return parser
