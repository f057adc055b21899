"""F3 under every analytic choice."""

from retention.measuring.declaration import DatasetFile, Figure, StudyFile

FIGURE = Figure(
    name="multiverse_seed_stability",
    title="Agreement of forgetting between seeds under every choice",
    caption=(
        "How far two seeds forget the same samples, under every analytic choice that is listed: estimates in order above, "
        "the choices of each below. The page on the multiverse in the docs tells how to read it."
    ),
    reads={
        "multiverse": DatasetFile("findings/multiverse.csv"),
        "matches": StudyFile("multiverse_matches.csv", optional=True),
    },
)
