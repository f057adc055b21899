"""What `--use-conda` and `--sdm apptainer` need, checked before anything starts.

Snakemake finds these faults late, or reports them as a stack of its own commands.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from retention.common.errors import UserError

OLDEST = {"conda": (24, 7, 1), "apptainer": (1, 0, 0), "singularity": (2, 4, 1)}  # Snakemake's own
PAGE = "docs/software.md"
GPU_DRIVER = Path("/dev/nvidiactl")


def prepare(methods: Iterable[str], config: Mapping, root: Path) -> None:
    """Check the chosen way of getting the software and set what Apptainer reads; see below."""
    check_software(methods, config["container"])
    if "apptainer" in methods:
        os.environ.update(container_environment(config, root))


def check_software(methods: Iterable[str], image: str) -> None:
    """Raise `UserError` where the chosen way of getting the software cannot work.

    `methods` are those of `--software-deployment-method`; `image` is the configuration's
    `container`, a path or a URL.
    """
    methods = set(methods)
    if {"conda", "apptainer"} <= methods:
        raise UserError(
            "--sdm conda apptainer: the image holds no conda, and needs none; choose one of the two"
        )
    if "conda" in methods:
        _check_command(
            "conda", "--use-conda", "activate or install it, or leave --use-conda out and use pip"
        )
    if "apptainer" in methods:
        _check_command(
            container_command() or "apptainer", "--sdm apptainer", "load its module or install it"
        )
        if "://" not in image and not Path(image).is_file():
            raise UserError(
                f"container: there is no image {image}; build it, or name another in the configuration ({PAGE})"
            )


def container_command() -> str | None:
    """Return the command that Snakemake will use to run containers, None where there is none."""
    return next((name for name in ("apptainer", "singularity") if shutil.which(name)), None)


def check_image(image: str | Path, checker: Path) -> None:
    """Run `checker` (scripts/check_software.py) in an image; raise `UserError` of what it found."""
    command = container_command() or "apptainer"
    script = ("exec", "--home", str(Path.cwd()), str(image), "python", str(checker))
    done = subprocess.run([command, "--silent", *script], text=True, capture_output=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        if "python" in last and "executable file not found" in last:
            last = "it has no python, so it is no image of this project"
        found = re.sub(r"^(error|FATAL): *", "", last)
        raise UserError(f"container {image}: {found}; build it anew ({PAGE})")


def container_environment(config: Mapping, root: Path) -> dict[str, str]:
    """Return the variables that let a container see the GPU and the folders the study names.

    Apptainer shows a container the working directory and /tmp alone. What the user has set in
    APPTAINER_BIND and APPTAINER_NV stays.
    """
    prefix = (container_command() or "apptainer").upper()
    own = [entry for entry in os.environ.get(f"{prefix}_BIND", "").split(",") if entry]
    folders = {str(folder) for folder in _folders_outside(config, root)}
    variables = {f"{prefix}_BIND": ",".join([*own, *sorted(folders - set(own))])}
    if config["device"] != "cpu" and GPU_DRIVER.exists():
        variables[f"{prefix}_NV"] = os.environ.get(f"{prefix}_NV", "1")
    # Snakemake makes the working directory a job's home; caches and settings do not belong there.
    private = Path(tempfile.gettempdir()) / f"retention-{os.getuid()}"
    for name, folder in (("XDG_CACHE_HOME", "cache"), ("XDG_CONFIG_HOME", "config")):
        variable = f"{prefix}ENV_{name}"
        variables[variable] = os.environ.get(variable, str(private / folder))
    return {name: value for name, value in variables.items() if value}


def _check_command(command: str, option: str, remedy: str) -> None:
    ask = [command, "--version"]
    if f"BASH_FUNC_{command}%%" in os.environ:  # of a module: Snakemake calls it through bash too
        ask = ["bash", "-c", " ".join(ask)]
    elif not shutil.which(command):
        raise UserError(f"{option}: there is no command {command!r}; {remedy} ({PAGE})")
    told = subprocess.run(ask, text=True, capture_output=True).stdout
    version = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", told)
    if version and tuple(int(part or 0) for part in version.groups()) < OLDEST[command]:
        oldest = ".".join(map(str, OLDEST[command]))
        raise UserError(
            f"{option}: {command} is {version[0]}, at least {oldest} is needed; update it ({PAGE})"
        )


def _folders_outside(config: Mapping, root: Path) -> Iterator[Path]:
    """Yield existing folders that lie outside the working directory and hold what a job reads."""
    here = Path.cwd().resolve()
    named = [root, Path("data"), Path("results"), Path("logs")]  # the last three may be links
    for definition in config["dataset_definitions"].values():
        named += [Path(definition[key]) for key in ("folder", "table") if key in definition]
    for definition in config["architecture_definitions"].values():
        if isinstance(definition["weights"], Mapping) and "file" in definition["weights"]:
            named.append(Path(definition["weights"]["file"]))
    for path in named:
        # a link from outside is seen under its own name and under the one it leads to
        for place in {Path(os.path.abspath(path)), path.resolve()} if path.exists() else ():
            folder = place if place.is_dir() else place.parent
            if here not in (folder, *folder.parents):
                yield folder
