"""Which samples are right at which epochs, sorted by forgetting."""

from retention.measuring.declaration import RunFiles
from retention.measuring.series import Series

SERIES = Series(
    what="share of the seeds in which training samples are right, by sample and epoch, sorted by forgetting",
    reads={"traces": RunFiles("traces.parquet"), "samples": RunFiles("samples.parquet")},
)
