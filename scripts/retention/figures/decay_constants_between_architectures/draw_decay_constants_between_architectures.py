"""Each sample's decay constant in one architecture against that in another, a pair of architectures a panel."""

import pandas as pd
from matplotlib.figure import Figure

from retention.reporting.decay_panels import draw_panels
from retention.reporting.look import Look
from retention.reporting.style import NothingEstimable


def draw(finding: pd.DataFrame, constants: pd.DataFrame, look: Look) -> Figure:
    """Return the figure, from the finding architecture_overlap and the series decay_constants."""
    between = constants[constants["architecture"].isna()]
    if between.empty:
        raise NothingEstimable("There is one architecture, and a comparison needs two.")
    found = sorted(set(between["comparison"]))
    comparisons = {name: look.pair(name) for name in found}
    rows = {name: finding[finding["comparison"] == name] for name in found}
    return draw_panels(
        "Decay constant λ of the same samples in two architectures",
        between,
        comparisons,
        rows,
        ("λ in the first (per epoch)", "λ in the second (per epoch)"),
    )
