"""One small job of every kind: samplers, adapters, precisions, curves, findings and figures.

Each has the command line and the parts that the rules would give it.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, product
from pathlib import Path

import pandas as pd
import yaml
from image_sets import OCTDL_CLASSES, jpeg, write_cub, write_octdl
from own_studies import write_recorded
from sources import ROOT

from retention.common.paper import read_paper
from retention.common.parts import part_names
from retention.measuring.declaration import (
    PRUNED,
    RANDOM,
    UNPRUNED,
    DatasetFile,
    Reads,
    RunFiles,
)
from retention.measuring.image_cache import ImageCache
from retention.multiverse.choices import load_choices
from retention.sampling.treatments import needs_schedule, needs_source
from retention.workflow import job_code
from retention.workflow.code_version import Parts
from retention.workflow.findings import declared, declared_series, figures_of
from retention.workflow.multiverse import multiverse_figures
from retention.workflow.titles import without_titles

SIZE, EPOCHS, SEEDS = 32, 4, (0, 1)
DATASETS = {
    "digits": {"adapter": "package", "loader": "digits"}
    | {"keep_per_class": [16, 14, 12, 10, 8, 8, 6, 6, 5, 4]},
    "folder": {"adapter": "imagefolder", "folder": "images"},
    "table": {"adapter": "csv", "table": "table.csv"},
    "fake": {"adapter": "torchvision", "name": "FakeData"}
    | {"options": {"size": 8, "image_size": [3, 20, 24], "num_classes": 2}},
    "recorded": {"adapter": "index", "table": "recorded.csv", "folder": "."},
    "octdl": {"adapter": "octdl", "class_counts": OCTDL_CLASSES, "group_column": "patient_id"}
    | {"files": {"OCTDL.zip": {}, "OCTDL_labels.csv": {}}},
    "cub": {"adapter": "cub200", "files": {"CUB_200_2011.tgz": {}}},
}
SPLIT = {"strategy": "stratified_group", "test_fraction": 0.25, "seed": 0}
SPLITS = {"digits": SPLIT, "cub": {"strategy": "official"}, "recorded": {"strategy": "official"}}
ARCHITECTURES = {
    "resnet": {"timm": "test_resnet", "weights": {"source": "digits"}, "image_size": SIZE},
    "vit": {"timm": "test_vit", "weights": "none", "image_size": SIZE}
    | {"model_kwargs": {"img_size": SIZE, "patch_size": 8}},
}
TREATMENTS = {
    name: without_titles(yaml.safe_load((ROOT / "config.yaml").read_text()))[
        "treatment_definitions"
    ][name]
    for name in (
        "random",
        "spaced_repetition",
        "keep_50_random",
        "keep_50_next_seed",
        "class_balanced",
        "adaptive_spaced_repetition",
        "forgetting_weighted",
        "spaced_repetition_shuffled",
    )
}
# The treatments that findings read, by which runs they read: both seeds of these are trained.
COMPARED = {RANDOM: ["random"], UNPRUNED: ["random", "spaced_repetition"]}
COMPARED |= {PRUNED: ["random", "keep_50_random", "keep_50_next_seed"]}
READ = {name for names in COMPARED.values() for name in names}
CURVES, RETENTION = "retention.dynamics.curves", "retention.dynamics.retention"
FP32 = {"precision": "fp32", "evaluation_precision": "fp32"}
RECIPE = {"epochs": EPOCHS, "learning_rate": 3e-3, "batch_size": 16, "threads": 1, **FP32}
RECIPE |= {"augmentation": {"crop_scale": [0.6, 1.0], "flip": True, "color": 0.1}}
RECIPE |= {"head_warmup": {"epochs": 1}}
PRECISIONS = {
    "bf16": {"precision": "bf16", "evaluation_precision": "bf16"},
    "checked_bf16": {"evaluation_precision": "checked_bf16"},
    "as_the_machine_can": {"precision": "auto", "evaluation_precision": "auto"},
}
FITS = [{"retention": "aligned", "curve": "exponential"}]
STATISTICS = {"resamples": 99, "tie_breaks": 5}
MULTIVERSE = ["class_forgetting", "seed_stability"]


@dataclass
class Job:
    """A job: its script, arguments, and the parts that its digest is told of."""

    name: str
    script: str
    arguments: list[str]
    parts: Parts


def job(name: str, script: str, parts: Parts, options: dict[str, object], *words: str) -> Job:
    """Return a job; options: maps become JSON, lists several words."""
    arguments = list(words)
    for option, value in options.items():
        values = value if isinstance(value, list) else [value]
        told = [json.dumps(each) if isinstance(each, dict) else str(each) for each in values]
        arguments += [f"--{option}", *told]
    return Job(name, script, arguments, parts)


def write_image_sets(folder: Path) -> None:
    """Write the files that the data sets of files are read from."""
    for label, number in product("ab", range(4)):
        image = folder / "images" / label / f"{number}.jpg"
        image.parent.mkdir(parents=True, exist_ok=True)
        image.write_bytes(jpeg(ord(label) * 10 + number))
    files = [path.relative_to(folder) for path in sorted(folder.glob("images/*/*"))]
    table = {"path": map(str, files), "label": [path.parent.name for path in files], "group": ""}
    pd.DataFrame(table).to_csv(folder / "table.csv", index=False)
    write_recorded(folder, files)
    for name, write in (("octdl", write_octdl), ("cub", write_cub)):
        (folder / name).mkdir()
        write(folder / name)
    # what a report begins with, and a figure that it shows
    (folder / "config.yaml").write_text("study: made_up\n")
    figure = folder / "digits/figures/seed_stability.png"
    figure.parent.mkdir(parents=True)
    figure.write_bytes(jpeg(0))


def taking_job() -> Job:
    """Return what takes a run that was trained elsewhere into a study."""
    treatment = {"sampler": "elsewhere"}
    named = {"study": "s", "dataset": "recorded", "architecture": "own", "treatment": "paced"}
    named |= {"seed": 0, "treatment-definition": treatment}
    given = {"traces": "recorded.parquet", "index": "recorded/index.parquet"}
    given |= {"own-index": "recorded.csv", "output": "recorded/traces.parquet"}
    made = {"epochs": "recorded/epochs.csv", "run": "recorded/run.yaml"}
    return job("take", "take_traces", job_code.of_treatments([treatment]), named | given | made)


def every_job() -> list[Job]:
    """Return the jobs in an order in which each finds its files."""
    return [
        *data_jobs(),
        taking_job(),
        pretraining_job(),
        *run_jobs(),
        *description_jobs(),
        *study_jobs(),
    ]


def data_jobs() -> Iterator[Job]:
    """Yield what fetches, lists, splits and caches each data set."""
    for name, definition in DATASETS.items():
        parts, known = job_code.of_dataset(definition), {"dataset": name, "definition": definition}
        fetched, images = f"{name}/fetched.yaml", f"{name}/images.parquet"
        listed = {"fetched": fetched, "output": images, "quarantine": f"{name}/quarantine.csv"}
        cached = {"images": images, "size": SIZE, "pixels": f"{name}/pixels.npy"}
        cached |= {"layout": f"{name}/layout.parquet", "digest": f"{name}/pixels.yaml"}
        yield job(f"fetch {name}", "fetch_dataset", parts, known | {"output": fetched})
        yield job(f"index {name}", "index_dataset", parts, known | listed)
        yield job(f"cache {name}", "cache_images", parts, known | cached)
        if name in SPLITS:
            split = {"dataset": name, "split": SPLITS[name], "images": images}
            split |= {"output": f"{name}/index.parquet", "classes": f"{name}/classes.csv"}
            split |= {"duplicates": f"{name}/duplicates.csv", "digest": f"{name}/split.yaml"}
            yield job(f"split {name}", "split_dataset", {}, split)


IMAGES = {"index": "digits/index.parquet", "pixels": "digits/pixels.npy"}
IMAGES |= {"layout": "digits/layout.parquet", "images": "digits/pixels.yaml"}
IMAGES |= {"split": "digits/split.yaml", "device": "cpu"}


def pretraining_job() -> Job:
    """Return what makes the weights that one architecture begins with."""
    named = {"study": "s", "source": "digits", "architecture": "resnet"}
    told = {"definition": ARCHITECTURES["resnet"], "recipe": RECIPE}
    made = {"output": "weights.safetensors", "digest": "weights.yaml", "log-table": "weights.csv"}
    made["state"] = "state/pretraining"
    return job("pretrain", "pretrain_backbone", {}, named | told | IMAGES | made)


def run_jobs() -> Iterator[Job]:
    """Yield what schedules, trains and describes runs, the random ones first: schedules are made from them."""
    for architecture, seed in product(ARCHITECTURES, SEEDS):
        yield from jobs_of_run(architecture, "random", seed)
    for treatment in TREATMENTS:
        if treatment != "random":
            seeds = SEEDS if treatment in READ else SEEDS[:1]
            for seed in seeds:
                yield from jobs_of_run("resnet", treatment, seed)
    for name, precision in PRECISIONS.items():
        yield finetune(f"precision/{name}", "vit", "random", 0, RECIPE | precision | {"epochs": 1})


def jobs_of_run(architecture: str, treatment: str, seed: int) -> Iterator[Job]:
    """Yield what makes a run and, where findings read them, its samples."""
    folder, definition = folder_of(architecture, treatment, seed), TREATMENTS[treatment]
    more = {}
    if needs_schedule(definition):
        other = folder_of(architecture, "random", 1 - seed)
        sources = [f"{other}/samples.parquet"] if needs_source(definition) else []
        named = {"study": "s", "dataset": "digits", "architecture": architecture}
        named |= {"treatment": treatment, "seed": seed, "treatment-definition": definition}
        told = {"epochs": EPOCHS, "index": IMAGES["index"], "output": f"{folder}/reviews.parquet"}
        parts = job_code.of_treatments([definition])
        options = named | told | ({"samples": sources} if sources else {})
        yield job(f"schedule {folder}", "schedule_reviews", parts, options)
        more = {"reviews": f"{folder}/reviews.parquet"}
    yield finetune(folder, architecture, treatment, seed, RECIPE, more)
    if treatment in READ:
        yield describe(folder, folder, FITS)


def finetune(
    folder: str,
    architecture: str,
    treatment: str,
    seed: int,
    recipe: dict,
    more: dict | None = None,
) -> Job:
    """Return what trains a run into a folder."""
    options = {"study": "s", "dataset": "digits", "architecture": architecture}
    options |= {"treatment": treatment, "seed": seed, "definition": ARCHITECTURES[architecture]}
    options |= {"recipe": recipe, "treatment-definition": TREATMENTS[treatment]} | IMAGES
    options |= {"store": {"probabilities": "all", "weights": "final"}, "code-version": "x"}
    options |= {"state": f"state/{folder}", "traces": f"{folder}/traces.parquet"}
    options |= {"epochs": f"{folder}/epochs.csv", "run": f"{folder}/run.yaml"}
    options |= {"centroids": f"{folder}/class_centroids.npy"}
    options |= {"probabilities": f"{folder}/probabilities.npy"}
    options |= {"final-weights": f"{folder}/weights.safetensors"} | (more or {})
    if ARCHITECTURES[architecture]["weights"] != "none":
        options |= {"weights": "weights.safetensors", "tensors": "weights.yaml"}
    parts = job_code.of_treatments([TREATMENTS[treatment]])
    return job(f"finetune {folder}", "finetune", parts, options)


def describe(run: str, folder: str, fits: list[dict[str, str]]) -> Job:
    """Return what describes the samples of a run into a folder."""
    options = {"traces": f"{run}/traces.parquet", "index": IMAGES["index"]}
    options |= {"output": f"{folder}/samples.parquet", "confusions": f"{folder}/confusions.csv"}
    options |= {"epoch-counts": f"{folder}/epoch_counts.csv"}
    options |= {"dynamics": {"fits": fits, "shuffles": 5}}
    name = " ".join([folder, *(f"{fit['retention']} {fit['curve']}" for fit in fits)])
    return job(f"describe {name}", "describe_samples", job_code.of_fits(fits), options)


def description_jobs() -> Iterator[Job]:
    """Yield descriptions of one run by each curve and each retention trace, which nothing reads."""
    curves, traces = part_names(CURVES), part_names(RETENTION)
    for _, curve, retention in zip(
        range(max(map(len, (curves, traces)))), cycle(curves), cycle(traces)
    ):
        fits = [{"retention": retention, "curve": curve}]
        yield describe(folder_of("vit", "random", 0), "described", fits)
    told = {"traces": f"{folder_of('vit', 'random', 0)}/traces.parquet"}
    yield job("conventions", "describe_conventions", {}, told | {"output": "conventions.parquet"})


def study_jobs() -> Iterator[Job]:
    """Yield what measures, draws, audits and tells every finding."""
    names = part_names("retention.findings")
    for name in names:
        finding = declared(name)
        definitions = [TREATMENTS[treatment] for treatment in COMPARED[finding.treatments]]
        told = options_of(finding.reads) | {"statistics": STATISTICS, "output": table_of(name)}
        parts = job_code.of_finding(name, definitions)
        yield job(f"measure {name}", "measure_finding", parts, told, name)
    yield from series_jobs()
    for figure in figures_of(list(names)).values():
        options = options_of(figure.reads)
        options["output"] = "figure.png"
        parts = job_code.of_figure(figure.name)
        yield job(f"draw {figure.name}", "draw_figure", parts, options, figure.name)
    reads = {name: RunFiles(f"{name}.parquet") for name in ("traces", "samples")}
    told = options_of(reads) | {"statistics": STATISTICS, "output": "multiverse.csv"}
    few = {"score": "decay_constant", "samples": "all", "never_learned": "left_out"}
    asked = {"findings": MULTIVERSE, "resamples": 99, "draws": 99, "fix": few}
    told |= {"shares": "shares.csv", "joint": "joint.csv", "multiverse": asked}
    parts = job_code.of_multiverse(MULTIVERSE, load_choices())
    yield job("multiverse", "measure_multiverse", parts, told)
    told = {"multiverse": "multiverse.csv", "seeds": len(SEEDS), "reported": read_paper()}
    told |= {"output": "matches.csv", "summary": "match_summary.csv", "shares": "known.csv"}
    yield job("match", "match_reported", {}, told)
    tables = {"findings": [table_of(name) for name in names]}
    yield job("audit", "audit_coherence", {}, tables | {"output": "coherence.csv"})
    paper = read_paper()
    yield job("check", "check_reported", {}, {"reported": paper, "output": "arithmetic.csv"})
    compared = tables | {"reported": paper, "output": "paper.csv"}
    yield job("compare", "compare_with_paper", {}, compared)
    told = tables | {"paper": "paper.csv", "coherence": "coherence.csv", "output": "summary.md"}
    told |= {"matches": "match_summary.csv"}
    told |= {"classes": "digits/classes.csv", "duplicates": "digits/duplicates.csv"}
    told |= {"runs": [f"{folder_of('vit', 'random', seed)}/run.yaml" for seed in SEEDS]}
    told |= {"multiverse": ["multiverse.csv", "shares.csv", "known.csv"]}
    parts = job_code.of_summary(names, [])
    yield job("summary", "write_summary", parts, told)
    told = tables | {"paper": "paper.csv", "output": "tables"}
    told |= {"classes": "digits/classes.csv", "duplicates": "digits/duplicates.csv"}
    told |= {"runs": [f"{folder_of('vit', 'random', seed)}/run.yaml" for seed in SEEDS]}
    yield job("tables", "write_tables", job_code.of_tables(names), told)
    yield from page_jobs()
    for figure in multiverse_figures(MULTIVERSE).values():
        options = {"multiverse": "multiverse.csv", "output": "figure.png"}
        parts = job_code.of_figure(figure.name)
        yield job(f"draw {figure.name}", "draw_figure", parts, options, figure.name)


def page_jobs() -> Iterator[Job]:
    """Yield what builds the pages that show samples, and the report."""
    shown = {name: RunFiles(f"{name}.parquet") for name in ("samples", "traces")}
    told = options_of(shown | {"index": DatasetFile("index.parquet")})
    told |= {"cache": [IMAGES["pixels"], IMAGES["layout"]]}
    yield job("gallery", "build_gallery", {}, told | {"output": "gallery"})
    yield job("explorer", "build_explorer", {}, told | {"output": "explorer.html"})
    yield suspects_job()
    yield from planted_jobs()
    told = {"study": "made_up", "results": ".", "output": "report.zip"}
    told |= {"files": ["summary.md", "config.yaml", "digits/figures/seed_stability.png"]}
    yield job("report", "build_report", job_code.of_report(["seed_stability"], []), told)


def suspects_job() -> Job:
    """Return what ranks samples whose labels are probably wrong."""
    names = ("samples.parquet", "traces.parquet", "probabilities.npy")
    told = options_of({name.partition(".")[0]: RunFiles(name) for name in names})
    told |= {"index": "digits/index.parquet", "duplicates": "digits/duplicates.csv"}
    told |= {
        "output": "suspects.csv",
        "held-out": "held_out.csv",
        "classes": "suspects_classes.csv",
    }
    return job("suspects", "rank_suspects", {}, told)


def planted_jobs() -> Iterator[Job]:
    """Yield what plants wrong labels and measures what of them is found; the run is not trained on them."""
    told = {"dataset": "digits", "name": "copy", "kind": "random", "draw": 1, "share": 0.04}
    made = {"output": "index.parquet", "planted": "planted.csv", "digest": "split.yaml"}
    made |= {name: f"{name}.csv" for name in ("classes", "duplicates")}
    made = {option: f"copy/{name}" for option, name in made.items()}
    yield job("plant", "plant_labels", {}, told | {"index": IMAGES["index"]} | made)
    run = folder_of("vit", "random", 0)
    told = {"traces": f"{run}/traces.parquet", "index": "copy/index.parquet"}
    told |= {"output": "copy/samples.parquet", "dynamics": {"fits": FITS, "shuffles": 5}}
    yield job("describe copy", "describe_samples", job_code.of_fits(FITS), told)
    told = {"samples": "copy/samples.parquet", "output": "copy/suspects.csv"}
    yield job("suspects of copy", "rank_suspects", {}, told)
    told = {"dataset": "digits", "planted": "copy/planted.csv", "suspects": "copy/suspects.csv"}
    yield job("recovery", "measure_planted", {}, told | {"output": "recovery.csv"})


def series_jobs() -> Iterator[Job]:
    """Yield what measures every series."""
    for name in part_names("retention.series"):
        series = declared_series(name)
        options = options_of(series.reads) | {"output": f"digits/series/{name}.csv"}
        options |= {"statistics": STATISTICS} if series.statistics else {}
        parts = job_code.of_series(name, FITS)
        yield job(f"measure series {name}", "measure_series", parts, options, name)


def options_of(reads: Reads) -> dict[str, object]:
    """Return what a finding or a figure reads, of the runs that there are."""
    options: dict[str, object] = {}
    for option, files in reads.items():
        if isinstance(files, ImageCache):
            options[option] = [IMAGES["pixels"], IMAGES["layout"]]
            continue
        if isinstance(files, DatasetFile):
            options[option] = f"digits/{files.name}"
            continue
        runs = [
            folder_of(architecture, treatment, seed)
            for treatment in COMPARED[files.of]
            for architecture in (ARCHITECTURES if files.of == RANDOM else ["resnet"])
            for seed in SEEDS
        ]
        several = len(files.names) > 1
        options[option] = [run if several else f"{run}/{files.names[0]}" for run in runs]
    return options


def folder_of(architecture: str, treatment: str, seed: int) -> str:
    return f"digits/runs/{architecture}/{treatment}/seed{seed}"


def table_of(finding: str) -> str:
    return f"digits/findings/{finding}.csv"
