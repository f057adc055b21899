"""Archives unpacked whole or not at all, and never outside their folder."""

import lzma
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

from retention.common.errors import UserError

MOST_EXPANSION = 100  # times the archive's size; image archives hardly expand
ALWAYS_ALLOWED = 100 << 20  # bytes
TARS = (".tgz", ".tar", ".tar.gz", ".tar.bz2", ".tar.xz")
BLOCK = 1 << 20  # bytes
Archive = tarfile.TarFile | zipfile.ZipFile
# RuntimeError is zipfile's for an encrypted member
DAMAGED = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
    *(EOFError, ValueError, RuntimeError),
)


def unpack(file: Path, folder: Path) -> None:
    """Unpack a .zip or a (compressed) tar into `folder`; other files are left alone.

    All members are looked at first. Raises `UserError` when one would leave the folder, is a link
    or a device, when they are absurdly large together, or when the archive is damaged anywhere;
    nothing is unpacked then.
    """
    opener: Callable[[Path], Archive]
    if file.suffix == ".zip":
        opener = zipfile.ZipFile
    elif file.name.endswith(TARS):
        opener = tarfile.open
    else:
        return
    staging = Path(tempfile.mkdtemp(dir=folder, prefix=".unpacking-"))
    try:
        with opener(file) as archive:
            _refuse_unsafe(file, archive, staging)
            if isinstance(archive, tarfile.TarFile):
                archive.extractall(staging, filter="data")
                _read_to_end(archive)
            else:
                archive.extractall(staging)
        for entry in staging.iterdir():
            _replace(entry, folder / entry.name)
    except (*DAMAGED, OSError) as error:
        # gzip's and bz2's errors of content are OSErrors too, without a number
        if isinstance(error, OSError) and error.errno is not None:
            reason, advice = str(error.strerror), ""
        else:
            reason = " ".join(str(error).split())
            advice = f"; delete {file} and run again to fetch it anew"
        raise UserError(f"{file}: cannot be unpacked ({reason}){advice}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _read_to_end(archive: tarfile.TarFile) -> None:
    """Read what follows the last member: only there a compressed stream has its checksum."""
    stream = cast(IO[bytes], archive.fileobj)  # open, as the archive is
    while stream.read(BLOCK):
        pass


def _refuse_unsafe(file: Path, archive: Archive, folder: Path) -> None:
    total, root = 0, folder.resolve()
    for name, size, kind in _members(archive):
        if kind != "file or folder":
            raise UserError(f"{file}: member {name!r} is a {kind}; refused, nothing was unpacked")
        if os.path.isabs(name) or not (root / name).resolve().is_relative_to(root):
            raise UserError(f"{file}: member {name!r} leaves the folder; nothing was unpacked")
        total += size
    if total > max(MOST_EXPANSION * file.stat().st_size, ALWAYS_ALLOWED):
        raise UserError(
            f"{file}: would grow from {file.stat().st_size} to {total} bytes; refused, nothing was "
            "unpacked"
        )
    free = shutil.disk_usage(folder).free
    if total > free:
        raise UserError(f"{file}: needs {total} bytes unpacked, {free} are free in {folder.parent}")


def _members(archive: Archive) -> Iterator[tuple[str, int, str]]:
    """Yield (name, size in bytes, kind) of every member."""
    if isinstance(archive, tarfile.TarFile):
        for member in archive:
            kind = "link" if member.issym() or member.islnk() else "device"
            plain = member.isfile() or member.isdir()
            yield member.name, member.size, "file or folder" if plain else kind
        return
    for entry in archive.infolist():
        mode = entry.external_attr >> 16
        special = stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR)
        kind = "link" if stat.S_ISLNK(mode) else "device"
        yield entry.filename, entry.file_size, kind if special else "file or folder"


def _replace(entry: Path, target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    entry.replace(target)
