"""What is wrong with a treatment definition in a study, whose runs have some scores and no others."""

from collections.abc import Iterable, Iterator, Mapping

from retention.common.names import nearest
from retention.sampling.prunable import DIRECTIONS, prunable
from retention.sampling.treatments import key_faults


def treatment_faults(
    definition: Mapping, fits: Iterable[Mapping[str, str]] | None = None
) -> Iterator[str]:
    """Yield one line per fault of a definition, `key: what is wrong`.

    fits: those of the study (`dynamics.fits`), whose columns a treatment may prune by.
    """
    yield from key_faults(definition)
    if "keep_fraction" in definition and "prune_by" in definition:
        yield from _score_faults(definition["prune_by"], prunable(fits))


def _score_faults(score: object, known: Mapping[str, int]) -> Iterator[str]:
    """Yield a line where a training set can not be pruned by `score`."""
    if score == "random" or (isinstance(score, str) and score in known):
        return
    hint = nearest(score, ["random", *known])
    unfitted = " that dynamics.fits asks for" if score in list(prunable()) else ""
    yield (
        f"prune_by: is {score!r}, expected random, {', '.join(DIRECTIONS)}, or the score or half_life of a "
        f"fit{unfitted}, such as aligned_power_score{hint}"
    )
