"""The JSON schemas are the one home of options: what they say is what commands and workflow do."""

import argparse
import re
from copy import deepcopy

import pytest
from configurations import CONFIG, embedded_study
from sources import ROOT

from retention.commands import (
    cache_images,
    describe_samples,
    fetch_dataset,
    fetch_weights,
    finetune,
    index_dataset,
    measure_finding,
    pretrain_backbone,
    schedule_reviews,
    split_dataset,
)
from retention.common import options
from retention.common.errors import UserError
from retention.common.options import (
    add_options,
    allowed_values,
    as_listed,
    complete,
    defaults,
    faults,
    help_text,
    properties,
    read_options,
    section_schema,
    without_defaults,
)
from retention.common.parts import load_part, part_names
from retention.common.schemas import read_schema, with_names
from retention.runs.treated import meant
from retention.sampling.treatments import complete_treatment, shortest_treatment
from retention.workflow.configuration import as_argument, load_study
from retention.workflow.option_maps import shortest, whole
from retention.workflow.titles import without_titles

# Results stand by parameters that do not mention these: another value of config.yaml, never of here.
PUBLISHED = {
    "recipe": {
        "batch_size": 32,
        "gradient_accumulation": 1,
        "evaluation_batch_size": 128,
        "optimizer": "adamw",
        "trainable": "all",
        "layer_decay": 1.0,
        "betas": [0.9, 0.999],
        "momentum": 0.9,
        "gradient_clipping": 0.0,
        "ema_decay": 0.0,
        "weight_decay": 0.0,
        "schedule": "cosine",
        "warmup_steps_fraction": 0.0,
        "minimum_learning_rate_fraction": 0.0,
        "label_smoothing": 0.0,
        "class_weighting": "none",
        "precision": "auto",
        "evaluation_precision": "auto",
        "channels_last": "auto",
        "shared_data_order": False,
        "threads": 2,
        "augmentation": {"crop_scale": [1.0, 1.0], "flip": False, "color": 0.0}
        | {"vertical_flip": False, "rotation": 0, "erasing": 0.0, "mixup": 0.0, "cutmix": 0.0},
        "head_warmup": {"epochs": 0, "augment": False},
    },
    "store": {"probabilities": "none", "weights": "none"},
    "dynamics": {"fits": [{"retention": "aligned", "curve": "exponential"}], "shuffles": 100},
    "statistics": {
        "top_fraction": 0.1,
        "resamples": 2000,
        "tie_breaks": 200,
        "score": "decay_constant",
        "correction": "holm",
        "seed": 0,
        "treatment": {"metric": "balanced_accuracy", "margin": 0.01},
        "family_map": {},
    },
    "architecture": {"model_kwargs": {}},
    "dataset": {"on_bad_image": "stop"},
    # version 0.1.0 drew a split even where one came with the images: strategy was stratified_group
    "split": {"strategy": "auto", "test_fraction": 0.2, "seed": 0},
}
# Options of recipes that came after files were written that list them all.
LATER = {"gradient_accumulation", "gradient_clipping", "minimum_learning_rate_fraction"}
LATER |= {"betas", "momentum", "layer_decay", "ema_decay", "trainable"}
# Where config.yaml, the paper's study, is not what a silent command means.
OTHERWISE = {
    "dynamics": {"fits"},  # the study compares curves; one fit is enough for one's own traces
    "store": {"probabilities"},  # ensemble_coverage reads them; by hand nobody asked for them
}


def paths(known, before=()):
    """Yield (keys, schema) of every option, in maps within maps, too."""
    for key, schema in known.items():
        yield (*before, key), schema
        yield from paths(schema.get("properties", {}), (*before, key))


def at(mapping, keys):
    for key in keys:
        mapping = mapping[key]
    return mapping


@pytest.mark.parametrize("section", PUBLISHED)
def test_a_published_default_does_not_change(section):
    assert defaults(section).items() >= PUBLISHED[section].items()


