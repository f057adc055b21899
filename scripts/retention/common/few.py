"""When too few samples are forgotten for runs to be compared by them."""

# Samples that all pairs of runs together would share by chance: with fewer, agreement is all or nothing.
ENOUGH = 3.0
