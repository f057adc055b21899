"""F3: how far two seeds forget the same samples, under every analytic choice."""

import pandas as pd
from matplotlib.figure import Figure

from retention.reporting.look import Look
from retention.reporting.specification_curve import specification_curve


def draw(multiverse: pd.DataFrame, look: Look, matches: pd.DataFrame | None = None) -> Figure:
    """Return the specification curve, from multiverse.csv; matches: whose number is like a reported one."""
    return specification_curve(
        multiverse, "seed_stability", "Agreement of forgetting between seeds", matches, look
    )
