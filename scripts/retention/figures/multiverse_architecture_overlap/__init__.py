"""F1 under every analytic choice."""

from retention.measuring.declaration import DatasetFile, Figure, StudyFile

FIGURE = Figure(
    name="multiverse_architecture_overlap",
    title="Overlap of the most-forgotten samples under every choice",
    caption=(
        "How much of their most-forgotten samples two architectures share, under every analytic choice that is listed: estimates in order above, "
        "the choices of each below. A dot is a combination of choices; a mark below it says that it has the choice of that line. "
        "The ring is what this study chose. A line whose marks gather at one end is a choice that moves the number."
    ),
    reads={
        "multiverse": DatasetFile("findings/multiverse.csv"),
        "matches": StudyFile("multiverse_matches.csv", optional=True),
    },
)
