"""Both versions train the same for two epochs, and what they write is held against each other."""

import json
import re
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

import pyarrow.parquet as pq

from retention.common.errors import UserError
from retention.workflow.adoption.candidates import Candidate, as_trained
from retention.workflow.adoption.command import Command
from retention.workflow.adoption.comparison import difference, read_notes
from retention.workflow.adoption.old_tree import Tree

EPOCHS = 2
STORE = '{"probabilities": "all", "weights": "final"}'
RUN_OUTPUTS = {
    "traces": "traces.parquet",
    "epochs": "epochs.csv",
    "centroids": "class_centroids.npy",
    "probabilities": "probabilities.npy",
    "final_weights": "weights.safetensors",
}
BACKBONE_OUTPUTS = {"log_table": "epochs.csv", "output": "weights.safetensors"}
NOT_COMPARED = {"run": "run.yaml", "state": "state"}
EPOCH_COLUMN = re.compile(r"epoch_(\d+)")


def check_run(
    candidate: Candidate, old: Tree, root: Path, places: Mapping[str, Path], scratch: Path
) -> None:
    """Train a run's first two epochs by both versions; `UserError` where one byte differs.

    places: where the small files wait that only this version knows.
    """
    epochs = min(EPOCHS, candidate.facts["recipe"]["epochs"])
    more = {"recipe": json.dumps({**candidate.facts["recipe"], "epochs": epochs}), "store": STORE}
    if "reviews" in candidate.command.options:
        more["reviews"] = scratch / "reviews.parquet"
        cut_schedule(Path(candidate.command["reviews"]), more["reviews"], epochs)
    ours = candidate.command.given(device=candidate.device, **more).moved(places)
    theirs = as_trained(candidate).given(**more)
    _compare((old, theirs), (root, ours), RUN_OUTPUTS, candidate.name, scratch)


def check_backbone(
    command: Command, old: Tree, root: Path, places: Mapping[str, Path], scratch: Path
) -> None:
    """Train a backbone's first two epochs by both versions; `UserError` where one byte differs."""
    notes = read_notes(Path(command["output"]))
    recipe = json.loads(notes["recipe"])
    recipe["epochs"] = min(EPOCHS, recipe["epochs"])
    theirs = command.given(recipe=json.dumps(recipe), definition=notes["definition"], digest=None)
    ours = theirs.given(definition=command["definition"]).moved(places)
    _compare((old, theirs), (root, ours), BACKBONE_OUTPUTS, command["output"], scratch)


def cut_schedule(path: Path, cut: Path, epochs: int) -> None:
    """Write the first epochs of a schedule of reviews."""
    table = pq.read_table(path)
    kept = [
        name
        for name in table.column_names
        if not (found := EPOCH_COLUMN.fullmatch(name)) or int(found[1]) <= epochs
    ]
    cut.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.select(kept), cut)


def _compare(
    theirs: tuple[Tree, Command],
    ours: tuple[Path, Command],
    outputs: Mapping[str, str],
    name: str,
    scratch: Path,
) -> None:
    old, command = theirs
    before = _outputs(scratch / "before", outputs)
    command.given(**before).known(_taken(old, command)).run(old.folder, f"{name}, by {old.name}")
    root, command = ours
    now = _outputs(scratch / "now", outputs)
    command.given(**now).run(root, f"{name}, by this version")
    for option, file in outputs.items():
        if found := difference(Path(before[option]), Path(now[option])):
            raise UserError(
                f"{name}: this version trains otherwise than {old.name}: after {EPOCHS} epochs {file} differs, "
                f"first in {found}; nothing was adopted"
            )
    shutil.rmtree(scratch)


def _taken(old: Tree, command: Command) -> Collection[str]:
    return old.options[command.script]


def _outputs(folder: Path, names: Mapping[str, str]) -> dict[str, Path]:
    folder.mkdir(parents=True)
    more = NOT_COMPARED if "traces" in names else {}
    return {option: folder / file for option, file in {**names, **more}.items()}
