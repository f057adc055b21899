"""How the decay constants of the same samples in two runs lie together."""

from retention.measuring.declaration import RunFiles
from retention.measuring.series import Series

SERIES = Series(
    what="how the decay constants of the same samples in two runs lie together, within and between architectures",
    reads={"samples": RunFiles("samples.parquet")},
)
