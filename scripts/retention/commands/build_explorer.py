"""Build explorer.html: every sample of a data set to plot, filter, search and download, in one file without a network.

    python scripts/build_explorer.py --samples runs/*/samples.parquet --traces runs/*/traces.parquet --output explorer.html

Without --traces it shows no histories, without --cache no thumbnails, without --suspects nothing to review.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from retention.commands._look import add_look, look_from
from retention.commands._shown import add_shown, lacking, suspected_from
from retention.common.errors import UserError
from retention.common.files import write_text
from retention.common.lists import plural
from retention.data.thumbnails import thumbnails_of
from retention.pages.explorer import explorer_page, known_statistics
from retention.pages.sheet import read_sheet
from retention.pages.thinning import AT_MOST


def main(argv: Sequence[str] | None = None) -> None:
    """Build the page that the command line describes."""
    arguments = _parser().parse_args(argv)
    if arguments.at_most < 1:
        raise UserError(f"--at-most: is {arguments.at_most}, expected at least 1")
    statistics = list(known_statistics())
    sheet = read_sheet(arguments.samples, arguments.index, arguments.traces, statistics)
    thumbnails = thumbnails_of(arguments.cache)
    look = look_from(arguments, sheet.architectures)
    if len(sheet) > arguments.at_most:
        print(
            f"{arguments.output}: shows {arguments.at_most:,} of {len(sheet):,} samples, every split, class and "
            "status in its share; --at-most shows more"
        )
    suspected = suspected_from(arguments, sheet)
    page = explorer_page(sheet, look, thumbnails, arguments.at_most, suspected)
    write_text(arguments.output, page)
    shown, runs = min(len(sheet), arguments.at_most), plural(len(sheet.runs), "run")
    print(f"{arguments.output}: {plural(shown, 'sample')} of {runs}{lacking(arguments, sheet)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_shown(parser)
    add_look(parser)
    parser.add_argument(
        "--at-most",
        type=int,
        default=AT_MOST,
        help=f"samples that the page shows; {AT_MOST} if left out",
    )
    parser.add_argument("--output", type=Path, required=True, help="explorer.html")
    return parser
