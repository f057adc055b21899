"""Hold the findings against each other."""

from collections.abc import Sequence

from retention.audits.coherence import audit
from retention.audits.tables import audit_parser, read_findings
from retention.common.csv_tables import write_csv
from retention.common.options import defaults


def main(argv: Sequence[str] | None = None) -> None:
    parser = audit_parser(__doc__)
    usual = defaults("statistics")["top_fraction"]
    parser.add_argument(
        "--top-fraction", type=float, default=usual, help="of our overlaps; default %(default)s"
    )
    arguments = parser.parse_args(argv)
    table = audit(read_findings(arguments.findings), arguments.top_fraction)
    write_csv(arguments.output, table)
    print(table[["check", "source", "architecture", "value", "bound", "verdict"]].to_string())
