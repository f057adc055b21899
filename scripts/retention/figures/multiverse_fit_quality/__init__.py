"""F2 under every analytic choice."""

from retention.measuring.declaration import DatasetFile, Figure, StudyFile

FIGURE = Figure(
    name="multiverse_fit_quality",
    title="Fit of the decay curves under every choice",
    caption=(
        "The mean R² of the samples' decay curves, under every analytic choice that is listed: estimates in order above, "
        "the choices of each below. The page on the multiverse in the docs tells how to read it."
    ),
    reads={
        "multiverse": DatasetFile("findings/multiverse.csv"),
        "matches": StudyFile("multiverse_matches.csv", optional=True),
    },
)
