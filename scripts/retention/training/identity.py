"""What a run depends on: its names, its settings, the files that it reads, the machine."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from retention.common.digests import digest_file, digest_of, digest_sparsely
from retention.common.options import without_defaults
from retention.common.parquet_tables import read_parquet
from retention.data.image_cache import require_cached
from retention.data.split_digest import require_split
from retention.sampling.treatments import shortest_treatment
from retention.training.machine import versions
from retention.training.run import RunNames, RunSettings


@dataclass(frozen=True)
class RunFiles:
    """The files of a data set that a run reads.

    images: pixels.yaml, which pixels and layout are held against. split: split.yaml, likewise of the index.
    """

    index: Path
    pixels: Path
    layout: Path
    images: Path | None = None
    split: Path | None = None

    def table(self) -> pd.DataFrame:
        """Return sample_index, label and split of every sample.

        Raises `UserError` where a file is not what the small one beside it states.
        """
        table = read_parquet(self.index, columns=("sample_index", "label", "split"))
        if self.images:
            require_cached(self.images, self.pixels, self.layout)
        if self.split:
            require_split(self.split, table, self.index)
        return table


def identity_of(
    names: RunNames, settings: RunSettings, files: RunFiles, device: str
) -> dict[str, str]:
    """Return a digest of each thing that the run's numbers depend on.

    device: its kind, `cpu` or `cuda`. Options at their default are left out: one that is added later makes
    no other run of it.
    """
    return {
        "run": digest_of(vars(names)),
        "recipe": digest_of(without_defaults("recipe", settings.recipe)),
        "architecture definition": digest_of(without_defaults("architecture", settings.definition)),
        "treatment definition": digest_of(shortest_treatment(settings.treatment)),
        "store": digest_of(without_defaults("store", settings.store)),
        "code version": settings.code_version,
        "package versions": digest_of(versions()),
        "index": digest_file(files.split or files.index),
        "images": digest_file(files.images)
        or digest_file(files.layout) + digest_sparsely(files.pixels),
        "weights": digest_file(settings.weights),
        "reviews": digest_file(settings.reviews),
        "device": device,
    }