@pytest.mark.parametrize("section", [*PUBLISHED, "treatment"])
def test_defaults_are_faultless_and_every_option_says_what_it_is(section):
    for keys, schema in paths(properties(section_schema(section))):
        if "default" in schema:
            given = schema["default"]
            for key in reversed(keys):
                given = {key: given}
            lacking = "is a required property"
            assert not [line for line in faults(section, given, "x") if lacking not in line]
            assert schema["default"] in (allowed_values(schema) or [schema["default"]])
        if section != "dataset" and keys[0] != "normalisation":
            assert schema.get("description"), keys


def test_a_map_is_completed_and_shortened_in_depth():
    given = {"epochs": 3, "augmentation": {"flip": True}, "own": 1}
    found = complete("recipe", given)
    assert found["augmentation"] == PUBLISHED["recipe"]["augmentation"] | {"flip": True}
    assert found["head_warmup"] == {"epochs": 0, "augment": False}
    assert found["epochs"] == 3 and found["own"] == 1 and "learning_rate" not in found
    assert without_defaults("recipe", found) == given
    assert without_defaults("recipe", defaults("recipe")) == {}
    found["augmentation"]["crop_scale"][0] = 0.1  # a copy: the schema is not touched
    assert defaults("recipe")["augmentation"]["crop_scale"] == [1.0, 1.0]


def test_files_list_the_options_of_their_time_and_what_is_said_of_later_ones():
    recipe = {"epochs": 3, "learning_rate": 0.1}
    old = {"epochs", "learning_rate", "head_learning_rate", *PUBLISHED["recipe"]} - LATER
    listed = as_listed("recipe", complete("recipe", recipe))
    assert set(listed) == old
    assert listed["augmentation"] == {"crop_scale": [1.0, 1.0], "flip": False, "color": 0.0}
    clipped = as_listed("recipe", complete("recipe", recipe | {"gradient_clipping": 2.0}))
    assert clipped == listed | {"gradient_clipping": 2.0}


def test_a_fault_is_one_line_that_names_the_nearest_key():
    (line,) = faults("statistics", {"treatment": {"margn": 1}}, "--statistics")
    assert line == (
        "--statistics: treatment: unknown key(s) margn; known are margin, metric; did you mean margin?"
    )
    (line,) = faults("recipe", {"epochs": 0, "learning_rate": 1e-3}, "recipe")
    assert line == "recipe: epochs: is 0, expected at least 1"
    with pytest.raises(UserError, match="--split: 'x' is no JSON object, such as"):
        read_options("split", "--split", "x")


@pytest.mark.parametrize(("epochs", "said"), [(0, "at least 3"), (2, "at least 3"), (3, None)])
def test_a_study_needs_three_epochs_and_a_pretraining_one(epochs, said):
    study = deepcopy(CONFIG)
    study["recipes"]["architectures"]["resnet18"] = {"epochs": epochs}
    study["recipes"]["pretraining"] = {"default": {"epochs": 1}}
    if said is None:
        assert load_study(study, ROOT)["pretraining"]["resnet18"]["epochs"] == 1
        return
    with pytest.raises(UserError) as error:
        load_study(study, ROOT)
    assert (
        str(error.value) == f"recipes.architectures.resnet18.epochs: is {epochs}, expected {said}"
    )


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"head_learning_rate": 0.1}, {}),
        ({"head_learning_rate": 0.2}, {"head_learning_rate": 0.2}),
        ({"head_warmup": {"learning_rate": 0.1}}, {}),
        (
            {"head_learning_rate": 0.2, "head_warmup": {"learning_rate": 0.2}},
            {"head_learning_rate": 0.2},
        ),
        (
            {"head_learning_rate": 0.2, "head_warmup": {"learning_rate": 0.1}},
            {"head_learning_rate": 0.2, "head_warmup": {"learning_rate": 0.1}},
        ),
    ],
)
def test_another_keys_value_said_again_is_no_part_of_a_job(said, kept):
    recipe = {"epochs": 3, "learning_rate": 0.1, "batch_size": 4}
    assert without_defaults("recipe", {**recipe, **said}) == {**recipe, **kept}
    whole = complete("recipe", {**recipe, **said})
    assert whole["head_learning_rate"] == said.get("head_learning_rate", 0.1)
    warm = said.get("head_warmup", {}).get("learning_rate", whole["head_learning_rate"])
    assert whole["head_warmup"]["learning_rate"] == warm


