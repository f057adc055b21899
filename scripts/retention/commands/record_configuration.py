"""Save the merged configuration beside the results it made."""

import argparse
import json
from collections.abc import Sequence

from retention.common.yaml_files import write_yaml
from retention.workflow.option_maps import whole


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--configuration", type=json.loads, required=True, help="JSON; defaults are filled in"
    )
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args(argv)
    write_yaml(arguments.output, whole(arguments.configuration))
