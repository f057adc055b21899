"""Helpers of the rules: code digests, map arguments, the grid of runs and their inputs."""

# Where the sources lie is no parameter: results made from one clone are those of another.
shell.prefix(f"export WORKFLOW={quote(ROOT.as_posix())}; ")
PAPER = load_paper(ROOT)

PINS = (ROOT / "requirements.txt").read_text().split()
TRAINING_PINS = [
    pin for pin in PINS if pin.split("==")[0] in ("torch", "timm", "numpy")
]


def check_images():
    """Stop before the first job when the image in use does not hold the pinned packages."""
    images = workflow.dag.container_imgs.values() if "apptainer" in DEPLOYMENT else []
    for image in images:
        try:
            software.check_image(image.path, ROOT / "scripts/check_software.py")
        except UserError as error:
            raise WorkflowError(str(error))


RUN = f"{RESULTS}/{{dataset}}/runs/{{architecture}}/{{treatment}}/seed{{seed}}"
OPTIONAL = {}
if config["store"]["probabilities"] != "none":
    OPTIONAL["probabilities"] = f"{RUN}/probabilities.npy"
if config["store"]["weights"] != "none":
    OPTIONAL["final_weights"] = f"{RUN}/weights.safetensors"


def code_of(script):
    """Digest of a script and the library modules it imports: a real edit changes it."""
    return code_version(ROOT / "scripts" / f"{script}.py")


def json_of(kind, *names):
    """A params function: the map STUDY[kind] of the wildcards `names`, as one JSON string."""

    def argument(wildcards):
        entry = STUDY[kind]
        for name in names:
            entry = entry[wildcards[name]]
        return as_argument(entry)

    return argument


def images_of(wildcards, dataset):
    """The split index and the image cache of a data set at the size an architecture wants."""
    size = config["architecture_definitions"][wildcards.architecture]["stored_size"]
    return {
        "index": f"{RESULTS}/{dataset}/index.parquet",
        "pixels": f"data/cache/{dataset}/{size}/pixels.npy",
        "layout": f"data/cache/{dataset}/{size}/layout.parquet",
    }


def finetune_inputs(wildcards):
    """Images, and the weights file where the architecture has one."""
    weights = config["architecture_definitions"][wildcards.architecture]["weights"]
    files = images_of(wildcards, wildcards.dataset)
    if weights == "hub":
        files["weights"] = f"data/weights/{wildcards.architecture}.safetensors"
    elif isinstance(weights, dict):
        source = weights.get("source")
        files["weights"] = (
            f"{RESULTS}/pretrained/{source}/{wildcards.architecture}.safetensors"
            if source
            else weights["file"]
        )
    return files


def run_files(name, architectures=config["architectures"], treatment="random"):
    """Paths of one file of every run of a data set; `{dataset}` is left to the wildcards."""
    return expand(
        f"{RESULTS}/{{{{dataset}}}}/runs/{{architecture}}/{treatment}/seed{{seed}}/{name}",
        architecture=architectures,
        seed=config["seeds"],
    )


def figure_files(figures=FIGURES):
    """Paths of the figures of all data sets."""
    return expand(
        f"{RESULTS}/{{dataset}}/figures/{{figure}}.{{suffix}}",
        dataset=config["datasets"],
        figure=figures,
        suffix=["pdf", "svg", "png"],
    )


def study_files():
    """Everything the report shows, and the configuration it was made with."""
    return [f"{RESULTS}/summary.md", f"{RESULTS}/config.yaml", *figure_files()]
