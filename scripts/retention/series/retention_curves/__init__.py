"""Mean retention of every run against time, beside the mean of the samples' fitted decay curves."""

from retention.measuring.declaration import RunFiles
from retention.measuring.series import Series

SERIES = Series(
    what="mean retention of every run's training samples against time, and the mean of their fitted curves",
    reads={"traces": RunFiles("traces.parquet"), "samples": RunFiles("samples.parquet")},
    fits=True,
)
