"""What the samples of each class are taken for when they are lost."""

from retention.measuring.declaration import DatasetFile, Figure

FIGURE = Figure(
    name="confusions_at_forgetting",
    title="What samples are taken for when they are forgotten",
    caption=(
        "Of the forgetting events of each class (a row) the share at which its samples were taken for each other class (a "
        "column), all runs of an architecture together. The number at the right counts the events. Classes stand in one order for "
        "all architectures: whole families together and alike classes beside each other, by average linkage of how often two are "
        "taken for each other. Where there are many classes the pairs of most events are named below."
    ),
    reads={
        "confusions": DatasetFile("series/confusions_at_forgetting.csv"),
        "finding": DatasetFile("findings/class_forgetting.csv"),
    },
)
