"""The project's image, built as docs/software.md says, on a base made here.

No image registry is asked: the base that the Containerfile names is bootstrapped from Debian's
packages under the same name, and `--pull=never` holds the build to it.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

from apptainer import debian_mirror
from debian import apt_install
from software import wheelhouse
from sources import ROOT

CONTAINERFILE = ROOT / "containers/Containerfile"
QUICK = "-comp zstd -Xcompression-level 1"  # the tests' image is thrown away: speed before size


class Builder:
    """buildah with a storage of its own under `folder`, which `close` deletes."""

    def __init__(self, folder: Path):
        apt_install("buildah", "runc", "debootstrap", "squashfs-tools")
        self.folder = folder

    def bootstrap_base(self) -> None:
        """Make the base image that the Containerfile names."""
        name = re.search(r"^ARG BASE=(\S+)$", CONTAINERFILE.read_text(), re.MULTILINE)[1]
        suite = re.search(r"debian:([a-z]+)", name)[1]
        container = self.buildah("from", "scratch").strip()
        root = self.buildah("mount", container).strip()
        bootstrap = ["debootstrap", "--variant=minbase", suite, root, debian_mirror()]
        subprocess.run(bootstrap, check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(f"{root}/var/cache/apt/archives")
        self.buildah("umount", container)
        self.buildah("commit", "--quiet", "--rm", container, name)

    def build(self, layout: Path) -> dict:
        """Build the project's definition into an OCI layout; return the image's configuration."""
        self.buildah(
            *("build", "--pull=never", "--network=host", "--ulimit", "nofile=1024:1024"),
            *("--volume", f"{wheelhouse()}:/wheels:ro"),
            *("--build-arg", "PIP_OPTIONS=--no-index --find-links /wheels"),
            *("--tag", f"oci:{layout}", "--file", str(CONTAINERFILE), str(ROOT)),
        )
        blobs = layout / "blobs/sha256"
        manifest = json.loads((layout / "index.json").read_text())["manifests"][0]
        config = json.loads((blobs / _name(manifest)).read_text())["config"]
        return json.loads((blobs / _name(config)).read_text())["config"]

    def buildah(self, *arguments: str) -> str:
        storage = ["--root", f"{self.folder}/storage", "--runroot", f"{self.folder}/run"]
        done = subprocess.run(
            ["buildah", *storage, *arguments],
            env={**os.environ, "BUILDAH_ISOLATION": "chroot"},
            text=True,
            capture_output=True,
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def close(self) -> None:
        """Delete what buildah stores; closing twice does no harm."""
        if self.folder.exists():
            self.buildah("umount", "--all")
            shutil.rmtree(self.folder)


def write_sif(source: str, target: Path, environment: dict[str, str]) -> None:
    """Turn an image (`oci:folder`) or a folder into a .sif with a real Apptainer."""
    command = ["apptainer", "build", "--disable-cache", "--mksquashfs-args", QUICK, target, source]
    done = subprocess.run(
        command,
        env={**os.environ, **environment, "APPTAINER_TMPDIR": str(target.parent)},
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def _name(descriptor: dict) -> str:
    return descriptor["digest"].removeprefix("sha256:")
