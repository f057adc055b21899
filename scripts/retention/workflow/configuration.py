"""The study's configuration: checked as a whole, then turned into the arguments of the scripts."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from retention.common.added_options import said
from retention.common.errors import UserError
from retention.common.faults import SHAPE, in_one_line, key_faults, schema_errors, schema_faults
from retention.common.lists import first_lines, listed
from retention.common.names import nearest
from retention.common.options import complete, without_defaults
from retention.common.paper import choice_faults, read_paper, seeds_of, seeds_told
from retention.common.resources import DATASETS, PAPER, read_resource, resource_path
from retention.common.schemas import read_schema
from retention.sampling.treatments import shortest_treatment
from retention.training.weight_advice import file_in
from retention.workflow.findings import left_out, unread_treatments
from retention.workflow.multiverse import asked_multiverse, multiverse_faults
from retention.workflow.option_maps import SECTIONS, whole
from retention.workflow.own_epochs import other_epochs
from retention.workflow.own_runs import own_faults, own_runs_of, told_own
from retention.workflow.planted import copies_of, planted_faults, with_copies
from retention.workflow.recipes import recipe_for, recipe_of_pretraining, recipes_faults
from retention.workflow.sources import told_sourceless, treatments_faults, with_sources
from retention.workflow.titles import title_faults, titles_of, without_titles

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

ADDED = ("suspects", "conventions")  # sections of options that came after studies were finished
BETWEEN = (" vs ", " + ", " minus ")  # how comparisons are written


# What only tells of a data set: no job reads it, and another citation repeats none.
DESCRIPTIONS = {"title", "version", "doi", "licence", "citation", "families"}


def load_study(config: Mapping, root: Path) -> dict:
    """Return what the rules look up: the grid's names and the maps that are script arguments.

    The maps lack what is at its default, as the scripts complete them: an option that is added
    later changes no parameter. What rules need whole is `threads` and `pretraining_threads`.
    Raises `UserError` with one line per fault, each naming the key.
    """
    registry = read_resource(DATASETS)
    faults = list(_faults(config, registry, root))
    if faults:
        raise UserError("\n".join(first_lines(faults)))
    titles = titles_of(with_sources(whole(config)), _defaults(root))
    asked = without_titles(whole(config))
    config = with_sources(asked)
    paper = read_paper(config["paper"].get("known", {}))
    datasets = {**registry, **config["dataset_definitions"]}
    impossible = left_out(config)
    if len(impossible) == len(config["findings"]):
        reasons = "; ".join(f"{name}: {reason}" for name, reason in impossible.items())
        raise UserError(f"findings: the study can make none of them ({reasons})")
    recipes = {
        dataset: {
            architecture: recipe_for(config["recipes"], dataset, architecture)
            for architecture in config["architecture_definitions"]
        }
        for dataset in config["datasets"]
    }
    recipes = with_copies(config, recipes)
    pretraining = {
        architecture: recipe_of_pretraining(config["recipes"], architecture)
        for architecture in config["architecture_definitions"]
    }
    made = [name for name in config["findings"] if name not in impossible]
    if faults := list(multiverse_faults(config, made)):
        raise UserError("\n".join(faults))
    return {
        "findings": made,
        "titles": titles,
        "multiverse": asked_multiverse(config, made),
        **{section: said(section, config) for section in ADDED},
        "left_out": impossible,
        "told": [
            *told_own(config),
            *told_sourceless(asked),
            *(f"findings: {name} is left out: {reason}" for name, reason in impossible.items()),
            *unread_treatments(config),
            *seeds_told(paper, config["paper"]["assumed_seeds"]),
        ],
        "paper": _of_paper(paper, config["paper"]["assumed_seeds"]),
        "datasets": {
            name: without_defaults("dataset", _without(datasets[name], {"split", *DESCRIPTIONS}))
            for name in sorted(datasets)
        },
        "settings": {
            "families": {
                name: config["statistics"]["family_map"] or datasets[name].get("families", "")
                for name in config["datasets"]
            }
        },
        "splits": {
            name: without_defaults("split", _split_of(datasets[name])) for name in sorted(datasets)
        },
        "architectures": _without_defaults("architecture", config["architecture_definitions"]),
        "treatments": {
            name: shortest_treatment(definition)
            for name, definition in config["treatment_definitions"].items()
        },
        "recipes": {name: _without_defaults("recipe", found) for name, found in recipes.items()},
        "threads": {name: _threads(found) for name, found in recipes.items()},
        "pretraining": _without_defaults("recipe", pretraining),
        "pretraining_threads": _threads(pretraining),
        "planted": copies_of(config),
        "own_runs": own_runs_of(config),
        **{section: without_defaults(section, config[section]) for section in SECTIONS},
    }


def _split_of(definition: Mapping) -> dict:
    """Return how a data set is split; an index that traces were recorded with says it for each sample."""
    split = dict(definition.get("split", {}))
    if definition["adapter"] == "index" and split.get("strategy", "auto") == "auto":
        split["strategy"] = "official"
    return split


def _of_paper(paper: Mapping, assumed_seeds: int) -> dict:
    """Return what rules look up of the paper; `reported` is without choices, of which no comparison is made."""
    seeds, source = seeds_of(paper, assumed_seeds)
    return {
        "all": paper,
        "reported": _without(paper, {"choices"}),
        "seeds": seeds,
        "seeds_source": source,
    }


def _faults(config: Mapping, registry: Mapping, root: Path) -> Iterator[str]:
    """Yield one line per fault of the configuration and of the registry of data sets."""
    encoding = sys.getfilesystemencoding()
    if encoding != "utf-8" and not as_argument(config).isascii():
        yield (
            f"the locale's encoding is {encoding}, and the configuration has letters beyond ASCII; start with "
            "PYTHONUTF8=1 snakemake, or in a UTF-8 locale (LC_ALL=C.UTF-8)"
        )
        return
    if misnamed := list(key_faults(config)):
        yield from misnamed
        return
    errors = schema_errors(config, read_schema("config"))
    described, own = read_schema("datasets"), config.get("dataset_definitions")
    own_errors = schema_errors(own, described) if isinstance(own, Mapping) else []
    if any(map(_is_lacking, errors)):
        yield _lacking(errors, root)
        if not Path("config.yaml").is_file():
            return
    yield from (in_one_line(error, "config: ") for error in errors if not _is_lacking(error))
    yield from schema_faults(registry, described, f"{resource_path(DATASETS)}: ")
    yield from choice_faults(read_resource(PAPER)["choices"])
    for error in own_errors:  # of a name there is no key to tell
        yield f"dataset_definitions{'.' if error.absolute_path else ': '}{in_one_line(error)}"
    # Names can only be looked up in a configuration of the right shape.
    shapeless = any(error.validator in SHAPE for error in errors)
    if not shapeless and not any(error.validator == "type" for error in own_errors):
        completed = whole(config)
        datasets = {**registry, **completed["dataset_definitions"]}
        defaults = _defaults(root)
        bare = without_titles(completed), datasets, without_titles(defaults)
        meant = list(meaning_faults(*bare))
        yield from meant or title_faults(completed, defaults)


def _defaults(root: Path) -> dict:
    """Return config.yaml, which the user's configuration was merged over."""
    return yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8"))


