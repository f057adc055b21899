"""The recipes of a study: their layers merged, and what in them contradicts itself."""

from collections.abc import Iterator, Mapping
from copy import deepcopy

from retention.common.options import complete
from retention.training.recipe_checks import mixing_fault, pretraining_fault, recipe_faults
from retention.workflow.own_runs import trained_architectures

UNUSED_IN_PRETRAINING = {
    "head_warmup": "as all layers learn from the first step on",
    "evaluation_precision": "as it evaluates in fp32",
}


def recipe_for(recipes: Mapping, dataset: str, architecture: str) -> dict:
    """Merge the recipe's layers: default, data set, architecture, then the one of both."""
    return merged(
        recipes["default"],
        recipes.get("datasets", {}).get(dataset, {}),
        recipes.get("architectures", {}).get(architecture, {}),
        recipes.get("runs", {}).get(dataset, {}).get(architecture, {}),
    )


def recipe_of_pretraining(recipes: Mapping, architecture: str) -> dict:
    """Merge the layers of a pretraining: default, its own default, architecture."""
    own = recipes.get("pretraining", {})
    return merged(recipes["default"], own.get("default", {}), own.get(architecture, {}))


def merged(*layers: Mapping) -> dict:
    """Merge maps deeply, later ones winning; lists and scalars are replaced whole."""
    result: dict = {}
    for layer in layers:
        for key, value in layer.items():
            if isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
                result[key] = merged(result[key], value)
            else:
                result[key] = deepcopy(value)
    return result


def recipes_faults(config: Mapping) -> Iterator[str]:
    """Yield one line per contradiction, naming the first architecture and data set that it is met with."""
    places: dict[str, str] = {}
    for name in trained_architectures(config):
        for dataset in config["datasets"]:
            recipe = complete("recipe", recipe_for(config["recipes"], dataset, name))
            for fault in [*recipe_faults(recipe), *_mixing_faults(config, name, recipe)]:
                places.setdefault(fault, f"recipes: {name} on {dataset}")
        weights = config["architecture_definitions"].get(name, {}).get("weights")
        if isinstance(weights, Mapping) and "source" in weights:
            recipe = complete("recipe", recipe_of_pretraining(config["recipes"], name))
            own = [*_unused_in_pretraining(config["recipes"], name), pretraining_fault(recipe)]
            for fault in filter(None, [*recipe_faults(recipe), *own]):
                places.setdefault(fault, f"recipes.pretraining: {name}")
    for fault, place in places.items():
        yield f"{place}: {fault}"


def all_warm_up(config: Mapping) -> bool:
    """Tell whether every fine-tuning that findings read begins with a head warm-up."""
    recipes = (
        complete("recipe", recipe_for(config["recipes"], dataset, name))
        for dataset in config["datasets"]
        for name in trained_architectures(config)
        if name in config["architectures"]
    )
    return all(recipe["head_warmup"]["epochs"] > 0 for recipe in recipes)


def _unused_in_pretraining(recipes: Mapping, architecture: str) -> Iterator[str]:
    """Yield a line per key that is written for pretrainings and has no meaning there; from `default` they may come."""
    layers = recipes.get("pretraining", {})
    for key, why in UNUSED_IN_PRETRAINING.items():
        if any(key in layers.get(name, {}) for name in ("default", architecture)):
            yield f"{key}: has no meaning there, {why}; leave it out"


def _mixing_faults(config: Mapping, architecture: str, recipe: Mapping) -> list[str]:
    """Return a line for the first treatment of an architecture that its recipe's mixing goes against."""
    treatments = config["treatments"] if architecture in config["architectures"] else ["random"]
    definitions = config["treatment_definitions"]
    faults = [mixing_fault(recipe, name, definitions.get(name, {})) for name in treatments]
    return [fault for fault in faults if fault][:1]
