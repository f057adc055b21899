"""What a treatment definition may say, where its scores come from, and the DAG that follows."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml
from sources import ROOT, Workflow

from retention.common.errors import UserError
from retention.common.parts import part_names
from retention.dynamics.description import describe
from retention.runs.scores import SCORES
from retention.sampling.checks import treatment_faults
from retention.sampling.keys import SOURCES
from retention.sampling.prunable import every_fit, prunable
from retention.sampling.treatments import complete_treatment, needs_schedule, needs_source
from retention.workflow.configuration import load_study
from retention.workflow.findings import described_treatments, left_out, unread_treatments
from retention.workflow.recipes import merged
from retention.workflow.sources import source_runs, treatments_faults
from retention.workflow.titles import without_titles

ARCHITECTURES, SEEDS = ["resnet", "vit"], [0, 1, 5]


@pytest.mark.parametrize(
    ("definition", "fault"),
    [
        (
            {"sampler": "adaptive"},
            "sampler: is 'adaptive', expected one of ",
        ),
        ({"sampler": "spaced_repitition"}, "; did you mean spaced_repetition?"),
        ({"sampler": "spaced_repetition", "soruce": "same_seed"}, "soruce: does not belong"),
        ({"sampler": "spaced_repetition", "soruce": "same_seed"}, "; did you mean source?"),
        ({"sampler": "spaced_repetition", "keep_fraction": 0.5}, "keep_fraction: does not belong"),
        ({"sampler": "class_balanced", "prune_by": "hazard"}, "takes no further key"),
        ({"sampler": "spaced_repetition", "source": "other_seed"}, "did you mean other_seeds?"),
        (
            {"sampler": "spaced_repetition", "shuffle": "all"},
            "shuffle: is 'all', expected within_class,",
        ),
        (
            {"sampler": "spaced_repetition", "shuffle": True},
            "shuffle: is True, expected within_class",
        ),
        ({"keep_fraction": 1}, "keep_fraction: is 1, expected more than 0 and less than 1"),
        ({"keep_fraction": 0.5, "keep": "most"}, "keep: is 'most', expected one of most_forgotten"),
        (
            {"keep_fraction": 0.5, "prune_by": "hazrd"},
            "prune_by: is 'hazrd', expected random, decay",
        ),
        ({"keep_fraction": 0.5, "prune_by": "hazrd"}, "; did you mean hazard?"),
        ({"keep_fraction": 0.5, "prune_by": "label"}, "prune_by: is 'label', expected random,"),
        ({"keep_fraction": 0.5, "prune_by": ["hazard"]}, "prune_by: is ['hazard'], expected"),
        ({"sampler": ["random"]}, "sampler: is ['random'], expected one of"),
        ({"prune_by": "hazard"}, "prune_by: has no meaning without keep_fraction"),
        ({"source": "same_seed"}, "source: has no meaning without keep_fraction"),
        (
            {"keep_fraction": 0.5, "prune_by": "random", "source": "same_seed"},
            "source: has no meaning with prune_by: random",
        ),
    ],
)
def test_a_faulty_definition_is_explained(definition, fault):
    faults = list(treatment_faults(definition))
    assert any(fault in line for line in faults), faults
    assert all("\n" not in line for line in faults)


def test_a_fit_can_be_pruned_by_where_it_is_made():
    definition = {"keep_fraction": 0.5, "prune_by": "lag_power_half_life"}
    assert not list(treatment_faults(definition))
    assert not list(treatment_faults(definition, [{"retention": "lag", "curve": "power"}]))
    (fault,) = treatment_faults(definition, [{"retention": "lag", "curve": "exponential"}])
    assert "a fit that dynamics.fits asks for" in fault
    assert "did you mean lag_exponential_half_life?" in fault


def test_every_score_to_prune_by_is_one_that_samples_have():
    """One sample never lost, one learned again and lost at the end."""
    correct = np.array([[True] * 7, [True, True, False, True, True, False, False]])
    traces = SimpleNamespace(
        keys=pd.DataFrame({"sample_index": [0, 1]}),
        correct=correct,
        per_sample={},
        whole={"confidence": np.where(correct, 0.9, 0.3)},
        epochs=np.arange(correct.shape[1]),
    )
    columns = set(describe(traces, every_fit(), shuffles=2)) | {"one_minus_retention"}
    assert set(prunable()) <= columns
    assert not [name for name in prunable() if name.startswith("from_first_loss")]
    assert set(SCORES) <= set(prunable())
    # Of a sample that was learned, each says something: else it would be kept by lot.
    told = describe(traces, every_fit(), shuffles=2)
    known = {"confidence", "variability", "aum", "error_norm", "loss_0", "one_minus_retention"}
    undetermined = {name for name in prunable() if "scaled" in name}
    assert told[sorted(set(prunable()) - known - undetermined)].notna().all(axis=None)


def test_defaults_are_filled_in_where_they_belong():
    assert complete_treatment({}) == {"sampler": "random"}
    assert complete_treatment({"sampler": "spaced_repetition"})["source"] == "next_seed"
    pruned = {"sampler": "random", "keep_fraction": 0.5, "prune_by": "decay_constant"}
    pruned |= {"keep": "most_forgotten", "source": "next_seed"}
    assert complete_treatment({"keep_fraction": 0.5}) == pruned
    by_lot = {"keep_fraction": 0.5, "prune_by": "random"}
    assert complete_treatment(by_lot) == {"sampler": "random", **by_lot}
    assert needs_schedule(by_lot) and not needs_source(by_lot)
    assert not needs_schedule({"sampler": "adaptive_spaced_repetition"})


def test_sources_are_those_that_were_named():
    def of(source, architecture="resnet", seed=0):
        definition = {"sampler": "spaced_repetition", "source": source}
        return source_runs(definition, architecture, seed, ARCHITECTURES, SEEDS)

    assert of("next_seed") == [("resnet", 1)]
    assert of("next_seed", seed=5) == [("resnet", 0)]
    assert of("other_seeds", seed=1) == [("resnet", 0), ("resnet", 5)]
    assert of("other_architecture", "vit", 5) == [("resnet", 5)]
    assert of("same_seed", "vit", 5) == [("vit", 5)]
    assert source_runs({"sampler": "class_balanced"}, "vit", 0, ARCHITECTURES, SEEDS) == []


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", [{"sampler": "spaced_repetition"}, {"keep_fraction": 0.5}])
def test_no_run_is_its_own_source_but_in_the_positive_control(source, kind):
    for architecture in ARCHITECTURES:
        for seed in SEEDS:
            runs = source_runs({**kind, "source": source}, architecture, seed, ARCHITECTURES, SEEDS)
            assert ((architecture, seed) in runs) == (source == "same_seed")
            assert len(set(runs)) == len(runs) >= 1


STUDY = """
study: many
datasets: [octdl]
seeds: [0, 1, 2]
treatments: [random, class_balanced, forgetting_weighted, adaptive_spaced_repetition, spaced_repetition,
  spaced_repetition_same_seed, spaced_repetition_other_seeds, spaced_repetition_shuffled,
  keep_50_random, keep_25_same_seed, keep_75_other_architecture]
