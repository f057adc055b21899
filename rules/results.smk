"""Helpers of the rules: the results that rules read, as lists of files and as words of commands."""

# What pages read of the runs and the data set.
SHOWN = {
    "samples": RunFiles("samples.parquet"),
    "traces": RunFiles("traces.parquet"),
    "index": DatasetFile("index.parquet"),
}
# What samples are ranked by that are probably mislabelled.
RANKED = SHOWN | {"duplicates": DatasetFile("duplicates.csv")}
SUSPECTS = [
    f"{RESULTS}/{{dataset}}/suspects.csv",
    f"{RESULTS}/{{dataset}}/suspects_held_out.csv",
]
if "probabilities" in OPTIONAL:
    RANKED["probabilities"] = RunFiles("probabilities.npy", optional=True)


def finding_words(wildcards):
    """A params function: the paths of `finding_files` as one word that the shell expands."""
    places, names = braces(config["datasets"]), braces(STUDY["findings"])
    return f"{RESULTS}/{places}/findings/{names}.csv"


def read_files(reads):
    """An input function: what a finding, a figure or a page reads, as it declares."""

    def paths(wildcards):
        return files_read(reads, wildcards.dataset)

    return paths


def files_read(reads, dataset):
    """The files of a data set that a finding, a figure or a page reads."""
    paths = []
    for files in _there(reads, dataset).values():
        if isinstance(files, ImageCache):
            paths += cache_shown(dataset).values()
            continue
        if isinstance(files, DatasetFile):
            paths.append(f"{_folder_of(files, dataset)}/{files.name}")
            continue
        for treatment in treatments_of(config, files.of):
            for name in files.names:
                found = run_files(name, treatment=treatment, seeds=seeds_of(dataset))
                paths += expand(found, dataset=dataset)
    return paths


def _there(reads, dataset):
    """What a data set has of what is read: runs that were trained elsewhere leave less, and some sets have no images."""
    lacking = lacking_files(config, dataset)
    return {
        option: files
        for option, files in reads.items()
        if not (isinstance(files, RunFiles) and files.optional)
        or not lacking & {*files.names}
        if not isinstance(files, ImageCache) or dataset not in WITHOUT_IMAGES
    }


def read_words(reads):
    """A params function: the options of a command for `read_files`, each path list one word for the shell."""

    def words(wildcards):
        return " ".join(
            f"--{option} {_word(files, wildcards)}"
            for option, files in _there(reads, wildcards.dataset).items()
        )

    return words


def _folder_of(files, dataset):
    """The folder that a file of the study, or of one data set, lies in."""
    return RESULTS if isinstance(files, StudyFile) else f"{RESULTS}/{dataset}"


def _word(files, wildcards):
    if isinstance(files, ImageCache):
        shown = cache_shown(wildcards.dataset)
        return f"{quote(shown['pixels'])} {quote(shown['layout'])}"
    if isinstance(files, DatasetFile):
        return quote(f"{_folder_of(files, wildcards.dataset)}/{files.name}")
    treatments = braces(treatments_of(config, files.of))
    seeds = braces(seeds_of(wildcards.dataset))
    runs = f"{braces(config['architectures'])}/{treatments}/seed{seeds}"
    folders = f"{RESULTS}/{braces([wildcards.dataset])}/runs/{runs}"
    return f"{folders}/{files.names[0]}" if len(files.names) == 1 else folders


def look_words(wildcards):
    """A params function: the options by which figures and pages are told the order of architectures, and titles."""
    names = " ".join(map(quote, ALL_ARCHITECTURES))
    return f"--architectures {names} --titles {quote(as_argument(STUDY['titles']))}"


def series_statistics(series):
    """A params function: the statistics of a series that wants them as an option, nothing of one that does not."""
    wanted = declared_series(series).statistics
    text = f"--statistics {quote(as_argument(STATISTICS))}" if wanted else ""
    return as_text(text)


def setting_words(part):
    """A params function: the options of a finding or a series beside its files and the statistics."""
    return lambda wildcards: " ".join(
        f"--{name} {quote(as_argument(STUDY['settings'][name][wildcards.dataset]))}"
        for name in part.settings
    )