def _is_lacking(error: ValidationError) -> bool:
    return error.validator == "required" and not error.absolute_path


def _lacking(errors: Iterable[ValidationError], root: Path) -> str:
    """Return one line for all the keys that the configuration lacks: as a rule config.yaml was not read."""
    keys = [error.message.split("'")[1] for error in errors if _is_lacking(error)]
    where = "" if Path("config.yaml").is_file() else f", and {Path.cwd()} holds no config.yaml"
    return (
        f"config: lacks {listed(keys)}{where}; run snakemake in the clone's folder, or name its file first: "
        f"--configfile {root / 'config.yaml'} mine.yaml"
    )


def _without_defaults(section: str, maps: Mapping[str, Mapping]) -> dict[str, dict]:
    return {name: without_defaults(section, given) for name, given in maps.items()}


def _threads(recipes: Mapping[str, Mapping]) -> dict[str, int]:
    return {name: complete("recipe", recipe)["threads"] for name, recipe in recipes.items()}


def meaning_faults(config: Mapping, datasets: Mapping, defaults: Mapping) -> Iterator[str]:
    """Yield one line per name that nothing defines and per choice that contradicts another.

    defaults: config.yaml, which the user's configuration was merged over.
    """
    yield from _undefined(config, "datasets", datasets, "dataset_definitions")
    own = {architecture for _, architecture, _, _ in own_runs_of(config)}
    defined = {**config["architecture_definitions"], **dict.fromkeys(own)}
    for key in ("architectures", "control_architectures"):
        yield from _undefined(config, key, defined, "architecture_definitions")
    for name in [*config["architectures"], *config["control_architectures"]]:
        if found := [word for word in BETWEEN if word in name]:
            yield (
                f"architectures: {name!r} has {found[0]!r} in it, which findings write between two names; "
                "call it otherwise"
            )
    yield from _undefined(
        config, "treatments", config["treatment_definitions"], "treatment_definitions"
    )
    yield from treatments_faults(config, defaults["treatment_definitions"])
    yield from recipes_faults(config)
    for name in [*config["architectures"], *config["control_architectures"]]:
        weights = config["architecture_definitions"].get(name, {}).get("weights")
        if isinstance(weights, Mapping) and weights.get("source", "") not in {"", *datasets}:
            yield (
                f"architecture_definitions.{name}.weights.source: no data set is called "
                f"{weights['source']!r}; defined are {listed(sorted(datasets))}"
            )
        if isinstance(weights, Mapping) and weights.get("source") in config["datasets"]:
            yield (
                f"architecture_definitions.{name}.weights.source: {weights['source']!r} is also a "
                "data set of this study; a backbone may not be pretrained on what it is tested on"
            )
    yield from planted_faults(config, datasets)
    yield from _missing_images(config, datasets)
    yield from own_faults(config, datasets)
    yield from other_epochs(config)
    yield from _missing_weights(config)
    if "random" not in config["treatments"]:
        yield "treatments: lacks 'random', the baseline on which every finding stands; add it"
    comparable = config["paper"]["comparable"]
    others = [name for name in config["datasets"] if comparable.get(name) is not True]
    if config["study"] == "paper" and others:
        yield (
            f"study: 'paper' is the paper's own study, and {listed(others)} is not of it; give your "
            "study a name, the folder of its results"
        )


