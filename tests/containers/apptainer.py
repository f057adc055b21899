"""A real Apptainer: the machine's own, else Debian's, which older releases borrow from sid.

Borrowed, it is unpacked beside the C library it was built with and is not installed: nothing of
the machine's own Debian changes.
"""

import os
import shutil
import subprocess
from pathlib import Path

from debian import KEPT, apt_install

BORROWED = ("apptainer", "libc6", "libseccomp2", "libsqlite3-0")
LIBRARIES = Path("usr/lib/x86_64-linux-gnu")


def apptainer_environment() -> dict[str, str]:
    """Return the environment variables under which `apptainer` runs, getting it where it lacks."""
    if shutil.which("apptainer"):
        return {}
    apt_install("patchelf", "squashfs-tools", "uidmap", "ca-certificates")
    root = KEPT / "apptainer"
    if not (root / "complete").exists():
        shutil.rmtree(root, ignore_errors=True)
        _borrow(root)
        (root / "complete").touch()
    path = f"{root / 'usr/bin'}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "APPTAINER_NO_PRIVS": "1"}


def debian_mirror() -> str:
    """Return the address from which apt takes this machine's own packages."""
    query = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI)", "Created-By: Packages"]
    lines = subprocess.run(query, text=True, capture_output=True, check=True).stdout.split("\n")
    mirrors = [line.split()[1] for line in lines if line.startswith("Debian ")]
    return next(uri for uri in mirrors if "security" not in uri)


def _borrow(root: Path) -> None:
    packages = root / "packages"
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (packages / folder).mkdir(parents=True)
    keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
    source = f"deb [signed-by={keys}] {debian_mirror()} sid main\n"
    (packages / "sources.list").write_text(source)
    options = {
        "Dir::Etc::sourcelist": packages / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State": packages / "state",
        "Dir::State::status": "/dev/null",
        "Dir::Cache": packages / "cache",
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in options.items())]
    subprocess.run([*apt, "update"], check=True)
    subprocess.run([*apt, "download", *BORROWED], check=True, cwd=packages)
    for package in packages.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, root], check=True)
    _make_relocatable(root)
    shutil.rmtree(packages)


def _make_relocatable(root: Path) -> None:
    """Let the unpacked programs find their own C library, settings and session folder."""
    libraries = root / LIBRARIES
    for program in (root / "usr/bin/apptainer", libraries / "apptainer/bin/starter"):
        loader = libraries / "ld-linux-x86-64.so.2"
        rpath = ("--force-rpath", "--set-rpath", str(libraries))
        command = ["patchelf", "--set-interpreter", loader, *rpath, program]
        subprocess.run(command, check=True)
    for name in ("etc", "var"):
        (root / "usr" / name).symlink_to(f"../{name}")
        (root / "usr/lib" / name).symlink_to(f"../../{name}")
    (root / "var/lib/apptainer/mnt/session").mkdir(parents=True, exist_ok=True)
