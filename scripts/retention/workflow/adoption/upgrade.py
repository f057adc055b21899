"""A study on its way from the version that made it to this one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from retention.workflow.adoption.graph import Graph
from retention.workflow.adoption.old_tree import Tree


@dataclass(frozen=True)
class Upgrade:
    """What every step of an adoption is given.

    old: the version that made the results. root: the sources of this one. scratch: an empty folder.
    cores: tables that are made again at a time. said: called with each line that the user is told.
    """

    graph: Graph
    old: Tree
    root: Path
    scratch: Path
    cores: int = 1
    said: Callable[[str], None] = print
