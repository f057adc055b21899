"""Hold the findings against each other, and the paper's own numbers too."""

from retention.analysis.audit_command import audit_parser, read_findings, reported_of
from retention.analysis.findings.coherence import audit
from retention.common.errors import run_command
from retention.common.storage import write_csv


def main(argv=None):
    parser = audit_parser(__doc__)
    parser.add_argument("--top-fraction", type=float, default=0.1, help="of our overlaps, 0.1")
    arguments = parser.parse_args(argv)
    reported = arguments.reported or reported_of(None)
    table = audit(read_findings(arguments.findings), reported, arguments.top_fraction)
    write_csv(arguments.output, table)
    print(table[["check", "source", "architecture", "value", "bound", "verdict"]].to_string())


if __name__ == "__main__":
    run_command(main)
