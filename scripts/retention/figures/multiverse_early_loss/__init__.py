"""F5 under every analytic choice."""

from retention.measuring.declaration import DatasetFile, Figure, StudyFile

FIGURE = Figure(
    name="multiverse_early_loss",
    title="Early loss and later forgetting under every choice",
    caption=(
        "How far the loss after head warm-up goes with later forgetting, under every analytic choice that is listed: estimates in order above, "
        "the choices of each below. The page on the multiverse in the docs tells how to read it."
    ),
    reads={
        "multiverse": DatasetFile("findings/multiverse.csv"),
        "matches": StudyFile("multiverse_matches.csv", optional=True),
    },
)