@pytest.mark.parametrize("section", ["statistics", "dynamics", "recipe", "architecture"])
def test_help_lists_every_option(section):
    parser = argparse.ArgumentParser()
    add_options(parser, "--it", section)
    shown = parser.format_help()
    for keys, schema in paths(properties(section_schema(section))):
        if keys[0] != "normalisation" and "properties" not in schema:
            (line,) = (x for x in shown.splitlines() if x.strip().startswith(f"{'.'.join(keys)}: "))
            assert schema["description"] in line
            assert all(str(v).lower() in line.lower() for v in allowed_values(schema))
    assert parser.parse_args([]).it == defaults(section)


def test_the_commands_show_the_options(capsys):
    for module, sections in (
        (describe_samples, ["dynamics"]),
        (measure_finding, ["statistics"]),
        (schedule_reviews, ["treatment"]),
        (finetune, ["architecture", "recipe", "treatment", "store"]),
        (pretrain_backbone, ["architecture", "recipe"]),
        (fetch_weights, ["architecture"]),
        (fetch_dataset, ["dataset"]),
        (index_dataset, ["dataset"]),
        (cache_images, ["dataset"]),
        (split_dataset, ["split"]),
    ):
        with pytest.raises(SystemExit):
            module.main(["fit_quality", "--help"] if module is measure_finding else ["--help"])
        shown = capsys.readouterr().out
        for section in sections:
            for line in help_text(section).replace("%%", "%").splitlines():
                assert line in shown, (module, line)


def test_config_yaml_says_every_option():
    for section in ("statistics", "dynamics", "store"):
        assert set(CONFIG[section]) == set(properties(section_schema(section)))
        other = {key for key, value in defaults(section).items() if CONFIG[section][key] != value}
        assert other == OTHERWISE.get(section, set())
    recipe = CONFIG["recipes"]["default"]
    known = paths(properties(section_schema("recipe")))
    for keys, _ in known:
        at(recipe, keys)
    assert set(recipe) == set(properties(section_schema("recipe")))


LISTED = re.compile(r"((?:\w+, )*\w+ or \w+)(?=$|[ ,;:(])")


def test_lists_of_values_in_comments_of_config_yaml_are_those_of_the_schema():
    """A comment that begins with `a, b or c` lists all values of its option."""
    known = {
        keys[-1]: schema
        for section in ("recipe", "statistics", "dynamics", "store")
        for keys, schema in paths(properties(section_schema(section)))
    } | {"device": read_schema("config")["properties"]["device"]}
    found = {}
    for line in (ROOT / "config.yaml").read_text().splitlines():
        key, _, comment = line.partition("#")
        listed = LISTED.match(comment.strip())
        name = key.strip().split(":")[0]
        if listed and name in known and ":" in key:
            found[name] = re.split(", | or ", listed[1])
    for name, values in found.items():
        assert sorted(values) == sorted(str(v).lower() for v in allowed_values(known[name])), name
    listing = {name for name, schema in known.items() if allowed_values(schema)}
    # what ranks a sample stands in docs/glossary.md
    assert listing - set(found) == {"score", "augment"}


def parameters_of(config) -> dict:
    """Return what the rules make parameters of, as the text that Snakemake compares."""
    study = load_study(config, ROOT)
    return {"configuration": as_argument(shortest(config))} | {
        key: as_argument(value) for key, value in study.items()
    }


def places(study):
    """Yield (section, function that returns the section's map in a configuration)."""
    for section in ("statistics", "dynamics", "store"):
        yield section, lambda config, section=section: config[section]
    yield "recipe", lambda config: config["recipes"]["default"]
    yield "architecture", lambda config: config["architecture_definitions"]["resnet"]
    yield "dataset", lambda config: config["dataset_definitions"]["digits"]


@pytest.mark.parametrize("section", [section for section, _ in places({})])
def test_an_option_said_at_its_default_changes_no_parameter(section):
    """An option that nobody had set yesterday, and that today stands in every configuration."""
    place, tried = dict(places({}))[section], 0
    for keys, schema in paths(properties(section_schema(section))):
        if "default" not in schema:
            continue
        silent = embedded_study()
        outer = place(silent)
        for key in keys[:-1]:
            outer = outer.setdefault(key, {})
        outer.pop(keys[-1], None)
        said = deepcopy(silent)
        at(place(said), keys[:-1])[keys[-1]] = deepcopy(schema["default"])
        assert parameters_of(said) == parameters_of(silent), keys
        assert whole(shortest(said)) == whole(said)
        tried += 1
    assert tried


