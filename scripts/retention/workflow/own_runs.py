"""Runs of a study that were trained elsewhere: their traces stand in the configuration, in place of trainings."""

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

from retention.common.added_options import completed
from retention.common.errors import UserError
from retention.common.lists import listed, plural
from retention.common.measured import MEASURED
from retention.common.names import nearest
from retention.common.treatment_names import RANDOM
from retention.workflow.trace_files import TraceFile, trace_file, unclosed

KEY = "own_runs"
# What a training of this workflow leaves, and one elsewhere does not.
OF_TRAINING = {"class_centroids.npy", "weights.safetensors"}
PROBABILITIES, CONFUSIONS = "probabilities.npy", "confusions.csv"
# What traces say of their run, and the study's names for it, in the order of `Run`.
SAID = {
    "dataset": "datasets",
    "architecture": "architectures",
    "treatment": "treatments",
    "seed": "seeds",
}
Run = tuple[str, str, str, int]  # data set, architecture, treatment, seed
ELSEWHERE = "elsewhere"  # the sampler of treatments that own runs alone have
NOTHING = "every run of this study is one of own_runs: nothing is to be trained, and nothing costs"


def own_runs_of(config: Mapping) -> dict[Run, dict]:
    """Return what the configuration says of each run that was trained elsewhere."""
    return {_named(entry): dict(entry) for entry in config.get(KEY, [])}


def runs_of(config: Mapping) -> list[Run]:
    """Return every run of the study, copies with planted labels left out; of controls those of `random` alone."""
    by_treatment = [(RANDOM, config["control_architectures"])]
    by_treatment += [(name, config["architectures"]) for name in config["treatments"]]
    return [
        (dataset, architecture, treatment, seed)
        for treatment, names in by_treatment
        for dataset, architecture, seed in product(config["datasets"], names, config["seeds"])
    ]


def trained_runs(config: Mapping) -> list[Run]:
    """Return the runs of the study that are to be trained."""
    own = own_runs_of(config)
    return [run for run in runs_of(config) if run not in own]


def trained_architectures(config: Mapping) -> list[str]:
    """Return the architectures, controls last, of which some run is to be trained."""
    names = [*config["architectures"], *config["control_architectures"]]
    if not config.get(KEY):
        return names
    trained = {architecture for _, architecture, _, _ in trained_runs(config)}
    return [name for name in names if name in trained]


def trained_datasets(config: Mapping) -> list[str]:
    """Return the data sets on which some run is to be trained."""
    trained = {dataset for dataset, _, _, _ in trained_runs(config)}
    return [name for name in config["datasets"] if name in trained]


def taken_runs(config: Mapping) -> dict[str, dict[str, int]]:
    """Return how many runs were trained elsewhere, by data set and architecture."""
    counts: dict[str, dict[str, int]] = {}
    for dataset, architecture, _, _ in own_runs_of(config):
        of_dataset = counts.setdefault(dataset, {})
        of_dataset[architecture] = of_dataset.get(architecture, 0) + 1
    return counts


def lacking_files(config: Mapping, dataset: str) -> set[str]:
    """Return the files that not every run of a data set has, since some were trained elsewhere."""
    own = [entry for run, entry in own_runs_of(config).items() if run[0] == dataset]
    if not own:
        return set()
    lacking = set(OF_TRAINING)
    if any("probabilities" not in entry for entry in own):
        lacking.add(PROBABILITIES)
    if any("predicted" not in trace_file(entry["traces"]).columns for entry in own):
        lacking.add(CONFUSIONS)
    return lacking


