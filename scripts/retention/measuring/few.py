"""Whether enough samples are forgotten for two runs to be compared by them, and runs that forgot nearly all."""

from collections.abc import Mapping, Sequence

import numpy as np

from retention.common.few import IN_BOTH, MANY_TIMES, MOST, TOO_FEW, are_few
from retention.statistics.ranks import Pairs


def forgotten_in_both(first: np.ndarray, second: np.ndarray, pairs: Pairs) -> dict[str, float]:
    """Return the samples that both runs of a pair forgot, summed over the pairs, and how many are expected.

    first, second: bool [R, N]. Expected: Σ over pairs of n_a n_b / N, of runs that share nothing. It rests on how many
    each run forgot, and not on whether these are the same: deciding by it censors no low agreement.
    """
    both = sum(int(np.sum(first[i] & second[j])) for i, j in pairs)
    expected = sum(first[i].sum() * second[j].sum() for i, j in pairs) / first.shape[1]
    return {IN_BOTH[0]: float(both), IN_BOTH[1]: float(expected)}


def note_of_few(in_both: Mapping[str, float], *others: str) -> dict[str, str]:
    """Return the note of a row, with `others`, which says so where its runs forgot too few samples to be compared by."""
    few = (TOO_FEW,) if are_few(in_both[IN_BOTH[1]]) else ()
    said = [note for note in (*few, *others) if note]
    return {"note": "; ".join(said)} if said else {}


def forgot_nearly_all(
    forgotten: Mapping[str, np.ndarray], seeds: Mapping[str, Sequence[int]]
) -> dict[str, str]:
    """Return per architecture what to say of runs that forgot most samples while the others did not; "" of none.

    forgotten: bool [R, N] per architecture, R as its seeds. A run that collapsed loses nearly all at once.
    """
    shares = {name: rows.mean(axis=1) for name, rows in forgotten.items()}
    everything = np.concatenate(list(shares.values()))
    usual = float(np.median(everything))
    return {
        name: "; ".join(
            f"seed {seed} of {name} forgot {share:.0%} of the samples, the median run {usual:.0%}: it may have collapsed"
            for seed, share in zip(seeds[name], found, strict=True)
            if share >= MOST and share > MANY_TIMES * usual
        )
        for name, found in shares.items()
    }
