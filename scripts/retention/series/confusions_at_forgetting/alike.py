"""An order of classes in which those that are taken for each other stand beside each other."""

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform

ORDERED = 300  # classes up to which leaves are turned to their neighbours: its time grows with the third power
APART = 2.0  # what two families lie apart, beyond any distance within one


def alike_order(shares: np.ndarray, families: np.ndarray) -> np.ndarray:
    """Return the classes in their order, int [C]: average linkage of how often two are taken for each other, families whole.

    shares: float [C, C], of a class's events those at which it was taken for another; families: str [C].
    Without any event the order is by family, then as it was.
    """
    if not shares.any():
        return np.argsort(families, kind="stable")
    distance = 1 - (shares + shares.T) / 2 + APART * (families[:, None] != families[None, :])
    np.fill_diagonal(distance, 0)
    pairs = squareform(distance, checks=False)
    tree = linkage(pairs, "average")
    order = leaves_list(optimal_leaf_ordering(tree, pairs) if len(shares) <= ORDERED else tree)
    return order if order[0] < order[-1] else order[::-1]
