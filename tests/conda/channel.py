"""A small conda channel made of what this machine has: its Python, and pip as PyPI ships it."""

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

SUBDIRS = ("linux-64", "noarch")
MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
VERSION = f"{MINOR}.{sys.version_info.micro}"


def write_channel(folder: Path) -> None:
    """Write the packages `python` and `pip` and the index of the channel under `folder`."""
    for subdir in SUBDIRS:
        (folder / subdir).mkdir(parents=True)
    records = [_write_package(folder, "python", VERSION, [], _python_files())]
    wheel = _download_pip(folder.parent)
    with zipfile.ZipFile(wheel) as content:
        files = {
            f"lib/python{MINOR}/site-packages/{name}": content.read(name)
            for name in content.namelist()
            if not name.endswith("/")
        }
    version = wheel.name.split("-")[1]
    records.append(_write_package(folder, "pip", version, [f"python {MINOR}.*"], files))
    for subdir in SUBDIRS:
        packages = {record["fn"]: record for record in records if record["subdir"] == subdir}
        index = {"info": {"subdir": subdir}, "packages": packages, "packages.conda": {}}
        (folder / subdir / "repodata.json").write_text(json.dumps(index))


def _python_files() -> dict[str, bytes]:
    """Return what makes a prefix of this machine's interpreter, whoever built it.

    `python -m venv --copies` makes the same: the standard library stays where it is.
    """
    interpreter = Path(sys.executable).resolve()
    settings = f"home = {interpreter.parent}\ninclude-system-site-packages = false\n"
    return {
        "pyvenv.cfg": settings.encode(),
        f"bin/python{MINOR}": interpreter.read_bytes(),
        f"lib/python{MINOR}/site-packages/README.txt": b"Packages of this environment.\n",
    }


def _download_pip(folder: Path) -> Path:
    command = ("pip", "download", "--quiet", "--no-deps", "--dest", str(folder), "pip")
    subprocess.run([sys.executable, "-m", *command], check=True)
    return next(folder.glob("pip-*.whl"))


def _write_package(
    channel: Path, name: str, version: str, depends: list[str], files: dict[str, bytes]
) -> dict:
    """Write one `.tar.bz2` package in conda's first format; return its entry of the index."""
    index = {"name": name, "version": version, "build": "0", "build_number": 0}
    index |= {"depends": depends, "subdir": "linux-64", "platform": "linux", "arch": "x86_64"}
    paths = []
    target = channel / "linux-64" / f"{name}-{version}-0.tar.bz2"
    with tarfile.open(target, "w:bz2", compresslevel=1) as archive:
        for path, content in files.items():
            _add(archive, path, content)
            digest = hashlib.sha256(content).hexdigest()
            entry = {"path_type": "hardlink", "sha256": digest, "size_in_bytes": len(content)}
            paths.append({"_path": path, **entry})
        if name == "python":
            link = tarfile.TarInfo("bin/python")
            link.type, link.linkname = tarfile.SYMTYPE, f"python{MINOR}"
            archive.addfile(link)
            paths.append({"_path": "bin/python", "path_type": "softlink"})
        listed = {"paths": paths, "paths_version": 1}
        _add(archive, "info/index.json", json.dumps(index).encode())
        _add(archive, "info/paths.json", json.dumps(listed).encode())
        _add(archive, "info/files", "\n".join(entry["_path"] for entry in paths).encode())
    whole = target.read_bytes()
    sums = {"md5": hashlib.md5(whole).hexdigest(), "sha256": hashlib.sha256(whole).hexdigest()}
    return {**index, **sums, "size": len(whole), "fn": target.name}


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    member.mode = 0o755 if name.startswith("bin/") else 0o644
    archive.addfile(member, io.BytesIO(content))
