"""Which treatments' runs something reads: `random` alone, all that prune nothing, `random` and all that prune."""

RANDOM, UNPRUNED, PRUNED = "random", "unpruned", "pruned"
