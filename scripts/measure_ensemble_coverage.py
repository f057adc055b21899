"""Measure F6: do networks of different architectures hold what one architecture does not?"""

from pathlib import Path

from retention.analysis.command import measuring_parser, write_finding
from retention.analysis.findings.ensemble_coverage import measure
from retention.analysis.members import read_members
from retention.common.errors import run_command


def main(argv=None):
    parser = measuring_parser(__doc__)
    parser.add_argument("--probabilities", type=Path, nargs="+", required=True, help="as --samples")
    arguments = parser.parse_args(argv)
    members = read_members(arguments.samples, arguments.probabilities)
    write_finding(arguments.output, measure(members, arguments.statistics))


if __name__ == "__main__":
    run_command(main)
