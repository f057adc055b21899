"""F6 as a table for a paper: of held-out samples."""

from retention.reporting.ensembles import beside_a_single_run, without_majority_of_two
from retention.reporting.printed import CEILING, CHANCE, Printed

HELD = {
    "any": "a member is right",
    "majority": "most of three are right",
    "average": "averaged probabilities are right",
}
PRINTED = Printed(
    {
        "member_accuracy": "a single run is right",
        **{f"coverage_{name}": what for name, what in HELD.items()},
        "double_fault": "both members are wrong",
        "error_correlation": "φ of the members' errors",
        **{f"difference_{name}_from_better": f"difference: {what}" for name, what in HELD.items()},
    },
    digits=3,
    only={"split": ["test"]},
    headings={CHANCE: "A single run", CEILING: "Independent errors"},
    prepared=lambda rows: beside_a_single_run(without_majority_of_two(rows)),
    note=(
        "n counts held-out samples. Beside an ensemble stand the share that a single run holds, and what it would be were the "
        "errors of its members independent."
    ),
)
