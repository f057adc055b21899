"""How the loss at epoch 0 and the later decay constant lie together."""

from retention.measuring.declaration import RunFiles
from retention.measuring.series import Series

SERIES = Series(
    what="how the loss at epoch 0 and the decay constant from epoch 1 on lie together, and quartiles of the latter",
    reads={"samples": RunFiles("samples.parquet")},
)
