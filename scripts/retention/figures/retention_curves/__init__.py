"""Mean retention against time, beside the mean of the fitted decay curves."""

from retention.measuring.declaration import DatasetFile, Figure

FIGURE = Figure(
    name="retention_curves",
    title="Retention curves and their fits",
    caption=(
        "How many of the training samples are right after they were first learned, or again after each epoch at which they were right: "
        "a row for each kind of trace that the study fits. Dots are means over the seeds, the band reaches from "
        "the lowest to the highest seed, lines are the means of the curves fitted to each sample. At later times only samples that were "
        "learned early have a point. A mean says nothing of how well single samples are described: see the R² of the fits."
    ),
    reads={"curves": DatasetFile("series/retention_curves.csv")},
)
