"""Titles: what figures and pages call architectures and treatments. No job that trains or measures is told them."""

from collections.abc import Iterator, Mapping

from retention.sampling.treatments import shortest_treatment

TITLE = "title"
# Of which definitions there are titles, and the names of those that a study has.
TITLED = {
    "architecture_definitions": ("architectures", "control_architectures"),
    "treatment_definitions": ("treatments",),
}


def without_titles(config: Mapping) -> dict:
    """Return a configuration whose definitions say what they mean, and not what they are called."""
    bare = {key: untitled(config[key]) for key in TITLED if key in config}
    return {**config, **bare}


def untitled(definitions: Mapping[str, Mapping]) -> dict[str, dict]:
    """Return definitions by name without their titles."""
    return {name: _bare(definition) for name, definition in definitions.items()}


def titles_of(config: Mapping, defaults: Mapping) -> dict[str, str]:
    """Return the titles of the study's architectures and treatments, by name.

    defaults: config.yaml, over which the user's configuration was merged. A title from there is left out where
    the user's file gave its name another meaning: it would tell of something else.
    """
    found = {}
    for key, lists in TITLED.items():
        for name in (name for listing in lists for name in config[listing]):
            definition = config[key].get(name, {})
            if TITLE in definition and not _is_of_another(key, name, definition, defaults):
                found[name] = definition[TITLE]
    return found


def title_faults(config: Mapping, defaults: Mapping) -> Iterator[str]:
    """Yield one line per title that would let a figure tell two names no more apart, or call one name two things."""
    titles = titles_of(config, defaults)
    for key, lists in TITLED.items():
        shown: dict[str, str] = {}
        for name in dict.fromkeys(name for listing in lists for name in config[listing]):
            twin = shown.setdefault(titles.get(name, name), name)
            if twin != name:
                yield (
                    f"{key}.{name}.title: is {titles.get(name, name)!r}, as figures call {twin} too; give one of them "
                    "another title"
                )
    architectures, treatments = (config[key] for key in TITLED)
    for name in sorted({*architectures} & {*treatments}):
        one, other = architectures[name].get(TITLE), treatments[name].get(TITLE)
        if one != other and one and other:
            yield (
                f"treatment_definitions.{name}.title: is {other!r}, and architecture_definitions.{name}.title {one!r}; "
                "a figure calls one name one thing: give the treatment another name, or both the same title"
            )


def _is_of_another(key: str, name: str, definition: Mapping, defaults: Mapping) -> bool:
    """Return whether a title stands in config.yaml for a definition that means something else."""
    default = defaults.get(key, {}).get(name, {})
    if definition[TITLE] != default.get(TITLE):
        return False
    if key == "architecture_definitions":
        return definition.get("timm") != default.get("timm")
    return shortest_treatment(_bare(definition)) != shortest_treatment(_bare(default))


def _bare(definition: Mapping) -> dict:
    return {key: value for key, value in definition.items() if key != TITLE}
