"""F1 under every analytic choice."""

from retention.measuring.declaration import DatasetFile, Figure, StudyFile

FIGURE = Figure(
    name="multiverse_architecture_overlap",
    title="Overlap of the most-forgotten samples under every choice",
    caption=(
        "How much of their most-forgotten samples two architectures share, under every analytic choice that is listed: estimates in order above, "
        "the choices of each below. The page on the multiverse in the docs tells how to read it."
    ),
    reads={
        "multiverse": DatasetFile("findings/multiverse.csv"),
        "matches": StudyFile("multiverse_matches.csv", optional=True),
    },
)
