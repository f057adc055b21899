"""Accuracy and loss of every run at every epoch."""

from retention.measuring.declaration import RunFiles
from retention.measuring.series import Series

SERIES = Series(
    what="accuracy and mean loss of every run at every epoch, of training and of held-out samples",
    reads={"traces": RunFiles("traces.parquet"), "samples": RunFiles("samples.parquet")},
)
