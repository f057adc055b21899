"""Each sample's decay constant in one architecture against that in another, a pair of architectures a panel."""

from collections.abc import Sequence

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
        _axes_of(found, look),
    )


def _axes_of(comparisons: Sequence[str], look: Look) -> tuple[str, str]:
    """Return what the axes are: of one comparison by its titles, of several by the place in each panel's title."""
    names = look.pair(comparisons[0]).split(" – ") if len(comparisons) == 1 else []
    first, second = names if len(names) == 2 else ("the first", "the second")
    return f"λ in {first} (per epoch)", f"λ in {second} (per epoch)"
