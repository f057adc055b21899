"""Helpers of the rules: code digests, map arguments, the grid of runs and their inputs."""

# What jobs are told in their environment is no parameter, and repeats nothing: where the sources lie, their commit (which
# run.yaml records), the GPUs that they share, a node's own disk, what a run does on another device, and their cores, which
# Snakemake says as OMP_NUM_THREADS. Names of files and what is printed are UTF-8 in every locale.
TOLD = {
    "WORKFLOW": ROOT.as_posix(),
    "WORKFLOW_COMMIT": commit_of(ROOT),
    "WORKFLOW_ON_OTHER_DEVICE": ON_OTHER_DEVICE,
    **GPUS.variables(),
    **cluster.scratch(SITE, ON_CLUSTER),
    "PYTHONUTF8": "1",
    "PYTHONIOENCODING": "utf-8",
}
# The first words are Snakemake's own prefix.
shell.prefix(
    "set -euo pipefail; export "
    + " ".join(f"{name}={quote(text)}" for name, text in TOLD.items())
    + " WORKFLOW_CORES=${{OMP_NUM_THREADS:-}}; "
)

PINS = (ROOT / "requirements.txt").read_text(encoding="utf-8").split()
TRAINING_PINS = [
    pin for pin in PINS if pin.split("==")[0] in ("torch", "timm", "numpy")
]


# What takes seconds or needs the internet runs where Snakemake does: no cluster is sent such jobs.
localrules:
    all,
    study,
    data,
    figures,
    tables,
    runs,
    fetch_dataset,
    fetch_weights,
    split_dataset,
    schedule_reviews,
    audit_coherence,
    check_reported,
    compare_with_paper,
    record_configuration,
    write_summary,
    write_tables,
    build_report,


def check_images():
    """Stop before the first job when the image in use does not hold the pinned packages."""
    images = workflow.dag.container_imgs.values() if "apptainer" in DEPLOYMENT else []
    for image in images:
        try:
            software.check_image(image.path, ROOT / "scripts/check_software.py")
        except UserError as error:
            raise WorkflowError(str(error))


def tell_notes():
    """Tell on the terminal what the jobs of this run noted of their data sets."""
    for line in new_notes(NOTED, noted(RESULTS, [*STUDY["datasets"], *COPIES])):
        print(line, file=sys.stderr)


RUN = f"{RESULTS}/{{dataset}}/runs/{{architecture}}/{{treatment}}/seed{{seed}}"
# Runs that were trained elsewhere, by their folders below the results, and those that have probabilities.
OWN = {
    f"{dataset}/runs/{architecture}/{treatment}/seed{seed}": entry
    | {"dataset": dataset, "architecture": architecture}
    | {"treatment": treatment, "seed": seed}
    for (dataset, architecture, treatment, seed), entry in STUDY["own_runs"].items()
}
WITH_PROBABILITIES = [run for run, entry in OWN.items() if "probabilities" in entry]
OPTIONAL = {}
if config["store"]["probabilities"] != "none":
    OPTIONAL["probabilities"] = f"{RUN}/probabilities.npy"
if config["store"]["weights"] != "none":
    OPTIONAL["final_weights"] = f"{RUN}/weights.safetensors"

ALL_ARCHITECTURES = config["architectures"] + config["control_architectures"]
TRAINED = trained_architectures(config)  # those of which some run is no own one
TRAINING_DEVICE = cluster.kind_of_device(TRAINING, ON_CLUSTER)
# Of the steps that read every image: the cores of a workstation, and of a node what most have to spare.
READING_CORES = 8 if ON_CLUSTER else min(workflow.resource_settings.cores or 1, 32)


WITHOUT_IMAGES = {
    name for name in config["datasets"] if not has_images(STUDY["datasets"][name])
}
LARGE_ENOUGH = 128  # pixels of a cached image's short side, for thumbnails


def memory(megabytes):
    """A resource function: memory that grows with every attempt."""
    return lambda wildcards, attempt: megabytes * attempt


def one_of(runs):
    """A pattern that folders of runs match, and no other path."""
    return "|".join(map(re.escape, runs))


def trained_here():
    """A pattern of the data set in a path below which no run lies that was trained elsewhere: none is trained again."""
    return rf"(?!(?:{one_of(OWN)})/)[^/]+" if OWN else r"[^/]+"


def time_limit(base):
    """A resource function: minutes that grow with every attempt, as the site scales and caps them."""
    return lambda wildcards, attempt: minutes(SITE, base, attempt)


