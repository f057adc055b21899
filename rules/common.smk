"""Helpers of the rules: one for code, one for map arguments, and the grid of runs."""

PINS = (ROOT / "requirements.txt").read_text().split()
TRAINING_PINS = [
    pin for pin in PINS if pin.split("==")[0] in ("torch", "timm", "numpy")
]


def code_of(script):
    """Digest of a script and the library modules it imports: a real edit changes it."""
    return code_version(ROOT / "scripts" / f"{script}.py")


def script(name):
    """The command that runs a script; it replaces the shell, so that a signal reaches it."""
    return f"exec python {ROOT.as_posix()}/scripts/{name}.py"


def json_of(kind, *names):
    """A params function: the map STUDY[kind] of the wildcards `names`, as one JSON string."""

    def argument(wildcards):
        entry = STUDY[kind]
        for name in names:
            entry = entry[wildcards[name]]
        return as_argument(entry)

    return argument


def source_of(architecture):
    """The data set that an architecture's backbone is pretrained on, or None."""
    weights = config["architecture_definitions"][architecture]["weights"]
    return weights.get("source") if isinstance(weights, dict) else None


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
