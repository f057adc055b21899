"""A small conda channel made of what this machine has: its Python, and pip as PyPI ships it."""

import asyncio
import hashlib
import io
import json
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import rattler.index

LEFT_OUT = {"site-packages", "dist-packages", "test", "idlelib", "turtledemo", "__pycache__"}
MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
VERSION = f"{MINOR}.{sys.version_info.micro}"


def write_channel(folder: Path) -> None:
    """Write the packages `python` and `pip` under `folder`, and index them."""
    (folder / "noarch").mkdir(parents=True)
    (folder / "linux-64").mkdir()
    _write_package(folder, "python", VERSION, [], _python_files())
    wheel = _download_pip(folder.parent)
    with zipfile.ZipFile(wheel) as content:
        files = {
            f"lib/python{MINOR}/site-packages/{name}": content.read(name)
            for name in content.namelist()
            if not name.endswith("/")
        }
    _write_package(folder, "pip", wheel.name.split("-")[1], [f"python {MINOR}.*"], files.items())
    asyncio.run(rattler.index.index_fs(folder))


def _python_files() -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the interpreter and its standard library, without packages.

    The interpreter finds its library beside itself, so a copy works in any folder.
    """
    base = Path(sys.base_prefix)
    yield f"bin/python{MINOR}", (base / "bin" / f"python{MINOR}").read_bytes()
    for library in (base / "lib").glob("libpython*.so*"):
        yield f"lib/{library.name}", library.read_bytes()
    standard = Path(sysconfig.get_path("stdlib"))
    for path in sorted(standard.rglob("*")):
        inside = path.relative_to(standard)
        unneeded = LEFT_OUT & set(inside.parts[:-1]) or inside.parts[0].startswith("config-")
        if path.is_file() and not unneeded:
            yield f"lib/python{MINOR}/{inside.as_posix()}", path.read_bytes()


def _download_pip(folder: Path) -> Path:
    command = ("pip", "download", "--quiet", "--no-deps", "--dest", str(folder), "pip")
    subprocess.run([sys.executable, "-m", *command], check=True)
    return next(folder.glob("pip-*.whl"))


def _write_package(channel: Path, name: str, version: str, depends: list[str], files) -> None:
    """Write one `.tar.bz2` package in conda's first format."""
    index = {"name": name, "version": version, "build": "0", "build_number": 0}
    index |= {"depends": depends, "subdir": "linux-64", "platform": "linux", "arch": "x86_64"}
    paths = []
    target = channel / "linux-64" / f"{name}-{version}-0.tar.bz2"
    with tarfile.open(target, "w:bz2", compresslevel=1) as archive:
        for path, content in files:
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


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    member.mode = 0o755 if name.startswith("bin/") else 0o644
    archive.addfile(member, io.BytesIO(content))
