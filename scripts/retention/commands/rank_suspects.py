"""Rank samples by how probably their label is wrong: what a second reader should look at first.

    python scripts/rank_suspects.py --samples runs/*/samples.parquet --traces runs/*/traces.parquet --output suspects.csv

Lists name the files of the same runs in the same order. Without --traces and --probabilities no other label is suggested.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from retention.commands._kinds import INDEX, SAMPLES, TRACES, parquet_file
from retention.common.added_options import add_added
from retention.common.csv_tables import read_csv, write_csv
from retention.common.errors import UserError
from retention.common.lists import listed, plural
from retention.common.treatment_names import RANDOM
from retention.pages.sheet import Sheet, read_sheet
from retention.reporting.class_composition import composition, told_composition
from retention.runs.reading import identity_of
from retention.suspects.guards import accuracies, by_heart, told_guards
from retention.suspects.ranking import STATISTICS, ended_at_guessing, suspects, without_score
from retention.suspects.said import RunSaid, said_of, suggestions

KEY = "suspects"
AGREEMENT = "k of n (runs_in_worst_share of runs) is how many runs agree; it is no probability that a label is wrong"


def main(argv: Sequence[str] | None = None) -> None:
    """Write the rankings that the command line asks for, and print how they begin."""
    arguments = parser().parse_args(argv)
    probabilities = _probabilities(arguments.samples, arguments.probabilities)
    sheet = read_sheet(arguments.samples, arguments.index, arguments.traces, statistics=STATISTICS)
    said = said_of(sheet, probabilities)
    duplicates = arguments.duplicates and read_csv(arguments.duplicates)
    options = arguments.suspects
    suggested = suggestions(sheet.samples, said, by_heart(accuracies(sheet), options))
    training, held_out = suspects(sheet, suggested, options, duplicates)
    write_csv(arguments.output, training)
    if arguments.held_out:
        write_csv(arguments.held_out, held_out)
    if arguments.classes:
        write_csv(arguments.classes, _classes(training, held_out, options["first"]))
    for line in _told(arguments, sheet, said, training, held_out):
        print(line)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--samples",
        type=parquet_file(SAMPLES),
        nargs="+",
        required=True,
        help="samples.parquet of runs of random",
    )
    parser.add_argument(
        "--traces",
        type=parquet_file(TRACES),
        nargs="+",
        default=[],
        help="traces.parquet of the same runs",
    )
    parser.add_argument(
        "--probabilities",
        type=Path,
        nargs="+",
        default=[],
        help="probabilities.npy of the same runs",
    )
    parser.add_argument(
        "--index", type=parquet_file(INDEX), help="index.parquet, which has the paths of images"
    )
    parser.add_argument("--duplicates", type=Path, help="duplicates.csv of the data set")
    add_added(parser, KEY)
    parser.add_argument(
        "--output", type=Path, required=True, help="CSV, training samples, worst first"
    )
    parser.add_argument(
        "--held-out", type=Path, help="CSV, held-out samples, a ranking of their own"
    )
    parser.add_argument("--classes", type=Path, help="CSV, which classes the first samples are of")
    return parser


def _probabilities(samples: Sequence[Path], paths: Sequence[Path]) -> dict[tuple[str, int], Path]:
    """Return the files of probabilities by run; raise `UserError` for runs of another treatment than random."""
    if paths and len(paths) != len(samples):
        raise UserError(
            f"--probabilities: {len(paths)} files, --samples: {len(samples)}; expected one of each per run, in one order"
        )
    names = []
    for path in samples:
        identity = identity_of(path)
        if (treatment := identity.get("treatment", RANDOM)) != RANDOM:
            raise UserError(
                f"{path}: is of the treatment {treatment}; suspects are ranked from runs of {RANDOM}, which show every "
                "sample equally often; leave it out"
            )
        names.append((identity["architecture"], int(identity["seed"])))
    return dict(zip(names, paths, strict=False))


def _classes(training: pd.DataFrame, held_out: pd.DataFrame, first: int) -> pd.DataFrame:
    parts = {"training": training, "held-out": held_out}
    tables = [composition(table, first).assign(ranking=name) for name, table in parts.items()]
    found = pd.concat(tables, ignore_index=True)
    return found[["ranking", *found.columns.drop("ranking")]]


def _told(
    arguments: argparse.Namespace,
    sheet: Sheet,
    said: Sequence[RunSaid],
    training: pd.DataFrame,
    held_out: pd.DataFrame,
) -> Iterator[str]:
    options = arguments.suspects
    of = f"{plural(len(sheet.runs), 'run')} of {plural(len(sheet.architectures), 'architecture')}"
    how = f"worst first by {options['score']}"
    if training["score"].isna().all():
        how = f"in no order, as none has {options['score']}"
    yield f"{arguments.output}: {plural(len(training), 'training sample')}, {how} over {of}"
    if arguments.held_out:
        yield f"{arguments.held_out}: {plural(len(held_out), 'held-out sample')}, ranked apart"
    for table, what in ((training, "training"), (held_out, "held-out")):
        if what == "training" or arguments.held_out:
            yield from told_composition(table, options["first"], what)
    yield f"{AGREEMENT}; the worst share is {options['worst_share']:.3g} of the samples of each run"
    yield from (f"note: {line}" for line in _notes(sheet, said, options, training))


def _notes(
    sheet: Sheet, said: Sequence[RunSaid], options: Mapping, training: pd.DataFrame
) -> Iterator[str]:
    if training.empty:
        yield "there is no training sample; the ranking of the held-out samples has all"
    if lacking := without_score(sheet, options["score"]):
        yield f"without {options['score']}, so left out of the ranking: {listed(lacking, '; ')}"
    if guessing := ended_at_guessing(sheet):
        yield (
            f"no more right at the end than the largest class has: {listed(guessing, '; ')}; what such a run says of labels "
            "is little, and it counts all the same: leave it out of --samples, or train it again"
        )
    unscored = int(training["score"].isna().sum())
    if unscored:
        yield f"{plural(unscored, 'training sample')} without a score in any run, ranked last"
    if len(sheet.runs) == 1:
        yield "one run: whether another would rank the same samples first is not known"
    if sheet.samples["label"].nunique() == 1:
        yield "one class: no sample can be taken for another"
    yield from told_guards(accuracies(sheet), options)
    if all(run.predicted is None and run.stored is None for run in said):
        yield "neither --traces with predicted nor --probabilities: no other label is suggested"
