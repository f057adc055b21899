"""`conda` for a machine that reaches no channel: the calls that Snakemake makes, and no others.

py-rattler, a solver and installer of conda packages, stands in for conda's own; it reads the
channels that an environment file names under the folder $CHANNELS (conda calls that
`channel_alias`). The `pip:` section is installed as conda does it, by the environment's own pip.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import rattler
import yaml
from rattler.exceptions import SolverError

VERSION = "25.1.0"


def main(arguments: list[str]) -> None:
    if arguments == ["--version"]:
        print(f"conda {VERSION}")
    elif arguments == ["info", "--json"]:
        prefix = os.environ["CONDA_HOME"]
        print(
            json.dumps({"conda_version": VERSION, "conda_prefix": prefix, "platform": "linux-64"})
        )
    elif arguments[:2] == ["config", "--get"]:
        print(json.dumps({"get": {"channel_priority": "strict"}}))
    elif arguments[:2] == ["env", "create"]:
        options = dict(pairwise(arguments))
        create(Path(options["--file"]), Path(options["--prefix"]))
    elif arguments[0] != "clean":
        raise SystemExit(f"conda: nothing here answers {' '.join(arguments)}")


def create(file: Path, prefix: Path) -> None:
    """Solve an environment file and install what the solver chose into `prefix`."""
    wanted = yaml.safe_load(file.read_text(encoding="utf-8"))
    specs = [entry for entry in wanted["dependencies"] if isinstance(entry, str)]
    channels = [
        rattler.Channel((Path(os.environ["CHANNELS"]) / name).resolve().as_uri())
        for name in wanted["channels"]
    ]
    try:
        asyncio.run(install(channels, specs, prefix))
    except SolverError as error:
        reason = " ".join(str(error).split())
        raise SystemExit(f"conda: {', '.join(specs)} cannot be solved: {reason}") from None
    pins = [
        pin for entry in wanted["dependencies"] if isinstance(entry, dict) for pin in entry["pip"]
    ]
    if pins:
        install_pins(prefix, pins)


async def install(channels, specs: list[str], prefix: Path) -> None:
    records = await rattler.solve(channels, specs, virtual_packages=rattler.VirtualPackage.detect())
    await rattler.install(records, prefix, show_progress=False)


def install_pins(prefix: Path, pins: list[str]) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.write("\n".join(pins) + "\n")
        listed.flush()
        command = [prefix / "bin" / "python", "-m", "pip", "install", "--quiet", "-r", listed.name]
        if code := subprocess.run(command).returncode:
            raise SystemExit(code)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
        code = 0
    except SystemExit as stop:
        code = 1
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the solver's threads at times crash a Python that waits for them
