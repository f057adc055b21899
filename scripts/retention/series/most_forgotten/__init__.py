"""Which training samples of each class are forgotten most."""

from retention.measuring.declaration import RunFiles
from retention.measuring.series import Series

SERIES = Series(
    what="the training samples of each class that are forgotten most, over all runs",
    reads={"samples": RunFiles("samples.parquet")},
)