def _missing_images(config: Mapping, datasets: Mapping) -> Iterator[str]:
    """Yield one line per folder or table of images that is not there, before any job starts."""
    sources = [
        config["architecture_definitions"].get(name, {}).get("weights")
        for name in [*config["architectures"], *config["control_architectures"]]
    ]
    sources = [source.get("source") for source in sources if isinstance(source, Mapping)]
    for name in sorted({*config["datasets"], *sources} & {*datasets}):
        folder, table = (datasets[name].get(key) for key in ("folder", "table"))
        if folder is not None and not Path(folder).is_dir():
            holds = "one folder per class" if datasets[name]["adapter"] != "index" else "the images"
            yield f"dataset_definitions.{name}.folder: {folder} is not a folder; it should hold {holds}"
        if table is not None and not Path(table).is_file():
            yield f"dataset_definitions.{name}.table: {table} does not exist"


def _missing_weights(config: Mapping) -> Iterator[str]:
    """Yield one line per weights file that is not there, before any job starts."""
    for name in [*config["architectures"], *config["control_architectures"]]:
        weights = config["architecture_definitions"].get(name, {}).get("weights")
        file = weights.get("file") if isinstance(weights, Mapping) else None
        where = f"architecture_definitions.{name}.weights.file: {file}"
        if file is not None and ({"{", "}"} & {*file} or file.startswith("-")):
            yield f"{where} has braces or begins with -, which commands misread; move or link the file"
        elif file is not None and Path(file).is_dir():
            yield f"{where} is a folder; {file_in(Path(file))}"
        elif file is not None and not Path(file).is_file():
            yield f"{where} does not exist; fetch it or correct its path"


def as_argument(value: object) -> str:
    """Return a map as one line of JSON with sorted keys: equal maps make equal parameters."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _undefined(config: Mapping, key: str, defined: Mapping, where: str) -> Iterator[str]:
    for name in config[key]:
        if name not in defined:
            yield (
                f"{key}: nothing defines {name!r}; {where} has {listed(sorted(defined))}"
                f"{nearest(name, defined)}"
            )


def _without(definition: Mapping, keys: Collection[str]) -> dict:
    return {name: value for name, value in definition.items() if name not in keys}
