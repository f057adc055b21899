"""What architectures look like and what names are called: the same in every figure and page of a study."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations

import pandas as pd

from retention.reporting.naming import BETWEEN, in_titles

# Okabe & Ito: told apart with every common colour vision. Their yellow is too pale for lines, their black means "several";
# the last two are Tol's wine and olive.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#999933")
SEVERAL = "#222222"  # what is of no architecture, or of three and more


@dataclass(frozen=True)
class Look:
    """The colours and titles of a study.

    architectures: in the study's order, controls last; without a study in the order of their names.
    titles: what the configuration calls architectures and treatments, by name.
    """

    architectures: tuple[str, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)

    def colour(self, architecture: str) -> str:
        """Return an architecture's colour as #rrggbb; SEVERAL for what is none of them."""
        if architecture not in self.architectures:
            return SEVERAL
        return PALETTE[self.architectures.index(architecture) % len(PALETTE)]

    def colour_of(self, comparison: str) -> str:
        """Return the colour of what `a`, `a vs b`, `a + a + b` or `a minus b` is of: an architecture's, a pair's, or SEVERAL.

        Each pair of architectures has one of the colours that no architecture has, in the order a + b, a + c, b + c, a + d, …
        """
        members = [name for name in self.architectures if name in BETWEEN.split(comparison)]
        if len(members) < 2:
            return self.colour(members[0]) if members else SEVERAL
        left = PALETTE[len(self.architectures) :]
        if len(members) > 2 or not left:
            return SEVERAL
        first, second = (self.architectures.index(name) for name in members)
        pairs = sorted(combinations(range(second + 1), 2), key=lambda pair: pair[::-1])
        return left[pairs.index((first, second)) % len(left)]

    def colours_of(self, rows: pd.DataFrame) -> list[str]:
        """Return a colour per row of a finding: of its architecture, or of what its comparison is of where it has none."""
        pairs = zip(rows["architecture"], rows["comparison"], strict=True)
        return [
            self.colour_of(str(comparison)) if pd.isna(name) or not name else self.colour(name)
            for name, comparison in pairs
        ]

    def title(self, name: str) -> str:
        """Return what the configuration calls an architecture or a treatment, else its name."""
        return self.titles.get(name, name)

    def comparison(self, text: str) -> str:
        """Return a comparison with titles for its names, such as `a vs b`, `a + b` or `a + b minus a + a`."""
        return in_titles(text, self.titles)

    def pair(self, comparison: str) -> str:
        """Return the titles of what a comparison `a vs b` is between: `A – B`, one of equal ones."""
        return " – ".join(dict.fromkeys(map(self.title, comparison.split(" vs "))))

    def ordered(self, names: Iterable[str]) -> list[str]:
        """Return different names in the study's order, those that are none of its architectures last, by name."""
        found = set(names)
        known = [name for name in self.architectures if name in found]
        return known + sorted(found - {*known})


NO_STUDY = Look()


def look_of(
    architectures: Iterable[str] | None, titles: Mapping[str, str] | None, seen: Iterable[str] = ()
) -> Look:
    """Return the look of a study, completed by the names of architectures that were seen in tables.

    architectures: the study's, in its order; None without a study. So every architecture has a colour.
    """
    known = tuple(dict.fromkeys(architectures or ()))
    further = tuple(sorted({*seen} - {*known, ""}))
    return Look(known + further, dict(titles or {}))