def source_of(dataset):
    """The data set whose images a data set has: of a copy with wrong labels the one that it is a copy of, else its own."""
    return COPIES[dataset]["dataset"] if dataset in COPIES else dataset


def seeds_of(dataset):
    """The seeds that a data set is trained with."""
    return planted.seeds_of(config) if dataset in COPIES else config["seeds"]


def billed_run(wildcards):
    """What the bill of `snakemake plan` knows a run by; one on a copy costs what one on its source does."""
    dataset, architecture = source_of(wildcards.dataset), wildcards.architecture
    of = digest_of_run(
        STUDY["architectures"][architecture],
        STUDY["recipes"][dataset][architecture],
        STUDY["store"],
    )
    return dataset, architecture, of, TRAINING_DEVICE


def billed_pretraining(wildcards):
    """What the bill of `snakemake plan` knows a pretraining by."""
    source, architecture = wildcards.source, wildcards.architecture
    of = digest_of_run(
        STUDY["architectures"][architecture], STUDY["pretraining"][architecture], {}
    )
    return source, architecture, of, TRAINING_DEVICE


def billed_limit(billed):
    """A resource function: minutes by what `snakemake plan` measured of such a job, as `time_limit` grows them."""
    return lambda wildcards, attempt: minutes(
        SITE, BILL.minutes(*billed(wildcards)), attempt
    )


def billed_memory(billed):
    """A resource function: memory by what `snakemake plan` measured of such a job, which grows with every attempt."""
    return lambda wildcards, attempt: attempt * BILL.megabytes(*billed(wildcards))


def code_of(script, parts=None):
    """Digest of a script and the library modules it imports, and of the named parts that it loads."""
    return code_version(ROOT / "scripts" / f"{script}.py", parts)


def as_text(text):
    """A params function: a text as it is. Were it the parameter itself, {words} in it would be wildcards."""
    return lambda wildcards: text


def as_written(value):
    """A params function: a map as JSON, as `as_text` passes it on."""
    return as_text(as_argument(value))


def json_of(kind, *names):
    """A params function: the map STUDY[kind] of the wildcards `names`, as one JSON string."""

    def argument(wildcards):
        entry = STUDY[kind]
        for name in names:
            entry = entry[wildcards[name]]
        return as_argument(entry)

    return argument


def training_cores(kind, *names):
    """A threads function: those of a step, STUDY[kind] of the wildcards `names`, or those that feed a GPU."""

    def cores(wildcards):
        threads = STUDY[kind]
        for name in names:
            threads = threads[wildcards[name]]
        # On a GPU the step's own threads idle: every GPU of a workstation is to have a run, be its cores few.
        return GPU_CORES if GPUS.auto == "cuda" else max(threads, GPU_CORES)

    return cores


def images_of(wildcards, dataset):
    """The split and the image cache of a data set at the size an architecture wants.

    Small files say what they hold, and are compared by content. When the large ones were written is no
    matter: made again with the same bytes they retrain nothing.
    """
    size = config["architecture_definitions"][wildcards.architecture]["stored_size"]
    cache = f"data/cache/{source_of(dataset)}/{size}"
    return {
        "split": f"{RESULTS}/{dataset}/split.yaml",
        "images": f"{cache}/pixels.yaml",
        "index": ancient(f"{RESULTS}/{dataset}/index.parquet"),
        "pixels": ancient(f"{cache}/pixels.npy"),
        "layout": ancient(f"{cache}/layout.parquet"),
    }


def cache_files(*names):
    """Files of the image caches of all data sets that have images, at the sizes that the architectures want."""
    return expand(
        "data/cache/{dataset}/{size}/{file}",
        dataset=[name for name in config["datasets"] if name not in WITHOUT_IMAGES],
        size=stored_sizes(),
        file=names,
    )


def stored_sizes():
    """The sizes at which images are cached, ascending: those that architectures want, or one to look at."""
    definitions = config["architecture_definitions"]
    return sorted({definitions[name]["stored_size"] for name in TRAINED}) or [
        LARGE_ENOUGH
    ]


def shown_images(wildcards):
    """An input function: the image cache that pages take thumbnails from; nothing of a data set without images."""
    return cache_shown(wildcards.dataset)


def shown_words(wildcards):
    """A params function: the option by which pages and figures are told of the image cache."""
    shown = cache_shown(wildcards.dataset)
    return f"--cache {quote(shown['pixels'])} {quote(shown['layout'])}" if shown else ""


