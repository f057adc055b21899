"""Every training sample at every epoch, sorted by forgetting."""

from retention.measuring.declaration import DatasetFile, Figure

FIGURE = Figure(
    name="trace_raster",
    title="Every training sample at every epoch, sorted by forgetting",
    caption=(
        "Training samples from the top, epochs from the left, an architecture a panel; dark is wrong in every seed, light is "
        "right in every seed. Above the first line are samples that no seed learned, below the second those that no seed forgot, "
        "between them the others by their hazard of forgetting. Where there are more samples than lines of print a line is the mean of "
        "neighbours."
    ),
    reads={"raster": DatasetFile("series/trace_raster.csv")},
)