"""


def inputs_of(output: str, rule: str, path: str) -> list[str]:
    """Return the files that a job of a dry run waits for."""
    job = rf"rule {rule}:\n    input: (.*)\n    output: (?:.*, )?results/many/octdl/runs/{path}/"
    (found,) = re.findall(job, output)
    return found.split(", ")


def test_a_schedule_waits_for_its_sources_and_never_for_the_run_itself(clone: Workflow):
    (clone.folder / "many.yaml").write_text(STUDY)
    code, output = clone.snakemake("-n", "runs", "--configfile", "many.yaml")
    assert code == 0, output[-3000:]
    counts = {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", output, re.MULTILINE)}
    assert counts["finetune"] == 2 * 3 * 11
    assert counts["schedule_reviews"] == 2 * 3 * 8
    assert counts["describe_samples"] == 2 * 3 * 11  # not only those that findings read
    expected = {
        "spaced_repetition": ["resnet18/random/seed1"],
        "spaced_repetition_shuffled": ["resnet18/random/seed1"],
        "spaced_repetition_same_seed": ["resnet18/random/seed0"],
        "spaced_repetition_other_seeds": ["resnet18/random/seed1", "resnet18/random/seed2"],
        "keep_50_random": [],
        "keep_75_other_architecture": ["deit_small/random/seed0"],
    }
    for treatment, sources in expected.items():
        path = f"resnet18/{treatment}/seed0"
        files = inputs_of(output, "schedule_reviews", path)
        runs = [re.sub(r".*/runs/(.*)/samples.parquet", r"\1", name) for name in files[1:]]
        assert files[0] == "results/many/octdl/index.parquet"
        assert runs == sources
        assert f"results/many/octdl/runs/{path}/reviews.parquet" in inputs_of(
            output, "finetune", path
        )
    for treatment in ("random", "class_balanced", "adaptive_spaced_repetition"):
        assert not any(
            "runs/" in name for name in inputs_of(output, "finetune", f"resnet18/{treatment}/seed0")
        )


def test_faults_of_treatments_are_named_before_any_job(clone: Workflow):
    (clone.folder / "bad.yaml").write_text(
        "study: bad\nseeds: [0]\narchitectures: [resnet18]\nfindings: [fit_quality]\n"
        "treatments: [random, spaced_repetition, keep_50_other_architecture, spaced]\n"
        "treatment_definitions:\n  random: {sampler: class_balanced}\n"
        "  mine: {sampler: forgetting_wieghted}\n  other: {keep_fraction: 0.5, keep_by: hazard}\n"
    )
    code, output = clone.snakemake("--dry-run", "--configfile", "bad.yaml")
    assert code != 0
    for fault in (
        "treatments: nothing defines 'spaced'",
        "treatment_definitions.random: is the baseline of every comparison",
        "treatment_definitions.mine.sampler: is 'forgetting_wieghted'",
        "did you mean forgetting_weighted?",
        "treatment_definitions.other.keep_by: does not belong to sampler random",
    ):
        assert fault in output, output
    assert "Traceback" not in output


def test_a_definition_of_the_wrong_kind_is_a_fault(clone: Workflow):
    (clone.folder / "bad.yaml").write_text(
        "treatment_definitions:\n  mine: half\n  other: {keep_fraction: half}\n"
    )
    code, output = clone.snakemake("--dry-run", "--configfile", "bad.yaml")
    assert code != 0
    for key in ("mine", "other.keep_fraction"):
        assert f"treatment_definitions.{key}: is 'half' (str), expected" in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("treatments: random", "treatments: is 'random' (str), expected a list; write [random]"),
        (
            "treatment_definitions: {x: }",
            "treatment_definitions.x: has no value (null), expected a map",
        ),
        (
            "treatments: [random, my arm/1]\ntreatment_definitions: {my arm/1: {keep_fraction: 0.3}}",
            "treatments.1: is 'my arm/1', expected a name of at most 80 letters without a slash",
        ),
        ("treatments: [random, spaced_repetitio]", "; did you mean spaced_repetition?"),
        ("treatmnts: [random]", "; did you mean treatments?"),
        ("study: my study", "study: is 'my study', expected letters, digits, _ . and - alone"),
        (
            "study: ..",
            "study: is '..', expected letters, digits, _ . and - alone, and neither . nor ..",
        ),
        (
            "treatment_definitions: {y: {sampler: spaced_repetition, shuffle: true}}",
            "treatment_definitions.y.shuffle: is True, expected within_class, or no such key",
        ),
        (
            "treatment_definitions: {keep_50_next_seed: {prune_by: random}}",
            "source: has no meaning with prune_by: random, which looks at no score; source was merged from "
            "config.yaml, which has a treatment of this name: give yours another",
        ),
    ],
)
def test_what_a_user_may_write_instead_is_explained(clone: Workflow, text, fault):
    study = merged(study_with(clone), yaml.safe_load(text))
    with pytest.raises(UserError) as error:
        load_study(study, clone.folder)
    (line,) = str(error.value).splitlines()
    assert fault in line


def test_what_the_user_wrote_is_not_said_to_be_merged(clone: Workflow):
    own = {"keep_fraction": 0.5, "prune_by": "random", "source": "same_seed"}
    study = study_with(clone)
    defaults = without_titles(study)["treatment_definitions"]
    study["treatment_definitions"] = defaults | {"keep_50_next_seed": own, "mine": own}
    faults = list(treatments_faults(study, defaults))
    assert len(faults) == 2
    assert not any("merged" in fault for fault in faults)


def study_with(clone: Workflow, **changes) -> dict:
    return yaml.safe_load((clone.folder / "config.yaml").read_text()) | changes


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"x": {"sampler": "random"}}, "treatments: x is defined like random; change"),
        ({"x": {}}, "treatments: x is defined like random"),
        (
            {"x": {"sampler": "spaced_repetition"}},
            "treatments: x is defined like spaced_repetition;",
        ),
        ({"x": {"keep_fraction": 0.5}}, None),  # like keep_50_next_seed, which is not listed
        ({"x": {"sampler": "forgetting_weighted"}}, None),
    ],
)
def test_two_names_of_one_treatment_are_refused(clone: Workflow, more, fault):
    study = without_titles(study_with(clone, treatments=["random", "spaced_repetition", "x"]))
    study["treatment_definitions"] |= more
    faults = list(treatments_faults(study))
    assert len(faults) == (fault is not None)
    assert all(fault in line for line in faults)


def test_a_treatment_that_no_finding_reads_is_named_at_the_start(clone: Workflow):
    (clone.folder / "lone.yaml").write_text(
        "study: lone\nseeds: [0, 1]\ntreatments: [random, keep_30, spaced_repetition]\n"
        "treatment_definitions:\n  keep_30: {keep_fraction: 0.3}\n"
    )
    code, output = clone.snakemake("-n", "--configfile", "lone.yaml")
    assert code == 0, output
    line = "treatments: only `snakemake runs` trains keep_30; pruning_transfer, which would read it, is left"
    assert output.count(line) == 1
    assert "trains spaced_repetition" not in output
    study = study_with(clone, findings=["fit_quality"], treatments=["random", "class_balanced"])
    assert unread_treatments(study) == [
        "treatments: only `snakemake runs` trains class_balanced; treatment_comparison, which would read it, "
        "is not in findings"
    ]
    both = ["random", "keep_50_random", "keep_50_next_seed", "keep_25_next_seed"]
    assert unread_treatments(study_with(clone, treatments=both)) == []


def test_findings_that_the_treatments_do_not_suffice_for_say_why():
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    assert left_out(config) == {}
    assert described_treatments(config) == config["treatments"]
    only = config | {"treatments": ["random"]}
    study = load_study(only, ROOT)
    assert set(study["left_out"]) == {"treatment_comparison", "pruning_transfer"}
    assert "ensemble_coverage" in study["findings"]
    assert described_treatments(only) == ["random"]
    assert set(study["left_out"]) <= set(part_names("retention.findings"))
    scored = left_out(config | {"treatments": ["random", "keep_50_next_seed", "keep_25_random"]})
    assert "stands beside random pruning" in scored["pruning_transfer"]
    silent = config | {"store": {"probabilities": "none", "weights": "none"}}
    assert "store.probabilities is none" in left_out(silent)["ensemble_coverage"]


def test_a_finding_asked_for_by_name_says_why_it_can_not_be_made(clone):
    (clone.folder / "random.yaml").write_text("study: r\ndatasets: [octdl]\ntreatments: [random]\n")
    code, output = clone.snakemake("-n", "pruning_transfer", "--configfile", "random.yaml")
    assert code != 0
    assert "pruning_transfer: treatments has no pruned one, such as keep_50_random" in output
    planned = clone.planned("--configfile", "random.yaml")
    assert planned["finetune"] == 2 * 8
    assert planned["measure_ensemble_coverage"] == planned["draw_ensemble_coverage"] == 1
    assert not {"measure_treatment_comparison", "draw_pruning_transfer"} & set(planned)
