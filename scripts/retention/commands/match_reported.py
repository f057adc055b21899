"""Say which definitions give numbers like the paper's reported ones here.

    python scripts/match_reported.py --multiverse results/mine/*/findings/multiverse.csv --seeds 8
        --output multiverse_matches.csv --summary multiverse_match_summary.csv

The tables are those of measure_multiverse, one of each data set.
"""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from retention.audits.tables import NEEDED, json_map
from retention.commands._reported import add_paper, paper_in, require_positive
from retention.common.csv_tables import write_csv
from retention.common.errors import UserError
from retention.common.lists import listed
from retention.common.multiverse_tables import AT_ONCE
from retention.multiverse.choices import load_choices
from retention.multiverse.grids import NewStudy, read_multiverse
from retention.multiverse.known import shares_by_known
from retention.multiverse.matching import match
from retention.multiverse.options import complete_options
from retention.multiverse.verdicts import paper_of


def main(argv: Sequence[str] | None = None) -> None:
    """Match, write the tables and print a line per number and cell."""
    arguments = parser().parse_args(argv)
    require_positive(arguments, "seeds")
    require_positive(arguments, "averaged_over")
    paper, theirs = paper_in(arguments)
    choices = load_choices()
    names = list(choices.dimensions)
    table = read_multiverse(arguments.multiverse, names)
    _require_tables_of(arguments.comparable, table["dataset"].unique())
    held = paper_of(paper, choices, arguments.comparable)
    matches, summary = match(
        table, held, names, NewStudy(arguments.seeds, theirs, arguments.averaged_over)
    )
    write_csv(arguments.output, matches)
    write_csv(arguments.summary, summary)
    if arguments.shares is not None:
        write_csv(arguments.shares, shares_by_known(table, names, held.known, held.known_text))
    for row in summary.to_dict("records"):
        print(_line(row))


def _require_tables_of(comparable: Mapping, datasets: Sequence[str]) -> None:
    """Raise `UserError` where what is said to be comparable is no data set of the tables: a misspelt name says nothing."""
    if others := [name for name in comparable if name not in datasets]:
        raise UserError(
            f"--comparable: names {listed(others)}, of which --multiverse has no table; it has {listed(datasets)}"
        )


def _line(row: Mapping) -> str:
    """Return a row of the summary in a line."""
    where = "" if row["reported"] == AT_ONCE else f", {row['finding']} {row['statistic']}"
    where += f" of {row['comparison']} on {row['dataset']}" if pd.notna(row["comparison"]) else ""
    if not row["classes"]:
        return f"{row['reported']}{where}: {row['here']} ({row['reason']})"
    counts = f"{row['matches']} of {row['classes']} classes match, {row['undecided']} are too wide to tell"
    if pd.notna(row["base_rate"]):
        counts += (
            f"; were one of them the truth, {row['base_rate']:.1f} would be left on average, it itself "
            f"in {100 * row['truth_kept']:.0f} % of the cases"
        )
    beside = f"; {row['verdict']}: {row['reason']}" if row["verdict"] != row["here"] else ""
    return f"{row['reported']}{where}: {row['here']} ({counts}{beside})"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--multiverse", type=Path, nargs="+", required=True, help="multiverse.csv of the data sets"
    )
    parser.add_argument(
        "--seeds", type=int, required=True, help="runs of each architecture that they are of"
    )
    usual = complete_options({})["averaged_over"]
    parser.add_argument(
        "--averaged-over",
        type=int,
        default=usual,
        help="seeds of each mean where scores are averaged, as multiverse.averaged_over of the tables; %(default)s",
    )
    add_paper(parser, (*NEEDED, "choices"))
    parser.add_argument(
        "--comparable",
        type=partial(json_map, "--comparable"),
        default={},
        help="JSON, data set: true or why not; one that is left out is no data set of the paper",
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="multiverse_matches.csv to write"
    )
    parser.add_argument(
        "--summary", type=Path, required=True, help="multiverse_match_summary.csv to write"
    )
    parser.add_argument(
        "--shares",
        type=Path,
        help="multiverse_shares_known.csv to write: what is left by what is known; not made if left out",
    )
    return parser
