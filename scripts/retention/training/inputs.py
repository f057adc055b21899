"""What a training command is given: the split, the image cache and weights, each held against its digest."""

import argparse
from pathlib import Path

from retention.common.digests import digest_weights
from retention.common.errors import UserError
from retention.common.parquet_tables import read_parquet
from retention.common.yaml_files import read_stated
from retention.data.image_cache import ImageCache, require_cached
from retention.data.split_digest import require_split
from retention.training.tracking import Samples


def add_images(parser: argparse.ArgumentParser) -> None:
    """Let a command take a split and a cache of images, and the small files that tell what both hold."""
    for name in ("index", "pixels", "layout"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument(
        "--images", type=Path, help="pixels.yaml of cache_images, which both files are held against"
    )
    parser.add_argument(
        "--split", type=Path, help="split.yaml of split_dataset, which the index is held against"
    )


def read_images(options: argparse.Namespace) -> tuple[Samples, ImageCache]:
    """Return the samples and their images; raise `UserError` where a file is not what its digest tells of."""
    table = read_parquet(options.index, columns=("sample_index", "label", "split"))
    if options.images:
        require_cached(options.images, options.pixels, options.layout)
    if options.split:
        require_split(options.split, table, options.index)
    return Samples.from_index(table), ImageCache(options.pixels, options.layout)


def require_tensors(stated: Path, weights: Path) -> None:
    """Raise `UserError` where a file of weights does not hold the tensors whose digest is stated."""
    if read_stated(stated).get("sha256") != digest_weights(weights):
        raise UserError(
            f"{weights}: does not hold the tensors that {stated} tells of; delete both to make them anew, or name "
            "your own file: architecture_definitions.<name>.weights: {file: path}"
        )
