"""Fetch a data set's files, check them and unpack them; record what was found."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from retention.common.options import add_map
from retention.common.parts import load_part
from retention.common.yaml_files import write_yaml
from retention.data.download import fetch_files


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", required=True)
    add_map(parser, "--definition", "dataset")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args(argv)
    definition, folder = arguments.definition, arguments.output.parent
    digests = fetch_files(definition.get("files", {}), folder)
    adapter = load_part("retention.data.adapters", definition["adapter"])
    if hasattr(adapter, "fetch"):
        adapter.fetch(definition, folder)
    for name, digest in digests.items():
        print(f"{name}: sha256 {digest}")
    write_yaml(arguments.output, {"dataset": arguments.dataset, "sha256": digests})
