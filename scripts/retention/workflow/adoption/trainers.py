"""Both versions train the same for two epochs, and what they write is held against each other."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as pq

from retention.common.errors import UserError
from retention.workflow.adoption.candidates import Candidate, as_trained
from retention.workflow.adoption.command import (
    BACKBONE_RESULTS,
    RUN_NOTES,
    RUN_RESULTS,
    STATE,
    Command,
)
from retention.workflow.adoption.comparison import difference, gained, read_notes
from retention.workflow.adoption.old_tree import Tree, options_of

EPOCHS = 2
STORE = '{"probabilities": "all", "weights": "final"}'
EPOCH_COLUMN = re.compile(r"epoch_(\d+)")


def check_run(
    candidate: Candidate, old: Tree, root: Path, places: Mapping[str, Path], scratch: Path
) -> list[str]:
    """Train a run's first two epochs by both versions; `UserError` where one byte differs.

    places: where the files wait that only this version knows. Returns the columns that this version writes
    beside those of the old one, as `column of file`.
    """
    epochs = min(EPOCHS, candidate.facts["recipe"]["epochs"])
    more = {"recipe": json.dumps({**candidate.facts["recipe"], "epochs": epochs}), "store": STORE}
    if "reviews" in candidate.command.options:
        cut = scratch / "reviews.parquet"
        cut_schedule(Path(candidate.command["reviews"]), cut, epochs)
        more["reviews"] = str(cut)
    ours = candidate.command.given(device=candidate.device, **more).moved(places)
    theirs = as_trained(candidate).given(**more)
    return _compare((old, theirs), (root, ours), RUN_RESULTS, candidate.name, scratch)


def check_backbone(
    command: Command, old: Tree, root: Path, places: Mapping[str, Path], scratch: Path
) -> list[str]:
    """Train a backbone's first two epochs by both versions, as `check_run` does a run's."""
    notes = read_notes(Path(command["output"]))
    recipe = json.loads(notes["recipe"])
    recipe["epochs"] = min(EPOCHS, recipe["epochs"])
    theirs = command.given(recipe=json.dumps(recipe), definition=notes["definition"], digest=None)
    ours = theirs.given(definition=command["definition"]).moved(places)
    return _compare((old, theirs), (root, ours), BACKBONE_RESULTS, command["output"], scratch)


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
    results: Mapping[str, str],
    name: str,
    scratch: Path,
) -> list[str]:
    old, command = theirs
    before, now = (_places(scratch / part, results) for part in ("before", "now"))
    known = options_of(old, command.script)
    command.given(**before).known(known).run(old.folder, f"{name}, by {old.name}")
    root, command = ours
    command.given(**now).run(root, f"{name}, by this version")
    more = []
    for option, file in results.items():
        if found := difference(before[option], now[option]):
            raise UserError(
                f"{name}: this version trains otherwise than {old.name}: after {EPOCHS} epochs {file} differs, "
                f"first in {found}; nothing was adopted"
            )
        more += [f"{column} of {file}" for column in gained(before[option], now[option])]
    shutil.rmtree(scratch)
    return more


def _places(folder: Path, results: Mapping[str, str]) -> dict[str, Path]:
    """Return where a training in a folder writes each of its outputs, and make the folder."""
    folder.mkdir(parents=True)
    notes = RUN_NOTES if results is RUN_RESULTS else STATE
    return {option: folder / file for option, file in {**results, **notes}.items()}
