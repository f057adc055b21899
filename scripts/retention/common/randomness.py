"""Random generators that depend on what is drawn, never on when it is drawn."""

import hashlib

import numpy as np


def seed_for(*purpose: str | int) -> int:
    """Return a 63-bit seed that is a digest of the parts of a purpose.

    The parts are usually (study, dataset, architecture, seed, purpose). They are separated by a
    byte that no name contains, so ("a", "bc") and ("ab", "c") differ.
    """
    text = "\x1f".join(str(part) for part in purpose)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(*purpose: str | int) -> np.random.Generator:
    """Return a numpy generator seeded by `seed_for(*purpose)`."""
    return np.random.default_rng(seed_for(*purpose))
