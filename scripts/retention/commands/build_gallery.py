"""Build a gallery: the most forgotten, never forgotten and never learned samples as pages.

    python scripts/build_gallery.py --samples runs/*.parquet --output gallery

Open index.html of the folder in a browser; no network is needed. With --index there are paths, with --cache pictures, with
--traces each sample's epochs and what it was taken for, with --suspects a page of the labels to review first.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from retention.commands._look import add_look, look_from
from retention.commands._shown import add_shown, lacking, suspected_from
from retention.common.lists import plural
from retention.data.thumbnails import thumbnails_of
from retention.pages.folders import whole_folder
from retention.pages.gallery import FILES, SIDE, write_gallery
from retention.pages.sheet import read_sheet


def main(argv: Sequence[str] | None = None) -> None:
    """Build the gallery that the command line asks for."""
    arguments = parser().parse_args(argv)
    with whole_folder(arguments.output, FILES) as folder:
        sheet = read_sheet(
            arguments.samples, arguments.index, arguments.traces, statistics=["confidence"]
        )
        look = look_from(arguments, sheet.architectures)
        suspected = suspected_from(arguments, sheet)
        thumbnails = thumbnails_of(arguments.cache, SIDE)
        written = write_gallery(sheet, look, thumbnails, folder, suspected)
    print(
        f"{arguments.output / 'index.html'}: {plural(written.pages, 'page')}, "
        f"{plural(written.pictures, 'picture')}{lacking(arguments, sheet)}"
    )


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_shown(parser)
    add_look(parser)
    parser.add_argument("--output", type=Path, required=True, help="a folder, made anew")
    return parser
