"""Draw a figure: the tables that it reads in, files out.

    python scripts/draw_figure.py seed_stability --finding seed_stability.csv --output seed_stability.png

NAME --help tells what a figure reads.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePath
from types import ModuleType

import pandas as pd

from retention.commands._look import add_look, look_from
from retention.commands._naming import name_first, program_of
from retention.common.csv_tables import read_csv
from retention.common.errors import UserError
from retention.common.lists import listed
from retention.common.multiverse_tables import is_of_multiverse
from retention.common.parquet_tables import read_parquet
from retention.common.parts import load_part, part_names
from retention.measuring.declaration import DatasetFile, Figure, RunFiles, of_finding
from retention.measuring.figures import figure_homes
from retention.measuring.image_cache import ImageCache
from retention.reporting.fonts import use_fonts_for
from retention.reporting.style import NothingEstimable, save, text_figure

TABLES = {".csv": read_csv, ".parquet": read_parquet}


def main(argv: Sequence[str] | None = None) -> None:
    """Draw the figure that the command line names."""
    homes = figure_homes()
    name, options = name_first(argv, "figure", sorted(homes), __doc__)
    declared, module = _load(name, *homes[name])
    arguments = parser_of(declared).parse_args(options)
    tables = {
        option: _images(paths) if isinstance(files, ImageCache) else _read(paths)
        for option, files in declared.reads.items()
        if (paths := getattr(arguments, option)) is not None
    }
    for option in tables:
        _require_finding(declared.reads[option], getattr(arguments, option), tables[option])
    look = look_from(arguments, _architectures(tables.values()))
    use_fonts_for([*_texts(tables.values()), *look.titles.values()])
    try:
        figure = module.draw(**tables, look=look)
    except NothingEstimable as reason:  # no sample was forgotten, say: no user's mistake
        figure = text_figure(str(reason))
    save(figure, arguments.output)


def parser_of(figure: Figure) -> argparse.ArgumentParser:
    """Return the parser of a figure's options, as it is declared."""
    parser = argparse.ArgumentParser(
        prog=program_of(figure.name), description=f"Draw: {figure.title}"
    )
    for option, files in figure.reads.items():
        parser.add_argument(
            f"--{option}",
            type=Path,
            nargs=_many(files),
            metavar=("PIXELS", "LAYOUT") if isinstance(files, ImageCache) else None,
            required=not files.optional,
            help=files.what,
        )
    add_look(parser)
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="pdf, svg, png")
    return parser


def _many(files: RunFiles | DatasetFile) -> int | str | None:
    if isinstance(files, ImageCache):
        return 2
    return "+" if isinstance(files, RunFiles) else None


def _load(name: str, room: str, part: str) -> tuple[Figure, ModuleType]:
    """Return a figure's declaration and the module that draws it."""
    if room == "retention.findings":
        finding = load_part("retention.findings", part).FINDING
        (declared,) = (figure for figure in finding.figures if figure.name == name)
        return of_finding(declared, part), load_part("retention.findings", part, f"draw_{name}")
    return load_part("retention.figures", part).FIGURE, load_part(
        "retention.figures", part, f"draw_{name}"
    )


def _read(paths: Path | list[Path]) -> pd.DataFrame | list[pd.DataFrame]:
    """Read a table, or one per run."""
    if isinstance(paths, list):
        return [_read(path) for path in paths]
    return TABLES[paths.suffix](paths) if paths.suffix in TABLES else paths


def _images(cache: list[Path]) -> Callable[[int], object]:
    """Return what shows a sample's thumbnail, RGB, by its sample_index; cache: pixels.npy and layout.parquet."""
    from retention.data.thumbnails import Thumbnails  # few figures show images

    pixels, layout = cache
    return Thumbnails(pixels, layout).image


def _architectures(tables: Iterable[object]) -> Iterator[str]:
    """Yield the architectures that tables have rows of their own for."""
    for table in tables:
        if isinstance(table, list):
            yield from _architectures(table)
        elif isinstance(table, pd.DataFrame):
            yield from table.get("architecture", pd.Series(dtype=str)).dropna().unique()


def _require_finding(files: RunFiles | DatasetFile, path: Path, table: pd.DataFrame) -> None:
    """Raise `UserError` where a figure reads the table of a finding and is given another one."""
    if not isinstance(files, DatasetFile) or PurePath(files.name).parent.name != "findings":
        return
    name = PurePath(files.name).stem
    if name not in part_names("retention.findings") or not len(table):
        return
    if is_of_multiverse(table.columns):
        raise UserError(
            f"{path}: is a table of the multiverse; give {name}.csv, as measure_finding writes it"
        )
    found = table["finding"].unique() if "finding" in table else [name]
    if name not in found:
        raise UserError(
            f"{path}: is of {listed(found)}; give {name}.csv, as measure_finding writes it"
        )


def _texts(tables: Iterable[object]) -> Iterator[str]:
    """Yield every text in the tables of a figure, which its names are made of."""
    for table in tables:
        if isinstance(table, list):
            yield from _texts(table)
        elif isinstance(table, pd.DataFrame):
            for _, column in table.select_dtypes(["object", "str"]).items():
                yield from column.dropna().unique()
