"""What a series says of itself: the numbers that a figure of no finding is drawn from.

A series is a folder of `retention/series`, declared by `SERIES` in its `__init__.py`; its name is the folder's.
Beside it lies `measure.py`: `read` takes a list of paths per entry of `reads`, `measure` what `read` returns. No
series tests anything, and no sentence stands on one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from retention.measuring.declaration import RunFiles, Setting


@dataclass(frozen=True)
class Series:
    """The declaration of a series.

    what: the table in words. reads: files of runs, by the command's option. statistics: whether `measure` is given
    the study's statistics. fits: whether it reads the decay curves that the study fits. settings: further options,
    which `measure` is given by their names; the workflow takes their values from the study.
    """

    what: str
    reads: dict[str, RunFiles]
    statistics: bool = False
    fits: bool = False
    settings: Mapping[str, Setting] = field(default_factory=dict)
