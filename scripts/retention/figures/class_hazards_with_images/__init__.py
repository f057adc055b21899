"""Which classes are forgotten, beside the images of them that are forgotten most."""

from retention.measuring.declaration import DatasetFile, Figure
from retention.measuring.image_cache import ImageCache

FIGURE = Figure(
    name="class_hazards_with_images",
    title="Hazard of forgetting by class, and the images that are forgotten most",
    caption=(
        "Hazard of forgetting by class with 95 % intervals, architectures in their colours; an upright line is the hazard of all "
        "samples of an architecture. Where the data set has images, the most-forgotten training images of a class stand beside it, "
        "the most forgotten first: by the mean hazard over all runs that learned the image. Images that no run forgot are not shown."
    ),
    reads={
        "finding": DatasetFile("findings/class_forgetting.csv"),
        "forgotten": DatasetFile("series/most_forgotten.csv"),
        "cache": ImageCache(),
    },
)
