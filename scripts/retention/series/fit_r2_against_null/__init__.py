"""The distribution of the samples' R² in every run, beside that of their shuffled traces."""

from retention.measuring.declaration import RunFiles
from retention.measuring.series import Series

SERIES = Series(
    what="the distribution of the samples' R² in every run, beside that of the same traces with their epochs shuffled",
    reads={"traces": RunFiles("traces.parquet"), "samples": RunFiles("samples.parquet")},
)
