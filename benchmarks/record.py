"""What every benchmark prints last, and the table that only a benchmark itself writes."""

import json
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent


def record(
    name: str,
    settings: Mapping,
    ratios: Mapping[str, float],
    write: bool,
    table: pd.DataFrame | None = None,
) -> None:
    """Print one JSON object; with `write` keep it in results/<name>.json with commit and machine.

    A `table` of what the ratios are made of goes to results/<name>.csv.
    """
    result = {
        "name": name,
        "settings": dict(settings),
        "ratios": {key: round(value, 3) for key, value in ratios.items()},
    }
    if write:
        whole = {**result, "commit": commit(), "machine": machine()}
        (HERE / "results").mkdir(exist_ok=True)
        path = HERE / "results" / f"{name}.json"
        path.write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
        if table is not None:
            table.round(5).to_csv(path.with_suffix(".csv"), index=False)
    print(json.dumps(result))


def commit() -> str:
    """Return the commit of the sources, "" where they are no clone."""
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True
        )
    except OSError:
        return ""
    return done.stdout.strip()


def machine() -> str:
    """Return cores, processor and Python in words."""
    names = [
        line.split(":")[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    python = platform.python_version()
    return f"{os.cpu_count()} cores, {names[0] if names else platform.machine()}, Python {python}"
