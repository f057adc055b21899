"""F4 under every analytic choice."""

from retention.measuring.declaration import DatasetFile, Figure, StudyFile

FIGURE = Figure(
    name="multiverse_class_forgetting",
    title="Agreement of runs on the classes under every choice",
    caption=(
        "How alike runs rank the classes by forgetting, under every analytic choice that is listed: estimates in order above, "
        "the choices of each below. A dot is a combination of choices; a mark below it says that it has the choice of that line. "
        "The ring is what this study chose. A line whose marks gather at one end is a choice that moves the number."
    ),
    reads={
        "multiverse": DatasetFile("findings/multiverse.csv"),
        "matches": StudyFile("multiverse_matches.csv", optional=True),
    },
)
