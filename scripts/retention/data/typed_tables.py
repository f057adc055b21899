"""CSV tables that people wrote: read as texts, and what is wrong with one said by its line."""

import codecs
import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from retention.common.errors import UserError
from retention.common.lists import listed, plural

SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def read_typed(file: Path, wanted: Sequence[str]) -> pd.DataFrame:
    """Return the rows of a CSV as texts, by the line of the file in which each ends.

    wanted: columns that it must have. Rows of blanks alone are passed over, and so are columns that are empty in name
    and cells; others without a name are called by blanks. Raises `UserError` for a file that is no CSV in UTF-8, lacks
    a column, has one twice, or has rows of another length than its header.
    """
    lines = _lines(file)
    if not lines:
        raise UserError(f"{file}: is empty; expected a header with the columns {', '.join(wanted)}")
    _, header = lines.pop(0)
    _require_header(file, header, wanted)
    wrong = [(number, cells) for number, cells in lines if len(cells) != len(header)]
    if wrong:
        raise UserError(_of_other_length(file, header, wrong))
    numbers = pd.Index([number for number, _ in lines])
    kept = _filled(header, [cells for _, cells in lines])
    rows = [[cells[place] for place in kept] for _, cells in lines]
    return pd.DataFrame(rows, index=numbers, columns=list(kept.values()), dtype="str")


def _filled(header: list[str], rows: list[list[str]]) -> dict[int, str]:
    """Return the name of each column, by its place: without those that programs add at the end of a sheet, all empty."""
    kept: dict[int, str] = {}
    for place, name in enumerate(header):
        if name.strip():
            kept[place] = name
        elif any(cells[place].strip() for cells in rows):
            kept[place] = " " * sum(not other.strip() for other in kept.values())
    return kept


def _lines(file: Path) -> list[tuple[int, list[str]]]:
    """Return (line, cells) of every row that is not blank."""
    if _is_binary(file):
        raise UserError(f"{file}: is a spreadsheet or another binary file; save it as CSV in UTF-8")
    lines: list[tuple[int, list[str]]] = []
    begun = 1
    try:
        with open(file, encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            for cells in reader:
                begun = reader.line_num + 1
                if any(map(str.strip, cells)):
                    lines.append((reader.line_num, cells))
            return lines
    except UnicodeDecodeError as error:
        raise UserError(f"{file}: is no UTF-8 ({error}); save it as CSV in UTF-8") from error
    except csv.Error as error:
        raise UserError(
            f"{file}, line {begun}: the row that begins here cannot be read as CSV ({error}); close its quotes"
        ) from error


def _is_binary(file: Path) -> bool:
    """Return whether a file begins as no text does, with a zero byte among its first. UTF-16 has them, too."""
    with open(file, "rb") as stream:
        start = stream.read(1024)
    return b"\0" in start and not start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def _require_header(file: Path, header: list[str], wanted: Sequence[str]) -> None:
    names = Counter(name for name in header if name.strip())
    if twice := [name for name, number in names.items() if number > 1]:
        raise UserError(
            f"{file}: the header has {listed(twice)} more than once; name each column once"
        )
    missing = [name for name in wanted if name not in names]
    if not missing:
        return
    for separator, word in SEPARATORS.items():
        if len(header) == 1 and separator in header[0]:
            raise UserError(f"{file}: its columns look separated by {word}; save it with commas")
    raise UserError(
        f"{file}: lacks the column(s) {', '.join(missing)}; its first line has {listed(list(map(repr, header)))}, "
        f"expected a header such as {','.join(wanted)}"
    )


def _of_other_length(file: Path, header: list[str], wrong: list[tuple[int, list[str]]]) -> str:
    """Return a line on rows that have more or fewer fields than the header."""
    number, cells = wrong[0]
    where = f"{file}, line {number}: has {len(cells)} fields, the header {len(header)}"
    more = len(wrong) - 1
    others = f" (so {'has' if more == 1 else 'have'} {plural(more, 'more line')})" if more else ""
    if not any(map(str.strip, cells[len(header) :])) and (extra := len(cells) - len(header)) > 0:
        commas, it = ("comma", "one") if extra == 1 else (f"{extra} commas", "them")
        return (
            f"{where}{others}; take away the {commas} at the end, or end the header with {it}, too"
        )
    if len(cells) > len(header):
        return (
            f"{where}{others}; put fields that hold a comma in double quotes, or name all columns"
        )
    return f"{where}{others}; give every row all fields, empty ones too"
