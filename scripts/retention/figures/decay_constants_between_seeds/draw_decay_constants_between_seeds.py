"""Each sample's decay constant in one seed against that in another, an architecture a panel."""

import pandas as pd
from matplotlib.figure import Figure

from retention.reporting.decay_panels import draw_panels
from retention.reporting.look import Look
from retention.reporting.style import NothingEstimable


def draw(finding: pd.DataFrame, constants: pd.DataFrame, look: Look) -> Figure:
    """Return the figure, from the finding seed_stability and the series decay_constants."""
    within = constants[constants["architecture"].notna()]
    if within.empty:
        raise NothingEstimable(
            "Every architecture has one seed, and a comparison of seeds needs two."
        )
    names = look.ordered(within["architecture"])
    comparisons = {f"{name} vs {name}": look.title(name) for name in names}
    rows = {f"{name} vs {name}": finding[finding["architecture"] == name] for name in names}
    return draw_panels(
        "Decay constant λ of the same samples in two seeds",
        within,
        comparisons,
        rows,
        ("λ in one seed (per epoch)", "λ in another seed (per epoch)"),
    )
