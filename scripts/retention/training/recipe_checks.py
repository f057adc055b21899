"""Choices of a recipe that contradict each other: each alone is right by its schema."""

from collections.abc import Iterator, Mapping

from retention.common.options import defaults

# Key → the key that decides whether it has a meaning, and the values with which it has one.
MEANT_WITH = {
    "betas": ("optimizer", ("adamw", "adam")),
    "momentum": ("optimizer", ("sgd",)),
    "minimum_learning_rate_fraction": ("schedule", ("cosine",)),
}

MIXING = ("mixup", "cutmix")


def pretraining_fault(recipe: Mapping) -> str:
    """Return a line where a complete recipe of training from scratch keeps layers as chance made them; else ""."""
    if recipe["trainable"] == "all":
        return ""
    return (
        f"trainable: is {recipe['trainable']}, and a backbone that is trained from scratch needs all; add "
        "recipes: {pretraining: {default: {trainable: all}}}"
    )


def mixing_fault(recipe: Mapping, treatment: str, definition: Mapping) -> str:
    """Return a line where a complete recipe mixes samples whose presentations a treatment chooses; else ""."""
    mixed = [name for name in MIXING if recipe["augmentation"][name]]
    if not mixed or definition in ({}, {"sampler": "random"}):
        return ""
    return (
        f"augmentation.{mixed[0]}: presents samples mixed with others, and treatment {treatment} chooses how "
        f"often each is presented; leave {mixed[0]} out, or the treatment"
    )


def recipe_faults(recipe: Mapping) -> Iterator[str]:
    """Yield one line per contradiction in a complete recipe, `key: what is wrong`."""
    silent = defaults("recipe")
    for key, (other, values) in MEANT_WITH.items():
        if recipe[key] != silent[key] and recipe[other] not in values:
            yield (
                f"{key}: has no meaning with {other} {recipe[other]}, only with {' or '.join(values)}; "
                "leave it out"
            )
    if recipe["layer_decay"] != silent["layer_decay"] and recipe["trainable"] == "head":
        yield "layer_decay: has no meaning with trainable head, which has a rate of its own; leave it out"
    most = recipe["batch_size"] // 2
    if recipe["gradient_accumulation"] > most:
        yield (
            f"gradient_accumulation: is {recipe['gradient_accumulation']}, expected at most {most}, half of "
            "batch_size: a micro-batch holds two images or more"
        )
