"""Set our numbers beside the paper's, with prediction intervals and verdicts."""

from collections.abc import Sequence
from functools import partial

from retention.audits.paper_comparison import compare
from retention.audits.tables import audit_parser, json_map, read_findings, reported_of
from retention.common.csv_tables import write_csv
from retention.common.resources import PAPER, resource_path


def main(argv: Sequence[str] | None = None) -> None:
    parser = audit_parser(__doc__)
    parser.add_argument(
        "--reported",
        type=reported_of,
        help=f"JSON; {resource_path(PAPER)} if left out",
        default=None,
    )
    parser.add_argument(
        "--comparable",
        type=partial(json_map, "--comparable"),
        default={},
        help="JSON, data set: true or why not; one that is left out is no data set of the paper",
    )
    parser.add_argument("--assumed-seeds", type=int, default=3, help="of the paper, 3")
    parser.add_argument(
        "--seeds-source", default="assumed", help="how they are known; default %(default)s"
    )
    arguments = parser.parse_args(argv)
    findings, reported = read_findings(arguments.findings), arguments.reported or reported_of(None)
    seeds = arguments.assumed_seeds, arguments.seeds_source
    table = compare(findings, reported, arguments.comparable, *seeds)
    write_csv(arguments.output, table)
    print(table.to_string(index=False))
