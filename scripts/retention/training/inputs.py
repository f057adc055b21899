"""What a training command is given: a split, a cache of images, weights, each held against its digest."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from retention.common.digests import digest_weights
from retention.common.errors import UserError
from retention.common.parquet_tables import read_parquet
from retention.common.yaml_files import read_stated
from retention.data.image_cache import ImageCache, require_cached
from retention.data.split_digest import require_split
from retention.training.tracking import Samples


@dataclass(frozen=True)
class ImageFiles:
    """The files of a data set that training reads.

    images: pixels.yaml, which pixels and layout are held against. split: split.yaml, likewise of the index.
    """

    index: Path
    pixels: Path
    layout: Path
    images: Path | None = None
    split: Path | None = None

    def samples(self) -> Samples:
        """Return the samples; raise `UserError` where a file is not what the small one beside it states."""
        table = read_parquet(self.index, columns=("sample_index", "label", "split"))
        if self.images:
            require_cached(self.images, self.pixels, self.layout)
        if self.split:
            require_split(self.split, table, self.index)
        return Samples.from_index(table)

    def cache(self) -> ImageCache:
        """Return the cache of their images."""
        return ImageCache(self.pixels, self.layout)


def add_images(parser: argparse.ArgumentParser) -> None:
    """Let a command take the files of `ImageFiles`."""
    for name in ("index", "pixels", "layout"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument(
        "--images", type=Path, help="pixels.yaml of cache_images, which both files are held against"
    )
    parser.add_argument(
        "--split", type=Path, help="split.yaml of split_dataset, which the index is held against"
    )


def image_files(options: argparse.Namespace) -> ImageFiles:
    """Return the files that a command was given."""
    return ImageFiles(options.index, options.pixels, options.layout, options.images, options.split)


def require_tensors(stated: Path, weights: Path) -> None:
    """Raise `UserError` where a file of weights does not hold the tensors whose digest is stated."""
    if read_stated(stated).get("sha256") != digest_weights(weights):
        raise UserError(
            f"{weights}: does not hold the tensors that {stated} tells of; delete both to make them anew, or name "
            "your own file: architecture_definitions.<name>.weights: {file: path}"
        )
