"""The folder in which both versions make things for a comparison."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BESIDE = Path(".snakemake")
PREFIX = "adopt-"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield an empty folder on the disk of the results, gone afterwards."""
    BESIDE.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=BESIDE))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_scratch_of_killed(scratch: Path) -> None:
    """Delete what killed adoptions left beside the scratch folder; needs the lock of the graph."""
    for folder in scratch.parent.glob(f"{PREFIX}*"):
        if folder != scratch:
            shutil.rmtree(folder, ignore_errors=True)
