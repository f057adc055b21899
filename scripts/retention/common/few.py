"""When too few samples are forgotten for runs to be compared by them, and when a run forgot far too many."""

IN_BOTH = ("forgotten_in_both", "expected_in_both")
# Samples that all pairs of runs together would share by chance: with fewer, agreement is all or nothing.
ENOUGH = 3.0
TOO_FEW = "too few forgotten to tell"
MOST, MANY_TIMES = 0.5, 3.0  # a run that forgot such a share, and so many times the median run's


def are_few(expected: float) -> bool:
    """Return whether so few samples are expected in common that agreement cannot be told; NaN says nothing."""
    return expected < ENOUGH
