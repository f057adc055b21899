"""The choice of whole groups to hold out that comes nearest to a share of each class."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from retention.common.silence import silenced

TOLERANCE = 0.02  # a share that is missed by less is as good as met
NODES = 300  # of branch and bound: a bound in seconds would make the split depend on the machine
POINTS = 100.0  # deviations count in percentage points, far above the solver's tolerances
JITTER = 0.01  # percentage points that the random costs of all groups together may make


@dataclass(frozen=True)
class Groups:
    """How many images of each class each group has: an entry per group and class that meet, P in all.

    names: groups [G], sorted; classes: [C], sorted; group, label: places in these, int64 [P]; count: images, int64 [P].
    """

    names: np.ndarray
    classes: np.ndarray
    group: np.ndarray
    label: np.ndarray
    count: np.ndarray

    @classmethod
    def of(cls, images: pd.DataFrame) -> "Groups":
        """Count the columns `group` and `class_name` of images."""
        groups, names = pd.factorize(images["group"], sort=True)
        labels, classes = pd.factorize(images["class_name"], sort=True)
        pairs, count = np.unique(
            groups.astype(np.int64) * len(classes) + labels, return_counts=True
        )
        group, label = np.divmod(pairs, len(classes))
        return cls(np.asarray(names, dtype=object), np.asarray(classes), group, label, count)

    @cached_property
    def sizes(self) -> np.ndarray:
        """Images of each class, int64 [C]."""
        return np.bincount(self.label, self.count, len(self.classes)).astype(np.int64)

    @cached_property
    def divisible(self) -> np.ndarray:
        """Whether a class has two groups or more, bool [C]: of the others nothing is held out."""
        return np.bincount(self.label, minlength=len(self.classes)) > 1

    @cached_property
    def connected(self) -> np.ndarray:
        """A number per class, int32 [C], the same for classes that groups connect."""
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import connected_components

        shape = len(self.names), len(self.classes)
        met = csr_array((np.ones(len(self.group), dtype=np.int32), (self.group, self.label)), shape)
        return connected_components(met.T @ met, directed=False)[1]

    def held_out(self, chosen: np.ndarray) -> np.ndarray:
        """Return the images of each class in the chosen groups (bool [G]), int64 [C]."""
        weights = self.count * chosen[self.group]
        return np.bincount(self.label, weights, len(self.classes)).astype(np.int64)

    def largest(self, name: str) -> int:
        """Return how many images of a class its largest group has."""
        return int(self.count[self.classes[self.label] == name].max())

    def matrix(self) -> np.ndarray:
        """Return the images of each group and class, int64 [G, C]."""
        counts = np.zeros((len(self.names), len(self.classes)), dtype=np.int64)
        counts[self.group, self.label] = self.count
        return counts

    def of_classes(self, columns: np.ndarray) -> tuple["Groups", np.ndarray]:
        """Return the classes `columns` (bool [C]) with their groups alone, and which groups these are, bool [G]."""
        kept = columns[self.label]
        rows = np.bincount(self.group[kept], minlength=len(self.names)) > 0
        places = (np.cumsum(rows) - 1, np.cumsum(columns) - 1)
        group, label = places[0][self.group[kept]], places[1][self.label[kept]]
        part = Groups(self.names[rows], self.classes[columns], group, label, self.count[kept])
        return part, rows


def off(groups: Groups, chosen: np.ndarray, fraction: float) -> dict[str, float]:
    """Return the held-out shares, by class, that are missed though numbers of images would allow to meet them.

    chosen: groups that are held out, bool [G].
    """
    missed = _off(groups, chosen, fraction)
    shares = groups.held_out(chosen) / groups.sizes
    return dict(zip(groups.classes[missed].tolist(), shares[missed].tolist(), strict=True))


def _off(groups: Groups, chosen: np.ndarray, fraction: float) -> np.ndarray:
    found, wanted = groups.held_out(chosen), fraction * groups.sizes
    far = np.abs(found - wanted) > TOLERANCE * groups.sizes
    # one image is held out of even the smallest class
    nearest = (np.abs(found - wanted) <= 0.5) | ((found == 1) & (wanted < 1))
    return far & ~nearest & groups.divisible


def nearer(
    groups: Groups, dealt: np.ndarray, fraction: float, draws: np.random.Generator
) -> np.ndarray:
    """Return which groups to hold out, bool [G]: those dealt, but where other groups are nearer to the share.

    Only classes whose share is off are searched, with those that share groups with them. Every class keeps a training
    image, and those of several groups a held-out one.
    """
    chosen = dealt.copy()
    missed = _off(groups, dealt, fraction)
    if not missed.any():
        return chosen
    for part in np.unique(groups.connected[missed]):
        piece, rows = groups.of_classes(groups.connected == part)
        found = _searched(piece, fraction, draws)
        before = _distance(piece, dealt[rows], fraction)
        if found is not None and _distance(piece, found, fraction) < before:
            chosen[rows] = found
    return chosen


def _distance(groups: Groups, chosen: np.ndarray, fraction: float) -> tuple[bool, float, float]:
    """Return how far shares are from what is asked for: a class on one side alone, all misses together, the largest.

    The sum comes first, as it is what `_searched` minimises. Rounded: sums in another order are no difference.
    """
    found = groups.held_out(chosen)
    one_sided = bool(((found == groups.sizes) | ((found == 0) & groups.divisible)).any())
    missed = np.abs(found / groups.sizes - fraction)[groups.divisible]
    return one_sided, round(float(missed.sum()), 9), round(float(missed.max(initial=0)), 9)


def _searched(groups: Groups, fraction: float, draws: np.random.Generator) -> np.ndarray | None:
    """Return the nearest choice, bool [G], or `None` where the search ends without one.

    Groups of the same composition are told apart by chance alone: what is searched is how many of each
    kind are held out. Small random costs decide between choices that are equally near.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    kinds, kind = np.unique(groups.matrix(), axis=0, return_inverse=True)
    kind = kind.reshape(-1)
    many, classes = len(kinds), len(groups.classes)
    numbers = np.bincount(kind, minlength=many)
    costs = draws.random(many) * JITTER / max(1.0, fraction * len(kind))
    # Variables: how many of each kind [K], by how many images each class is missed [C].
    missed = np.eye(classes)
    wanted = fraction * groups.sizes
    within = LinearConstraint(
        np.block([[kinds.T, -missed], [kinds.T, missed]]),
        np.concatenate([np.full(classes, -np.inf), wanted]),
        np.concatenate([wanted, np.full(classes, np.inf)]),
    )
    images = np.hstack([kinds.T, np.zeros((classes, classes))])
    both_sides = LinearConstraint(images, groups.divisible.astype(float), groups.sizes - 1)
    with silenced():  # the solver tells of its own workings, whatever `disp` says
        result = milp(
            np.concatenate([costs, POINTS / groups.sizes]),
            integrality=np.concatenate([np.ones(many), np.zeros(classes)]),
            bounds=Bounds(0, np.concatenate([numbers, np.full(classes, np.inf)])),
            constraints=[within, both_sides],
            options={"node_limit": NODES, "mip_rel_gap": 0},
        )
    if result.x is None:
        return None
    left = np.rint(result.x[:many]).astype(int)
    chosen = np.zeros(len(kind), dtype=bool)
    for group in draws.permutation(len(kind)):
        if left[kind[group]]:
            left[kind[group]] -= 1
            chosen[group] = True
    return chosen