def told_runs():
    """Which runs the summary tells of: architectures by the treatments that findings read."""
    names = {"random": ALL_ARCHITECTURES}
    for treatment in described_treatments(config):
        names.setdefault(treatment, config["architectures"])
    return names


def told_words(wildcards):
    """A params function: the paths of `told_files`, a word for the shell to expand per treatment.

    A shell command may have 128 KB; a thousand paths would not fit.
    """
    places, seeds = braces(config["datasets"]), braces(config["seeds"])
    return " ".join(
        f"{RESULTS}/{places}/runs/{braces(names)}/{braces([treatment])}/seed{seeds}/run.yaml"
        for treatment, names in told_runs().items()
    )


def random_files(name):
    """An input function: a file of each run of `random`, controls left out."""
    return lambda wildcards: expand(run_files(name), dataset=config["datasets"])


def random_words(name):
    """A params function: the paths of `random_files` as one word that the shell expands."""
    places, seeds = braces(config["datasets"]), braces(config["seeds"])
    runs = f"{RESULTS}/{places}/runs/{braces(config['architectures'])}"
    return lambda wildcards: f"{runs}/random/seed{seeds}/{name}"


def page_files(*names):
    """An input function: pages that show samples, of all data sets."""
    return lambda wildcards: expand(
        f"{RESULTS}/{{dataset}}/{{name}}", dataset=config["datasets"], name=names
    )


def finding_files(wildcards):
    """An input function: the tables of all findings. Called only where a target needs it."""
    return expand(
        f"{RESULTS}/{{dataset}}/findings/{{finding}}.csv",
        dataset=config["datasets"],
        finding=STUDY["findings"],
    )


def choice_files(wildcards):
    """An input function: the tables of the multiverse of each data set, none where it evaluates no finding."""
    names = ("multiverse", "multiverse_shares", "multiverse_joint")
    return expand(
        f"{RESULTS}/{{dataset}}/findings/{{name}}.csv",
        dataset=config["datasets"],
        name=names if MULTIVERSE else (),
    )


MATCH_FILES = ("match_summary", "shares_known", "matches")


def match_files(wildcards, names=MATCH_FILES):
    """An input function: which definitions give the paper's numbers, nothing where there is no multiverse."""
    return [f"{RESULTS}/multiverse_{name}.csv" for name in names if MULTIVERSE]


def comparable_datasets(config):
    """Which of the study's data sets are the paper's, or why not."""
    comparable = config["paper"]["comparable"]
    return {name: comparable[name] for name in config["datasets"] if name in comparable}


def multiverse_files(wildcards):
    """An input function: all tables of the multiverse."""
    return choice_files(wildcards) + match_files(wildcards)


def choice_words(wildcards):
    """A params function: the options of the summary that tell it of the multiverse, nothing where there is none."""
    options = {
        "--multiverse": choice_files(wildcards)
        + match_files(wildcards, ["shares_known"]),
        "--matches": match_files(wildcards, ["match_summary"]),
    }
    return " ".join(
        " ".join([option, *map(quote, paths)])
        for option, paths in options.items()
        if paths
    )


def table_files():
    """The tables for a paper, each in three forms; the classes' hazards have one of their own."""
    classes = ["class_hazards"] if "class_forgetting" in STUDY["findings"] else []
    return expand(
        f"{RESULTS}/tables/{{table}}.{{suffix}}",
        table=["paper_comparison", *STUDY["findings"], *classes, "accuracy", "data"],
        suffix=["csv", "md", "tex"],
    )


def figure_files(figures=tuple(FIGURES)):
    """An input function: the figures of all data sets."""
    return lambda wildcards: expand(
        f"{RESULTS}/{{dataset}}/figures/{{figure}}.{{suffix}}",
        dataset=config["datasets"],
        figure=figures,
        suffix=["pdf", "svg", "png"],
    )


def figures_with(finding):
    """The figures that the report shows with a finding: its own, and those that read its table."""
    title = declared(finding).title
    return [name for name in FIGURES if category_of(name) == title]


def explorer_files(wildcards):
    """An input function: the explorers of all data sets."""
    return expand(f"{RESULTS}/{{dataset}}/explorer.html", dataset=config["datasets"])


