"""What a treatment definition says: its sampler, the defaults of its keys, and what it needs."""

from collections.abc import Iterator, Mapping

from retention.common.names import nearest
from retention.common.parts import load_part, part_names
from retention.sampling.declaration import Sampler
from retention.sampling.keys import Key

SAMPLER = "random"
PRUNE_BY = "decay_constant"


def sampler_of(definition: Mapping) -> Sampler:
    """Return the declaration of a definition's sampler; loads no other."""
    return load_part("retention.samplers", definition.get("sampler", SAMPLER)).SAMPLER


def complete_treatment(definition: Mapping) -> dict:
    """Return a definition without faults, its defaults filled in."""
    whole = {"sampler": SAMPLER, **definition}
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
    return {key: value for key, value in whole.items() if not _implied(whole, key)}


def _implied(whole: Mapping, key: str) -> bool:
    """Return whether a complete definition means the same without a key; loads no other sampler."""
    if key == "sampler":
        return whole[key] == SAMPLER
    return complete_treatment({k: v for k, v in whole.items() if k != key}) == whole


def needs_schedule(definition: Mapping) -> bool:
    """Return whether its presentations are scheduled before training (reviews.parquet)."""
    return "keep_fraction" in definition or sampler_of(definition).scheduled


def needs_source(definition: Mapping) -> bool:
    """Return whether its schedule is made from the scores of other runs."""
    if "keep_fraction" in definition:
        return definition.get("prune_by", PRUNE_BY) != "random"
    return sampler_of(definition).scheduled


def key_faults(definition: Mapping) -> Iterator[str]:
    """Yield one line per fault of a definition, `key: what is wrong`, as its sampler declares its keys.

    Whether there is the score to prune by is not looked at: `retention.sampling.checks` does.
    """
    sampler, known = definition.get("sampler", SAMPLER), part_names("retention.samplers")
    if sampler not in known:
        yield f"sampler: is {sampler!r}, expected one of {', '.join(known)}{nearest(sampler, known)}"
        return
    keys = sampler_of(definition).keys
    for key, value in definition.items():
        if key == "sampler":
            continue
        if key not in keys:
            takes = f"; {sampler} takes {', '.join(sorted(keys)) or 'no further key'}"
            yield f"{key}: does not belong to sampler {sampler}{nearest(key, keys) or takes}"
        elif fault := keys[key].fault(value):
            yield f"{key}: {fault}"
    yield from _unused_keys(definition, keys)


def _unused_keys(definition: Mapping, keys: Mapping[str, Key]) -> Iterator[str]:
    """Yield a line per key that belongs to the sampler but would have no effect."""
    given = [key for key in definition if key in keys]
    if "keep_fraction" in keys and "keep_fraction" not in given:
        for key in given:
            yield f"{key}: has no meaning without keep_fraction, the share of samples to train on"
    elif definition.get("prune_by") == "random":
        for key in ("keep", "source", "shuffle"):
            if key in given:
                yield f"{key}: has no meaning with prune_by: random, which looks at no score"
