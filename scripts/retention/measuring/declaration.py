"""What a finding and a figure say of themselves: the workflow, the commands and the report follow from it.

A finding is a folder of `retention/findings`, declared by `FINDING` in its `__init__.py`; its name is the
folder's. Beside it lie `measure.py` (`read` and `measure`), `sentences.py` (`sentences`) and one
`draw_<figure>.py` (`draw`) per figure. A figure that belongs to no finding is a folder of
`retention/figures`, declared by `FIGURE`, with its `draw_<figure>.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from retention.common.treatment_names import PRUNED, RANDOM, UNPRUNED

__all__ = [
    "PRUNED",
    "RANDOM",
    "UNPRUNED",
    "DatasetFile",
    "Figure",
    "Finding",
    "Need",
    "RunFiles",
    "Setting",
    "StudyFile",
]


@dataclass(frozen=True, init=False)
class RunFiles:
    """Files of every run of a data set, the runs in one order whatever the file.

    names: files in a run's folder; of several, the option takes the folders. of: which treatments' runs.
    optional: the command does without them; the workflow always gives them.
    """

    names: tuple[str, ...]
    of: str
    optional: bool

    def __init__(self, *names: str, of: str = RANDOM, optional: bool = False):
        for key, value in {"names": names, "of": of, "optional": optional}.items():
            object.__setattr__(self, key, value)

    @property
    def what(self) -> str:
        """Return what the option takes, in words."""
        if len(self.names) == 1:
            return f"{self.names[0]} of the runs"
        return f"folders of the runs, with {', '.join(self.names)}"


@dataclass(frozen=True)
class DatasetFile:
    """One file in the folder of a data set's results, such as classes.csv."""

    name: str
    optional: bool = False

    @property
    def what(self) -> str:
        """Return what the option takes, in words."""
        return self.name


@dataclass(frozen=True)
class StudyFile(DatasetFile):
    """One file in the folder of the study's results, which is about all its data sets."""


Reads = Mapping[str, RunFiles | DatasetFile]  # by the command's option


@dataclass(frozen=True)
class Need:
    """What a study must have for a finding, and the reason that is given where it has not.

    what: architectures, seeds, runs (of `random`), treatments (of those the finding reads), probabilities
    (stored ones), paired_pruning (a score beside random pruning of one keep-fraction), warm_up (a head
    warm-up in every recipe). least: how many.
    """

    what: str
    why: str
    least: int = 1


@dataclass(frozen=True)
class Setting:
    """An option of a finding beside the statistics: how its text is understood, and what it may say."""

    parse: Callable[[str], object]
    help: str
    default: str = '""'


@dataclass(frozen=True)
class Figure:
    """A figure: its name, title and caption, and the files it is drawn from by option.

    reads: may be left out by a figure of a finding, which then is drawn from the finding's table.
    """

    name: str
    title: str
    caption: str
    reads: Reads = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """A finding: its number and question, what it reads and needs, its figures.

    reads: what `measure.read` takes, by option; files of runs among them, all of the same treatments.
    settings: options beside the statistics; the workflow takes their values from the study.
    """

    number: int
    question: str
    reads: Reads
    figures: tuple[Figure, ...]
    needs: tuple[Need, ...] = ()
    settings: Mapping[str, Setting] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self._read_of()) != 1:
            raise ValueError(
                f"F{self.number}: must read files of runs, all `of` the same treatments, not of "
                f"{', '.join(sorted(self._read_of())) or 'none'}"
            )

    def _read_of(self) -> set[str]:
        return {files.of for files in self.reads.values() if isinstance(files, RunFiles)}

    @property
    def title(self) -> str:
        """Return the heading under which the finding is told."""
        return f"F{self.number}. {self.question}"

    @property
    def treatments(self) -> str:
        """Return which treatments' runs it reads."""
        return next(iter(self._read_of()))


def of_finding(figure: Figure, finding: str) -> Figure:
    """Return a finding's figure with what it reads written out."""
    table = {"finding": DatasetFile(f"findings/{finding}.csv")}
    return figure if figure.reads else replace(figure, reads=table)
