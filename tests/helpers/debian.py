"""What Debian offers to tests that need real software: packages, where root may install them."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

from sources import ROOT

KEPT = ROOT / ".software"  # ignored by git; `make clean-software` deletes it


def reason_to_skip() -> str:
    """Return why these tests cannot run here, "" where they can."""
    if os.geteuid() != 0:
        return "needs root: it installs Debian packages and builds images"
    if not Path("/etc/debian_version").exists() or not shutil.which("apt-get"):
        return "needs Debian: what it builds on comes from Debian's packages"
    return ""


def apt_install(*packages: str) -> None:
    """Install Debian packages that are not there yet, one process at a time."""
    KEPT.mkdir(exist_ok=True)
    # No init system may start a daemon: the tests do.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    apt = ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
    with open(KEPT / "apt.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = [name for name in packages if not _installed(name)]
        if missing:
            subprocess.run([*apt, "update"], check=True)
            install = [*apt, "install", "--yes", "--no-install-recommends", *missing]
            subprocess.run(install, check=True, env=environment, stdout=subprocess.DEVNULL)


def _installed(package: str) -> bool:
    query = ("dpkg-query", "--show", "--showformat=${db:Status-Status}", package)
    return subprocess.run(query, text=True, capture_output=True).stdout == "installed"
