"""How much of their most-forgotten samples two runs share, at every size of the list."""

from retention.measuring.declaration import RunFiles
from retention.measuring.series import Series

SERIES = Series(
    what="Jaccard overlap of the most-forgotten samples of every pair of runs, against the top fraction",
    reads={"samples": RunFiles("samples.parquet")},
    statistics=True,
)
