"""The samples' R² beside that of their shuffled traces: F2, sample by sample."""

from retention.measuring.declaration import DatasetFile, Figure

FIGURE = Figure(
    name="fit_r2_against_null",
    title="R² of the decay fits against shuffled traces",
    caption=(
        "Share of the training samples whose R² is at most that on the axis, an architecture a panel. A thin line is a seed, the thick one "
        "their mean. The grey line is of the same traces with their epochs shuffled. Where the line runs right of the grey one, curves fit "
        "better than they fit noise. Below 0 the trace's own mean describes it better than the curve. Traces that never vary have no R²."
    ),
    reads={
        "finding": DatasetFile("findings/fit_quality.csv"),
        "distribution": DatasetFile("series/fit_r2_against_null.csv"),
    },
)