def left_out_for(config: Mapping) -> dict[str, str]:
    """Return the findings that own runs lack something for, and what."""
    own = own_runs_of(config)
    reasons = {}
    if without := [run for run, entry in own.items() if "probabilities" not in entry]:
        reasons["ensemble_coverage"] = (
            f"it averages probabilities, and {_so_many(without)} name none (key probabilities)"
        )
    columns = {run: trace_file(entry["traces"]).columns for run, entry in own.items()}
    late = [run for run, entry in own.items() if trace_file(entry["traces"]).first not in (0, None)]
    if late:
        reasons["early_loss"] = (
            f"it is about the loss at epoch 0, and the traces of {_so_many(late)} begin later"
        )
    if without := [run for run, found in columns.items() if "loss" not in found]:
        reasons["early_loss"] = f"it needs losses, and the traces of {_so_many(without)} have none"
    if without := [run for run, found in columns.items() if "presentations" not in found]:
        why = f"it needs how often samples were shown, and the traces of {_so_many(without)} do not tell (presentations)"
        reasons |= {"treatment_comparison": why, "pruning_transfer": why}
    return reasons


def told_own(config: Mapping) -> Iterator[str]:
    """Yield what should be known of a study with own runs before it starts."""
    own = own_runs_of(config)
    if not own:
        return
    trained = len(trained_runs(config))
    rest = (
        f"{plural(trained, 'other')} {'is' if trained == 1 else 'are'} trained here"
        if trained
        else "none is trained here"
    )
    yield f"{KEY}: {plural(len(own), 'run')} {'was' if len(own) == 1 else 'were'} trained elsewhere, {rest}"
    if "class_forgetting" in config["findings"]:
        yield (
            f"{KEY}: they have no class centroids, so class_forgetting does not compare confusions with the nearness of "
            "classes"
        )
    renamed = {
        f"{name} {value} as {said}": None
        for run, entry in own.items()
        for name, value in zip(SAID, run, strict=True)
        if (said := trace_file(entry["traces"]).says.get(name, str(value))) != str(value)
    }
    if renamed:
        yield f"{KEY}: traces were recorded under other names: {listed(renamed)}"
    if measured := [run for run, e in own.items() if trace_file(e["traces"]).says.get(MEASURED)]:
        yield (
            f"{KEY}: {_so_many(measured)} were measured while training, with its augmentation and dropout: compare them with "
            "none that was evaluated between epochs"
        )
    if any(CONFUSIONS in lacking_files(config, dataset) for dataset in config["datasets"]):
        yield (
            f"{KEY}: some traces lack the column predicted; what samples were taken for is in no figure and no finding"
        )


def own_faults(config: Mapping, datasets: Mapping) -> Iterator[str]:
    """Yield one line per own run that is no run of the study or has no traces, and per run that is neither own nor trainable.

    datasets: the definitions of all data sets by name.
    """
    own, studied = own_runs_of(config), set(runs_of(config))
    entries = config.get(KEY, [])
    named = [_named(entry) for entry in entries]
    for run in dict.fromkeys(one for one in named if named.count(one) > 1):
        yield f"{KEY}: {told(run)} stands {named.count(run)} times; give each run one file"
    files = [str(Path(entry["traces"])) for entry in entries]
    for file in dict.fromkeys(one for one in files if files.count(one) > 1):
        runs = [told(run) for run, one in zip(named, files, strict=True) if one == file]
        yield f"{KEY}: {file} stands for {listed(runs)}; each run has traces of its own"
    for run, entry in own.items():
        if run not in studied:
            yield _stranger(config, run)
        for key in ("traces", "probabilities"):
            if key in entry and (fault := _fault_of_file(entry[key])):
                yield f"{KEY}: {told(run)}: {key}: {fault}"
        found = trace_file(entry["traces"])
        if found.fault:
            yield f"{KEY}: {told(run)}: {entry['traces']} {found.fault}"
        yield from _of_another_run(config, run, entry["traces"], found)
    yield from _untrainable(config, datasets)
    yield from _of_copies(config, datasets)


def told(run: Run) -> str:
    """Return a run in words."""
    dataset, architecture, treatment, seed = run
    return f"{architecture} on {dataset}, {treatment}, seed {seed}"


def _of_another_run(config: Mapping, run: Run, file: str, found: TraceFile) -> Iterator[str]:
    """Yield a line where a file says that it is of another run of the study: files were swapped."""
    names = zip(SAID, run, SAID.values(), strict=True)
    for name, value, key in names:
        said = found.says.get(name, str(value))
        others = [str(other) for other in config[key]]
        if said != str(value) and said in others:
            yield (
                f"{KEY}: {told(run)}: {file} says that it is of {name} {said}; name the file of this run, or record it "
                "under the right name"
            )


