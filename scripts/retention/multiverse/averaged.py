"""Which seeds' scores are averaged together.

A mean over more seeds is more reliable, so its number depends on how many they are. To be that of a study of so many seeds,
it is taken over each set of so many of ours, and averaged over the sets.
"""

from itertools import combinations
from math import comb

MOST = 60  # sets; of more seeds some are taken, each seed in equally many


def sets_of(seeds: int, size: int) -> list[tuple[int, ...]]:
    """Return sets of `size` of so many seeds, each a tuple of places; one of all seeds where there are no more."""
    if size >= seeds:
        return [tuple(range(seeds))]
    if comb(seeds, size) <= MOST:
        return list(combinations(range(seeds), size))
    found: dict[tuple[int, ...], None] = {}
    for steps in combinations(range(1, seeds), size - 1):
        if found and len(found) + seeds > MOST:
            break
        for first in range(seeds):  # by turns, so that no seed is in more sets than another
            turned = sorted((first + step) % seeds for step in (0, *steps))
            found[tuple(turned)] = None
    return list(found)
