"""The data sets and the paper's numbers, YAML files that lie in the package beside the code."""

from pathlib import Path

import yaml

PACKAGE = Path(__file__).parents[1]
DATASETS, PAPER = "datasets.yaml", "paper.yaml"


def resource_path(name: str) -> str:
    """Return where a resource lies in the sources, as messages and documents name it."""
    return f"scripts/{PACKAGE.name}/resources/{name}"


def read_resource(name: str) -> dict:
    """Return the map in a YAML file of resources/."""
    return yaml.safe_load((PACKAGE / "resources" / name).read_text(encoding="utf-8"))
