"""How all runs learn: accuracy and loss of training and held-out samples over the epochs."""

from retention.measuring.declaration import DatasetFile, Figure

FIGURE = Figure(
    name="learning_curves",
    title="Learning curves of all runs",
    caption=(
        "Accuracy and mean loss at every epoch, an architecture a column: a thin line is a seed, a thick one their mean. Solid "
        "lines are of training samples, dashed ones of held-out samples, both evaluated without augmentation in runs of this workflow. Epoch "
        "0 is the state before the first epoch, there the end of the head warm-up."
    ),
    reads={"curves": DatasetFile("series/learning_curves.csv")},
)
