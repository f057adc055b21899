"""F2 under every analytic choice."""

from retention.measuring.declaration import DatasetFile, Figure, StudyFile

FIGURE = Figure(
    name="multiverse_fit_quality",
    title="Fit of the decay curves under every choice",
    caption=(
        "The mean R² of the samples' decay curves, under every analytic choice that is listed: estimates in order above, "
        "the choices of each below. A dot is a combination of choices; a mark below it says that it has the choice of that line. "
        "The ring is what this study chose. A line whose marks gather at one end is a choice that moves the number."
    ),
    reads={
        "multiverse": DatasetFile("findings/multiverse.csv"),
        "matches": StudyFile("multiverse_matches.csv", optional=True),
    },
)
