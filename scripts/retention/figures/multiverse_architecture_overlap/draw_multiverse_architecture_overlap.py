"""F1: how much of their most-forgotten samples two architectures share, under every analytic choice."""

import pandas as pd
from matplotlib.figure import Figure

from retention.reporting.look import Look
from retention.reporting.specification_curve import specification_curve


def draw(multiverse: pd.DataFrame, look: Look, matches: pd.DataFrame | None = None) -> Figure:
    """Return the specification curve, from multiverse.csv; matches: whose number is like a reported one."""
    return specification_curve(
        multiverse, "architecture_overlap", "Overlap of the most-forgotten samples", matches, look
    )
