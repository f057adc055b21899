"""F6 as a table for a paper: of held-out samples."""

from retention.reporting.ensembles import without_majority_of_two
from retention.reporting.printed import Printed

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
    prepared=without_majority_of_two,
    note="n counts held-out samples. Chance is a single run, of both wrong independent errors, as is the noise ceiling.",
)
