"""Archives are fetched once, checked before use and unpacked without leaving their folder."""

import hashlib
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pooch
import requests

from retention.common.errors import UserError

MAGIC = {".zip": b"PK\x03\x04", ".tgz": b"\x1f\x8b"}


def fetch_files(files: Mapping[str, Mapping], folder: Path) -> dict[str, str]:
    """Fetch, verify and unpack the files of a data set; return the sha256 of each.

    A file that already lies in `folder` is verified and used without touching the network.
    """
    folder.mkdir(parents=True, exist_ok=True)
    digests = {}
    for name, source in files.items():
        file = folder / name
        if not file.exists():
            _download(file, source)
        _verify(file, source)
        digests[name] = _digest(file, "sha256")
        unpack(file, folder)
    return digests


def unpack(file: Path, folder: Path) -> None:
    """Unpack a .zip or .tgz into `folder`; refuse members that would leave it, links, devices."""
    if file.suffix == ".tgz":
        try:
            with tarfile.open(file) as archive:
                archive.extractall(folder, filter="data")
        except (tarfile.TarError, EOFError) as error:
            raise UserError(
                f"{file}: cannot be unpacked ({error}); delete it and fetch again"
            ) from error
    elif file.suffix == ".zip":
        try:
            with zipfile.ZipFile(file) as archive:
                for member in archive.infolist():
                    if not (folder / member.filename).resolve().is_relative_to(folder.resolve()):
                        raise UserError(f"{file}: member {member.filename!r} leaves the folder")
                archive.extractall(folder)
        except zipfile.BadZipFile as error:
            raise UserError(
                f"{file}: cannot be unpacked ({error}); delete it and fetch again"
            ) from error


def _download(file: Path, source: Mapping) -> None:
    faults = []
    for url in source["urls"]:
        try:
            pooch.retrieve(url, known_hash=None, fname=file.name, path=file.parent)
            return
        except (requests.RequestException, OSError, ValueError) as error:
            faults.append(f"{url} ({str(error).splitlines()[0][:200]})")
    raise UserError(
        f"{file.name}: could not be fetched from {'; '.join(faults)}; "
        f"fetch it by hand and put it at {file}"
    )


def _verify(file: Path, source: Mapping) -> None:
    magic = MAGIC.get(file.suffix, b"")
    with open(file, "rb") as stream:
        if stream.read(len(magic)) != magic:
            _refuse(file, f"is no {file.suffix} file (perhaps an error page)")
    size = file.stat().st_size
    if size != source.get("size", size):
        _refuse(file, f"has {size} bytes, expected {source['size']}")
    for algorithm in ("sha256", "md5"):
        if algorithm in source and _digest(file, algorithm) != source[algorithm]:
            _refuse(file, f"has another {algorithm} than the {source[algorithm]} expected")


def _refuse(file: Path, fault: str) -> None:
    refused = file.with_name(file.name + ".refused")
    file.replace(refused)
    raise UserError(f"{file}: {fault}; kept as {refused.name}; run again to fetch it anew")


def _digest(file: Path, algorithm: str) -> str:
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()
