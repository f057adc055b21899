"""F4 as a table for a paper; the classes' hazards have a table of their own."""

from retention.reporting.printed import Printed

PRINTED = Printed(
    {
        "kendalls_w": "Kendall's W of class rankings",
        "similarity_spearman": "nearness of the closest class against hazard, ρ",
        "similarity_spearman_partial": "nearness against hazard, class size taken off, ρ",
        "confusion_agreement": "confusions at forgetting against other errors, ρ",
        "family_share_forgetting": "share within the family, when forgotten",
        "family_share_other_error": "share within the family, other errors",
        "family_share_difference": "difference of the shares within the family",
    },
    note="n counts classes, of confusions pairs of class and prediction, of shares families.",
)
