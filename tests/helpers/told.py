"""What the summary says of a finding's table."""

from collections.abc import Callable, Iterator

import pandas as pd

from retention.common.parts import load_part


def sentences_of(finding: str) -> Callable[[pd.DataFrame], Iterator[str]]:
    """Return the function that tells a finding's table."""
    return load_part("retention.findings", finding, "sentences").sentences


def title_of(finding: str) -> str:
    """Return the heading of a finding in the summary."""
    return load_part("retention.findings", finding).FINDING.title