def cache_shown(dataset):
    """The image cache that pages and figures take thumbnails from, {} of a data set without images.

    Of several sizes the smallest that loses no detail of a thumbnail, else the largest.
    """
    if dataset in WITHOUT_IMAGES:
        return {}
    sizes = stored_sizes()
    size = next((size for size in sizes if size >= LARGE_ENOUGH), sizes[-1])
    folder = f"data/cache/{dataset}/{size}"
    return {
        "images": f"{folder}/pixels.yaml",
        "pixels": ancient(f"{folder}/pixels.npy"),
        "layout": ancient(f"{folder}/layout.parquet"),
    }


def data_files(wildcards):
    """An input function: the images of all data sets, split, counted and cached."""
    tables = ["index.parquet", "split.yaml", "classes.csv", "duplicates.csv"]
    return expand(
        f"{RESULTS}/{{dataset}}/{{table}}", dataset=config["datasets"], table=tables
    ) + cache_files("pixels.npy", "layout.parquet", "pixels.yaml")


def note_files(wildcards):
    """An input function: what was noted of all data sets when they were listed, split and cached."""
    places = ["data/index/{dataset}/notes.txt", f"{RESULTS}/{{dataset}}/notes.txt"]
    return expand(places, dataset=config["datasets"]) + cache_files("notes.txt")


def review_sources(wildcards):
    """An input function: samples.parquet of the runs that a treatment's schedule is made from."""
    names, seeds = config["architectures"], config["seeds"]
    definition = STUDY["treatments"][wildcards.treatment]
    return [
        f"{RESULTS}/{wildcards.dataset}/runs/{architecture}/random/seed{seed}/samples.parquet"
        for architecture, seed in source_runs(
            definition, wildcards.architecture, int(wildcards.seed), names, seeds
        )
    ]


def weights_of(architecture):
    """The weights file of an architecture and, where this workflow made it, what it holds; none, nothing."""
    weights = config["architecture_definitions"][architecture]["weights"]
    if isinstance(weights, dict) and "file" in weights:
        return {"weights": weights["file"]}
    if weights == "hub":
        folder = "data/weights"
    elif isinstance(weights, dict):
        folder = f"{RESULTS}/pretrained/{weights['source']}"
    else:
        return {}
    return {
        "weights": ancient(f"{folder}/{architecture}.safetensors"),
        "tensors": f"{folder}/{architecture}.yaml",
    }


def pretrainings():
    """What the study pretrains: by architecture, its source and recipe."""
    weights = {
        name: config["architecture_definitions"][name]["weights"] for name in TRAINED
    }
    return {
        name: {"source": found["source"], "recipe": STUDY["pretraining"][name]}
        for name, found in weights.items()
        if isinstance(found, dict) and "source" in found
    }


def finetune_inputs(wildcards):
    """Images, and where there is one the weights file and the schedule of presentations."""
    files = images_of(wildcards, wildcards.dataset) | weights_of(wildcards.architecture)
    if needs_schedule(STUDY["treatments"][wildcards.treatment]):
        files["reviews"] = f"{RUN}/reviews.parquet".format(**wildcards)
    return files


def treatment_definitions(names):
    """The definitions of treatments, by whose samplers runs are made and read."""
    return [STUDY["treatments"][name] for name in names]


def code_of_adapter(script):
    """A params function: the digest of a script and of the adapter of its data set."""
    return lambda wildcards: code_of(
        script, job_code.of_dataset(STUDY["datasets"][wildcards.dataset])
    )


def code_of_sampler(script):
    """A params function: the digest of a script and of the sampler of its treatment."""

    @cache  # a study has a few treatments, and thousands of runs
    def of(treatment):
        return code_of(
            script, job_code.of_treatments(treatment_definitions([treatment]))
        )

    return lambda wildcards: of(wildcards.treatment)


def run_files(
    name,
    architectures=config["architectures"],
    treatment="random",
    seeds=config["seeds"],
):
    """Paths of one file of every run of a data set; `{dataset}` is left to the wildcards."""
    return expand(
        f"{RESULTS}/{{{{dataset}}}}/runs/{{architecture}}/{treatment}/seed{{seed}}/{name}",
        architecture=architectures,
        seed=seeds,
    )


def every_run(name):
    """An input function: one file of every run, of all treatments, of controls only `random`."""

    def paths(wildcards):
        runs = run_files(name, config["control_architectures"])
        for treatment in config["treatments"]:
            runs += run_files(name, treatment=treatment)
        return expand(runs, dataset=config["datasets"])

    return paths
