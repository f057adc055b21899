"""Pretrained backbones: whether each is what the old version would make of the files there are."""

from pathlib import Path

import yaml

from retention.common.digests import digest_file
from retention.common.options import without_defaults
from retention.workflow.adoption.candidates import other_packages, same_recipe
from retention.workflow.adoption.comparison import read_notes
from retention.workflow.adoption.graph import Graph, Job, Record
from retention.workflow.adoption.old_tree import Tree
from retention.workflow.adoption.questions import code_versions


def faults_of_backbones(graph: Graph, old: Tree) -> dict[str, list[str]]:
    """Return, by weights file, what keeps each backbone there is from being taken over; nothing, if it may be."""
    jobs = [job for job in graph.jobs("pretrain_backbone") if Path(job.output.weights).exists()]
    codes = code_versions(old.folder, [("pretrain_backbone", {})] if jobs else [])
    return {str(job.output.weights): backbone_faults(job, graph, codes[0]) for job in jobs}


def backbone_faults(job: Job, graph: Graph, code: str) -> list[str]:
    """Return what a backbone was made with, or from, that is otherwise today; code: the old version's."""
    weights = job.output.weights
    notes, record = read_notes(Path(weights)), graph.recorded(weights)
    if not {"recipe", "definition", "versions"} <= set(notes):
        return [f"{weights}, which does not say how it was made"]
    if record is None:
        return [f"{weights}, of which Snakemake has no record: what it was trained on is not known"]
    faults = other_packages(job.params.pins, yaml.safe_load(notes["versions"]))
    if not same_recipe(job.params.recipe, notes["recipe"]):
        faults.append("pretraining recipe")
    wanted, had = (
        without_defaults("architecture", yaml.safe_load(text))
        for text in (job.params.definition, notes["definition"])
    )
    faults += ["definition"] * (wanted != had)
    if not {repr(code), repr(job.params.code)} & set(record.params):
        faults.append("code, which is another than that of --from")
    faults += [f"{path}, which is not what it was trained on" for path in _changed(job, record)]
    return [f"{weights}: {fault}" for fault in faults]


def needs_training(job: Job, graph: Graph) -> bool:
    """Return whether a job pretrains a backbone, and other code than today's made the one there is."""
    if job.rule.name != "pretrain_backbone":
        return False
    record = graph.recorded(job.output.weights)
    return record is None or repr(job.params.code) not in record.params


def _changed(job: Job, record: Record) -> list[str]:
    """Return the files that a backbone was trained on and that are others today.

    As the Snakemake that made it would tell: by the recorded checksum, of files too large for one by time.
    Where small files were recorded that say what the large ones hold, they stand for them.
    """
    checksums = record.input_checksums or {}
    files, small = job.input, [str(job.input.split), str(job.input.images)]
    large = [str(path) for path in (files.index, files.pixels, files.layout)]
    made = Path(job.output.weights).stat().st_mtime_ns

    def is_same(path: str) -> bool:
        if not Path(path).exists():
            return False
        if path in checksums:
            return checksums[path].rpartition(":")[2] == digest_file(path)
        return Path(path).stat().st_mtime_ns <= made

    return [
        path for path in (small if set(small) <= set(checksums) else large) if not is_same(path)
    ]