def test_the_embedded_studys_parameters_hold_what_differs_alone():
    study = load_study(embedded_study(), ROOT)
    assert study["store"] == {"probabilities": "all"}
    assert study["statistics"] == {"resamples": 1000}
    assert study["recipes"]["digits"]["vit"]["epochs"] == 13
    assert study["threads"]["digits"]["vit"] == study["pretraining_threads"]["vit"] == 1
    assert "optimizer" not in study["recipes"]["digits"]["vit"]
    assert study["splits"]["digits"] == {"strategy": "stratified_group", "test_fraction": 0.25}
    assert study["treatments"]["random"] == {}
    assert study["architectures"]["resnet"].keys() == {
        "timm",
        "weights",
        "image_size",
        "stored_size",
    }
    paper = load_study(CONFIG, ROOT)
    assert paper["threads"]["octdl"]["resnet18"] == 2
    assert "threads" not in paper["recipes"]["octdl"]["resnet18"]


def test_the_shortest_treatment_means_the_same():
    for definition in without_titles(CONFIG)["treatment_definitions"].values():
        found = shortest_treatment(definition)
        assert complete_treatment(found) == complete_treatment(definition)
        assert set(found) <= set(definition)
    assert shortest_treatment({"keep_fraction": 0.5, "prune_by": "decay_constant"}) == {
        "keep_fraction": 0.5
    }


def test_recipes_that_differ_in_a_key_at_its_default_are_the_same(monkeypatch):
    old = {"recipe": {"epochs": 3, "learning_rate": 0.1}}
    new = {"recipe": old["recipe"] | {"shared_data_order": False, "augmentation": {"flip": False}}}
    assert meant(old, "recipe") == meant(new, "recipe")
    assert meant(old, "recipe") != meant({"recipe": old["recipe"] | {"threads": 1}}, "recipe")
    clipped = {"recipe": old["recipe"] | {"sharpness": 0.0}}
    assert meant(old, "recipe") != meant(clipped, "recipe")  # an unknown key is no default
    schema = deepcopy(section_schema("recipe"))
    layer = schema["$defs"]["recipe_layer"]["properties"]
    layer["sharpness"] = {"type": "number", "minimum": 0, "default": 0.0}
    monkeypatch.setattr(options, "section_schema", lambda section: schema)
    assert meant(old, "recipe") == meant(clipped, "recipe")
    assert complete("recipe", {})["sharpness"] == 0.0


def test_names_of_a_room_are_the_files_in_it(tmp_path):
    room = "retention.data.adapters"
    assert part_names(room) == tuple(
        sorted(p.stem for p in (ROOT / "scripts/retention/data/adapters").glob("[!_]*.py"))
    )
    assert "findings" in part_names("retention")  # a folder
    schema = with_names({"items": [{"names_of": room, "description": "d"}]})
    assert schema == {"items": [{"enum": list(part_names(room)), "description": "d"}]}
    assert load_part(room, "octdl").__name__ == f"{room}.octdl"
    with pytest.raises(
        UserError, match=r"retention.data.adapters: there is no 'nil'; known are csv, "
    ):
        load_part(room, "nil")


def test_config_yaml_explains_the_options_of_own_images():
    text = (ROOT / "config.yaml").read_text()
    comment = text.partition("# Further data sets")[2].partition("dataset_definitions:")[0]
    told = re.findall(r"^#   (\w+(?:, \w+)*) +(\S+)", comment, re.MULTILINE)
    known = properties(section_schema("dataset"))
    assert {name for names, _ in told for name in names.split(", ")} >= {
        name
        for name in known
        if "default" in known[name] or name in ("bits", "split_column", "split")
    }
    for names, value in told:
        default = known.get(names, {}).get("default")
        if default is not None and not isinstance(default, list):
            assert value.rstrip(":") == str(default).lower(), names
    assert f"strategy {defaults('split')['strategy']} (default)" in comment