def study_files(wildcards):
    """An input function: everything the report shows, and the configuration it was made with."""
    shown = [f"{RESULTS}/summary.md", f"{RESULTS}/config.yaml"]
    shown += table_files() + multiverse_files(wildcards) + figure_files()(wildcards)
    shown += recovery_files(wildcards)
    return shown + page_files("gallery", "explorer.html")(wildcards)


def told_files(wildcards):
    """An input function: run.yaml of every run that the summary tells of."""
    files = [
        path
        for treatment, names in told_runs().items()
        for path in run_files("run.yaml", names, treatment)
    ]
    return expand(files, dataset=config["datasets"])


def copies_of(dataset):
    """The copies of a data set, by name, that have labels planted wrong."""
    return [name for name in COPIES if source_of(name) == dataset]


def planting_inputs(wildcards):
    """An input function: the index that labels are planted in and, where they are planted by confusions, these.

    What a run confused is written anew with each description, and the copies would be trained anew. So labels stay as they
    were planted for as long as the split says the same; the confusions are those of the first seed, whatever seeds are added.
    """
    copy, first = COPIES[wildcards.dataset], config["seeds"][:1]
    folder = f"{RESULTS}/{copy['dataset']}"
    files = {
        "split": f"{folder}/split.yaml",
        "index": ancient(f"{folder}/index.parquet"),
    }
    if copy["kind"] == "confusions":
        paths = expand(
            run_files("confusions.csv", seeds=first), dataset=copy["dataset"]
        )
        files["confusions"] = [ancient(path) for path in paths]
    return files


def planting_words(wildcards, input):
    """A params function: the options of plant_labels that say which labels are planted."""
    copy = COPIES[wildcards.dataset]
    words = " ".join(f"--{name} {quote(str(value))}" for name, value in copy.items())
    if "confusions" in input.keys():
        words += f" --confusions {' '.join(map(quote, input.confusions))}"
    return words


def planted_inputs(wildcards):
    """An input function: the planted labels of each copy of a data set, and the ranking of its samples."""
    copies = copies_of(wildcards.dataset)
    return {
        name: expand(f"{RESULTS}/{{copy}}/{name}.csv", copy=copies)
        for name in ("planted", "suspects")
    }


def recovery_files(wildcards):
    """An input function: how many planted labels are found, of each data set that has copies."""
    sources = dict.fromkeys(map(source_of, COPIES))
    return [f"{RESULTS}/{dataset}/planted_recovery.csv" for dataset in sources]


def recovery_texts(wildcards):
    """An input function: what `recovery_files` say, in sentences."""
    return [path.removesuffix(".csv") + ".txt" for path in recovery_files(wildcards)]


def recovery_words(wildcards):
    """A params function: the option of the summary that tells it of them, nothing where no labels are planted."""
    paths = recovery_files(wildcards)
    return " ".join(["--planted", *map(quote, paths)]) if paths else ""


def own_inputs(wildcards):
    """An input function: the traces of a run that was trained elsewhere, and what says which samples they are of."""
    entry = OWN[wildcards.run]
    definition = STUDY["datasets"][entry["dataset"]]
    files = {
        "traces": entry["traces"],
        "index": f"{RESULTS}/{entry['dataset']}/index.parquet",
    }
    if definition["adapter"] == "index":
        files["own"] = ancient(definition["table"])
    return files


def own_words(wildcards, input):
    """A params function: the option that names the index which traces were recorded with, where one is known."""
    return f"--own-index {quote(input.own)}" if "own" in input.keys() else ""


def own_facts(wildcards):
    """A params function: the options of take_traces that name the run and tell of it."""
    entry = OWN[wildcards.run]
    told = {"study": config["study"]}
    told |= {
        name: entry[name] for name in ("dataset", "architecture", "treatment", "seed")
    }
    told["treatment-definition"] = as_argument(STUDY["treatments"][entry["treatment"]])
    if "pretrained" in entry:
        told["pretrained"] = str(entry["pretrained"]).lower()
    return " ".join(f"--{name} {quote(str(value))}" for name, value in told.items())


def code_of_taking(wildcards):
    """A params function: the digest of what takes an own run, and of the sampler that its treatment is declared by."""
    treatment = OWN[wildcards.run]["treatment"]
    return code_of(
        "take_traces", job_code.of_treatments(treatment_definitions([treatment]))
    )
