"""What the test of a row came to, in a few words: the same in summary and tables."""

from collections.abc import Mapping

import pandas as pd

from retention.common.few import TOO_FEW
from retention.reporting.few import too_few
from retention.reporting.words import LEVEL

TOLD, NOT_TOLD = "distinguishable from chance", "not distinguishable from chance"
NOT_ESTIMABLE, NOT_TESTED = "not estimable", "not tested"
UNDECIDED = "undecided"
# Of comparisons of treatments, whose tables bring a verdict of their own.
DECIDED = ("better", "worse", "equivalent", "identical")


def verdict_of(row: pd.Series | Mapping) -> str:
    """Return the verdict on a finding's row; one that its table brings goes before that of its p-value."""
    if too_few(row):
        return TOO_FEW
    if pd.isna(row["estimate"]):
        return NOT_ESTIMABLE
    if isinstance(own := row.get("verdict"), str) and own:
        return own
    if pd.isna(row["p_corrected"]):
        return NOT_TESTED
    return TOLD if row["p_corrected"] < LEVEL else NOT_TOLD


def is_found(verdict: str) -> bool:
    """Return whether a verdict tells something: other than chance, or that treatments are alike."""
    return verdict == TOLD or verdict in DECIDED
