"""What a treatment definition may say: its keys, their defaults, and what it needs to be made."""

from collections.abc import Iterable, Iterator, Mapping

from retention.common.faults import nearest
from retention.common.prunable import DIRECTIONS, EVERY_FIT, prunable

# Which keys a sampler takes beside its name; pruning is a matter of `random`.
SAMPLERS = {
    "random": {"keep_fraction", "prune_by", "keep", "source", "shuffle"},
    "class_balanced": set(),
    "adaptive_spaced_repetition": set(),
    "forgetting_weighted": {"source", "shuffle"},
    "spaced_repetition": {"source", "shuffle"},
}
SCORED = ("forgetting_weighted", "spaced_repetition")
SOURCES = ("same_seed", "next_seed", "other_seeds", "other_architecture")
CHOICES = {
    "source": SOURCES,
    "shuffle": ("within_class",),
    "keep": ("most_forgotten", "least_forgotten"),
}
PRUNE_BY = "decay_constant"


def complete_treatment(definition: Mapping) -> dict:
    """Return a definition without faults, its defaults filled in."""
    whole = {"sampler": "random", **definition}
    if "keep_fraction" in whole:
        whole.setdefault("prune_by", PRUNE_BY)
        if whole["prune_by"] != "random":
            whole.setdefault("keep", "most_forgotten")
    if needs_source(whole):
        whole.setdefault("source", "next_seed")
    return whole


def shortest_treatment(definition: Mapping) -> dict:
    """Return the definition without what it would mean anyway: equal treatments are equal here."""
    whole = complete_treatment(definition)
    return {
        key: value
        for key, value in whole.items()
        if complete_treatment({k: v for k, v in whole.items() if k != key}) != whole
    }


def needs_plan(definition: Mapping) -> bool:
    """Return whether its presentations are planned before training (reviews.parquet)."""
    return definition.get("sampler") in SCORED or "keep_fraction" in definition


def needs_source(definition: Mapping) -> bool:
    """Return whether its plan is made from the scores of other runs."""
    if "keep_fraction" in definition:
        return definition.get("prune_by", PRUNE_BY) != "random"
    return definition.get("sampler") in SCORED


def treatment_faults(
    definition: Mapping, fits: Iterable[Mapping[str, str]] = EVERY_FIT
) -> Iterator[str]:
    """Yield one line per fault of a definition, `key: what is wrong`.

    fits: those of the study (`dynamics.fits`), whose columns a treatment may prune by.
    """
    sampler = definition.get("sampler", "random")
    if not isinstance(sampler, str) or sampler not in SAMPLERS:
        yield f"sampler: is {sampler!r}, expected one of {', '.join(SAMPLERS)}{nearest(sampler, SAMPLERS)}"
        return
    allowed, known = SAMPLERS[sampler], set().union(*SAMPLERS.values())
    for key in definition:
        if key != "sampler" and key not in allowed:
            takes = f"; {sampler} takes {', '.join(sorted(allowed)) or 'no further key'}"
            hint = "" if key in known else nearest(key, known)
            yield f"{key}: does not belong to sampler {sampler}{hint or takes}"
    for key, choices in CHOICES.items():
        if key in allowed and key in definition and definition[key] not in choices:
            value = definition[key]
            wanted = (
                f"one of {', '.join(choices)}"
                if len(choices) > 1
                else f"{choices[0]}, or no such key"
            )
            yield f"{key}: is {value!r}, expected {wanted}{nearest(value, choices)}"
    if "prune_by" in allowed:
        yield from _score_faults(definition.get("prune_by", PRUNE_BY), prunable(fits))
    fraction = definition.get("keep_fraction", 0.5)
    number = isinstance(fraction, int | float) and not isinstance(fraction, bool)
    if "keep_fraction" in allowed and not (number and 0 < fraction < 1):
        yield f"keep_fraction: is {fraction!r}, expected more than 0 and less than 1"
    yield from _unused_keys(definition, allowed)


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


def _unused_keys(definition: Mapping, allowed: set[str]) -> Iterator[str]:
    """Yield a line per key that belongs to the sampler but would have no effect."""
    given = [key for key in definition if key in allowed]
    if "keep_fraction" in allowed and "keep_fraction" not in given:
        for key in given:
            yield f"{key}: has no meaning without keep_fraction, the share of samples to train on"
    elif definition.get("prune_by") == "random":
        for key in ("keep", "source", "shuffle"):
            if key in given:
                yield f"{key}: has no meaning with prune_by: random, which looks at no score"
