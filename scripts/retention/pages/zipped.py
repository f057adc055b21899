"""What a report's zip holds: files at their places below the study's folder, and nothing outside of it."""

import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from retention.common.errors import UserError
from retention.common.escapes import escaped
from retention.common.lists import listed

# As the configuration has it; other signs Windows can not unpack.
STUDY = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.-]+")
DATE = (1980, 1, 1, 0, 0, 0)  # of every file in the zip: equal reports are equal bytes


def require_study(name: str) -> None:
    """Raise `UserError` where a study's name can not be that of the zip's folder."""
    if not STUDY.fullmatch(name):
        raise UserError(
            f"--study: is {escaped(name) or 'empty'}, expected letters, digits, _ . and - alone, not . or ..: "
            "the zip unpacks into a folder of this name"
        )


def placed(results: Path, files: Iterable[Path]) -> dict[str, Path]:
    """Return files, and all that folders hold, by their place below `results`.

    Raises `UserError` for files that are not there, and for one that lies elsewhere.
    """
    files = list(files)
    if lacking := [path for path in files if not path.exists()]:
        raise UserError(
            f"--files: there is no {listed(lacking)}; name what the study's results hold"
        )
    return dict(_placed(results, files))


def text_of(path: Path) -> str:
    """Return the text of a file; raise `UserError` naming it where it can not be read or is none."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is no text in UTF-8; save it as such") from error


def put(target: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Write a file into a zip, with the same date and rights as all others."""
    entry = zipfile.ZipInfo(name, DATE)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    target.writestr(entry, content)


def of_workflow(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of Snakemake's own report, a zip of one folder, by their place in that folder.

    Raises `UserError` where the file is no zip, or one whose files would lie outside of that folder.
    """
    try:
        with zipfile.ZipFile(path) as source:
            for entry in source.infolist():
                inner = PurePosixPath(*PurePosixPath(entry.filename).parts[1:])
                if ".." in inner.parts or inner.is_absolute():
                    raise UserError(
                        f"--workflow: {path} holds {escaped(entry.filename)}, which lies outside of its folder; "
                        "name the zip that `snakemake --report` wrote"
                    )
                if not entry.is_dir():
                    yield str(inner), source.read(entry)
    except (OSError, zipfile.BadZipFile) as error:
        raise UserError(
            f"--workflow: {path} is no zip that can be read; name the one that `snakemake --report` wrote"
        ) from error


def _placed(results: Path, files: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    for path in files:
        if not path.is_relative_to(results) or ".." in path.relative_to(results).parts:
            raise UserError(f"--files: {path} does not lie in {results}, whose report this is")
        inner = (
            [found for found in sorted(path.rglob("*")) if found.is_file()]
            if path.is_dir()
            else [path]
        )
        for found in inner:
            if not found.name.startswith(".snakemake"):
                yield found.relative_to(results).as_posix(), found
