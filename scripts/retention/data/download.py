"""Files of a data set: fetched once, resumed where a connection broke, checked before they are used."""

import hashlib
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import requests
import yaml
from requests.adapters import HTTPAdapter
from tqdm import tqdm
from urllib3.util import Retry

from retention.common.errors import UserError
from retention.common.yaml_files import write_yaml
from retention.data.archives import unpack

MAGIC = {".zip": b"PK\x03\x04", ".tgz": b"\x1f\x8b", ".gz": b"\x1f\x8b"}
BLOCK = 1 << 16  # bytes; what came of a block is lost when the connection breaks
ATTEMPTS = 5  # at each URL; every one goes on where the last one broke
TIMEOUT = (10, 60)  # seconds to connect, seconds without a byte
RECORD = "checksums.yaml"


def fetch_files(files: Mapping[str, Mapping], folder: Path, pause: float = 1.0) -> dict[str, str]:
    """Fetch, verify and unpack the files of a data set; return the sha256 of each by name.

    files: per name `urls` (mirrors, tried in order) and, where published, size (bytes), sha256, md5.
    A file that lies in `folder` already is verified and used without touching the network. The
    sha256 of the first download that could be unpacked is recorded there and held to. pause: seconds
    before the second attempt, doubled at each further one.

    Raises `UserError` when a file cannot be had or is not what was promised.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / RECORD
    known = yaml.safe_load(record.read_text(encoding="utf-8")) if record.exists() else {}
    digests = {}
    for name, source in files.items():
        expected = {**source, "first_sha256": known.get(name)}
        file = folder / name
        if file.exists():
            if fault := fault_of(file, file.suffix, expected):
                advice = f"delete {file.name}, or put the right file in its place"
                raise UserError(f"{file}: {fault}; {advice}")
        else:
            _fetch(file, expected, pause)
        digests[name] = digest_of(file, "sha256")
        unpack(file, folder)  # before it is recorded: a damaged file is no measure for the next
        write_yaml(record, {**known, **digests})
    return digests


def fault_of(file: Path, suffix: str, expected: Mapping) -> str:
    """Say in which way a file is not what is expected, "" when it is.

    expected: size, sha256, md5, first_sha256 (of the first download), each only if known.
    """
    if not file.is_file():
        return "is no regular file"
    size = file.stat().st_size
    with open(file, "rb") as stream:
        start = stream.read(512)
    if not start.startswith(MAGIC.get(suffix, b"")):
        page = start.lstrip()[:1] == b"<"
        return "is a web page, no " + suffix if page else f"is no {suffix} file"
    if size != expected.get("size", size):
        return f"has {size} bytes, expected {expected['size']}"
    for algorithm in ("sha256", "md5"):
        if algorithm in expected and digest_of(file, algorithm) != expected[algorithm]:
            return f"has another {algorithm} than the {expected[algorithm]} expected"
    first = expected.get("first_sha256")
    if first and digest_of(file, "sha256") != first:
        return (
            "differs from the first download, whose sha256 is in "
            f"{RECORD} (if that download was the bad one, delete {RECORD})"
        )
    return ""


def digest_of(file: Path, algorithm: str) -> str:
    """Return a file's digest in hex."""
    with open(file, "rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def _fetch(file: Path, expected: Mapping, pause: float) -> None:
    """Try the mirrors in order; the name of the file appears only when it is verified."""
    part = file.with_name(file.name + ".part")
    faults: list[str] = []
    for url in expected["urls"]:
        if faults and not set(expected) & {"sha256", "md5"}:
            part.unlink(missing_ok=True)  # nothing would show that two mirrors' files differ
        try:
            _download(url, part, expected.get("size"), pause)
        except requests.RequestException as error:
            faults.append(f"{url}: {_in_short(error)}")
            continue
        except OSError as error:
            part.unlink(missing_ok=True)
            raise UserError(f"{file}: cannot be written ({error.strerror or error})") from error
        if not (fault := fault_of(part, file.suffix, expected)):
            part.replace(file)
            return
        part.unlink()
        faults.append(f"{url}: what it sent {fault}")
    raise UserError(
        f"{file.name}: could not be fetched ({'; '.join(faults)}); "
        f"fetch it by hand and put it at {file}"
    )


def _download(url: str, part: Path, size: int | None, pause: float) -> None:
    """Download into `part`, going on where an earlier attempt (or session) ended."""
    with requests.Session() as session:
        retry = Retry(
            connect=0,  # the loop below tries again, for a connection that breaks later too
            read=0,
            status=ATTEMPTS - 1,
            backoff_factor=pause,
            status_forcelist=(429, 500, 502, 503, 504),
            raise_on_status=False,
        )
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry))
        for attempt in range(ATTEMPTS):
            try:
                return _go_on(session, url, part, size)
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                if attempt == ATTEMPTS - 1:
                    raise
                time.sleep(pause * 2**attempt)


def _go_on(session: requests.Session, url: str, part: Path, size: int | None) -> None:
    done = part.stat().st_size if part.exists() else 0
    if done and done == size:
        return
    # identity: a compressed transfer has other byte positions than the file
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
    with session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if done and answer.status_code == requests.codes.requested_range_not_satisfiable:
            part.unlink()
            raise requests.ConnectionError("the server has less than was fetched; starting anew")
        answer.raise_for_status()
        if answer.status_code != requests.codes.partial_content:
            done = 0
        length = answer.headers.get("Content-Length")
        total = done + int(length) if length else size
        _require_space(part, (total or 0) - done)
        with (
            open(part, "ab" if done else "wb") as stream,
            tqdm(total=total, initial=done, unit="B", unit_scale=True, desc=part.stem) as bar,
        ):
            for block in answer.iter_content(BLOCK):
                stream.write(block)
                bar.update(len(block))
        if total and part.stat().st_size < total:
            raise requests.ConnectionError(f"{part.stat().st_size} of {total} bytes came")


def _require_space(part: Path, missing: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if missing > free:
        raise OSError(28, f"{missing} bytes to come, {free} are free")


def _in_short(error: requests.RequestException) -> str:
    answer = getattr(error, "response", None)
    if answer is not None:
        return f"{answer.status_code} {answer.reason}"
    return f"{type(error).__name__}: {str(error).splitlines()[0][:160]}"