def _named(entry: Mapping) -> Run:
    treatment = entry.get("treatment", RANDOM)
    return entry["dataset"], entry["architecture"], treatment, entry["seed"]


def _so_many(runs: list[Run]) -> str:
    return f"{plural(len(runs), 'run')} of {KEY}"


def _stranger(config: Mapping, run: Run) -> str:
    """Return which name of a run is none of the study's."""
    dataset, architecture, treatment, seed = run
    keys = {"datasets": dataset, "architectures": architecture, "treatments": treatment}
    controls = config["control_architectures"]
    for key, name in keys.items():
        known = [*config[key], *(controls if key == "architectures" else ())]
        if name not in known:
            return f"{KEY}: {told(run)}: {name!r} is not in {key}, which has {listed(known)}{nearest(name, known)}"
    if seed not in config["seeds"]:
        seeds = listed(map(str, config["seeds"]))
        return f"{KEY}: {told(run)}: seed {seed} is not in seeds, which has {seeds}"
    return f"{KEY}: {told(run)}: a control has runs of {RANDOM} alone"


def _fault_of_file(name: str) -> str:
    """Return what is wrong with a file before it is read, "" where nothing is."""
    path = Path(name)
    if {"{", "}"} & {*name} or name.startswith("-"):
        return f"{name} has braces or begins with -, which commands misread; move or link the file"
    if path.is_file():
        return ""
    if path.is_dir():
        return f"{name} is a folder; name a file"
    if fault := unclosed(path):
        return f"{name} {fault}"
    return f"{name} does not exist; correct its path"


def _untrainable(config: Mapping, datasets: Mapping) -> Iterator[str]:
    """Yield one line per reason for which runs that are not own can not be trained either."""
    own = {architecture for _, architecture, _, _ in own_runs_of(config)}
    treatments = config["treatment_definitions"]
    lacking: dict[str, list[Run]] = {}
    for run in trained_runs(config):
        dataset, architecture, treatment, _ = run
        if treatments.get(treatment, {}).get("sampler") == ELSEWHERE:
            why = f"{treatment} is of runs that were trained elsewhere"
        elif architecture not in own or architecture in config["architecture_definitions"]:
            why = _without_images(dataset, datasets)
        else:
            why = f"architecture_definitions has no {architecture} to train"
        if not why:
            continue
        lacking.setdefault(why, []).append(run)
    for why, runs in lacking.items():
        yield (
            f"{KEY}: lacks {plural(len(runs), 'run')} of the study, and {why}: {listed(map(told, runs))}; name their "
            "traces, or shorten datasets, architectures, treatments or seeds"
        )


def _of_copies(config: Mapping, datasets: Mapping) -> Iterator[str]:
    """Yield one line per reason for which copies with planted labels, on which every architecture is trained, can not be made."""
    copied = completed("planted", config.get("planted", {}))["datasets"]
    for why in filter(None, (_without_images(name, datasets) for name in copied)):
        yield f"planted.datasets: {why}, and copies are trained; take it out"
    own = {architecture for _, architecture, _, _ in own_runs_of(config)}
    undefined = [
        name
        for name in config["architectures"]
        if name in own and name not in config["architecture_definitions"]
    ]
    if copied and undefined:
        yield (
            f"planted.datasets: copies are trained with every architecture, and architecture_definitions lacks {listed(undefined)}; "
            "define them, or plant no labels"
        )


def _without_images(dataset: str, datasets: Mapping) -> str:
    """Return that a data set has no images to train on, "" where it has."""
    return "" if has_images(datasets.get(dataset, {})) else f"{dataset} has no images to train on"


def has_images(definition: Mapping) -> bool:
    """Tell whether a data set has images: all but an index that says of none where they are."""
    if definition.get("adapter") != "index":
        return True
    from retention.data.adapters import index  # PIL and pandas are not needed else

    try:
        return index.has_images(definition)
    except (UserError, OSError):  # `index_dataset` says what is wrong with the table
        return False
