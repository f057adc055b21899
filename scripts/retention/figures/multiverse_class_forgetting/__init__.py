"""F4 under every analytic choice."""

from retention.measuring.declaration import DatasetFile, Figure, StudyFile

FIGURE = Figure(
    name="multiverse_class_forgetting",
    title="Agreement of runs on the classes under every choice",
    caption=(
        "How alike runs rank the classes by forgetting, under every analytic choice that is listed: estimates in order above, "
        "the choices of each below. The page on the multiverse in the docs tells how to read it."
    ),
    reads={
        "multiverse": DatasetFile("findings/multiverse.csv"),
        "matches": StudyFile("multiverse_matches.csv", optional=True),
    },
)
