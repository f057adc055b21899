"""Training batches from the image cache against ImageFolder + DataLoader, side by side.

Both read the same JPEGs at the sizes of CUB-200-2011 (500 x 375) and OCTDL (1000 x 500) and make
batches of 224 pixels with the same augmentation: random resized crop of the whole image, flip,
normalisation. The baseline is torchvision's own, with 2 persistent workers, after a first epoch.
Also prints what building the cache costs, in epochs of the baseline.

    python benchmarks/image_path.py                     # the claim (4 minutes on 2 cores)
    python benchmarks/image_path.py --images 96 --epochs 1
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision import datasets
from torchvision.transforms import v2

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from record import record

from retention.data.caching import write_cache
from retention.data.catalogue import index_images
from retention.data.image_cache import ImageCache
from retention.training.augmentation import Augmentation
from retention.training.batches import BatchMaker
from retention.training.machine import prepare_torch
from retention.training.models import Normalisation
from retention.training.view import INTERPOLATIONS, View

SIZES = {"cub": (500, 375), "octdl": (1000, 500)}
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
BATCH, SIZE, STORED, WORKERS = 64, 224, 256, 2
SCALE = (0.5, 1.0)
DEVICE = torch.device("cpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="write the table that the docs show")
    arguments = parser.parse_args()
    prepare_torch(WORKERS, DEVICE)  # as a training does: memory that is freed is kept
    ratios = {}
    for name, size in SIZES.items():
        with tempfile.TemporaryDirectory() as folder:
            ratios |= measure(name, size, Path(folder), arguments)
    settings = {"images": arguments.images, "epochs": arguments.epochs, "workers": WORKERS}
    record("image_path", settings, ratios, write=arguments.write)


def measure(name: str, size: tuple[int, int], folder: Path, arguments) -> dict[str, float]:
    """Return the ratios of one image size; prints the times they are made of."""
    write_jpegs(folder / "images", size, arguments.images)
    baseline = imagefolder(folder / "images")
    next_epoch(baseline)  # starts the workers, warms the file cache
    built, cache = build_cache(folder)
    settings = cache, SIZE, Normalisation(MEAN, STD), DEVICE
    makers = [BatchMaker(*settings, readers=WORKERS, view=View(1, how)) for how in INTERPOLATIONS]
    for maker in makers:
        next_epoch(from_cache(maker, arguments.images, 0))
    seconds = [
        [
            next_epoch(baseline),
            *(next_epoch(from_cache(m, arguments.images, epoch)) for m in makers),
        ]
        for epoch in range(arguments.epochs)
    ]
    per_image = 1000 / arguments.images
    a, b, c = (statistics.median(of) * per_image for of in zip(*seconds, strict=True))
    print(
        f"{name}: ImageFolder {a:.2f} ms/image, cache {b:.3f} ms/image, {a / b:.1f} times as fast; "
        f"bicubic {c:.3f} ms/image"
    )
    print(f"{name}: building the cache {built * per_image:.2f} ms/image")
    return {
        f"{name}_speedup": a / b,
        f"{name}_cache_in_epochs": built * per_image / a,
        f"{name}_bicubic_times_as_long": c / b,
    }


def imagefolder(folder: Path) -> DataLoader:
    """Return the usual loader at its best ordinary settings."""
    transform = v2.Compose(
        [
            v2.PILToTensor(),
            v2.RandomResizedCrop(SIZE, scale=SCALE, antialias=True),
            v2.RandomHorizontalFlip(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(MEAN, STD),
        ]
    )
    images = datasets.ImageFolder(folder, transform)
    return DataLoader(
        images, BATCH, shuffle=True, num_workers=WORKERS, persistent_workers=True, prefetch_factor=4
    )


def from_cache(maker: BatchMaker, count: int, epoch: int):
    """Yield an epoch's batches from the cache."""
    order = np.random.default_rng(epoch).permutation(count)
    generator = torch.Generator().manual_seed(epoch)
    starts = range(0, count, BATCH)
    return maker.augmented(
        (order[s : s + BATCH] for s in starts), Augmentation(SCALE, True), generator
    )


def build_cache(folder: Path) -> tuple[float, ImageCache]:
    """Return the seconds to index and cache the images, and the cache."""
    definition = {"adapter": "imagefolder", "folder": str(folder / "images")}
    table, _ = index_images("images", definition, folder, WORKERS)
    start = time.perf_counter()
    files = folder / "pixels.npy", folder / "layout.parquet"
    write_cache(definition, table, STORED, WORKERS, *files)
    return time.perf_counter() - start, ImageCache(*files)


def next_epoch(batches) -> float:
    """Return the seconds that an epoch of batches takes."""
    start = time.perf_counter()
    for batch in batches:
        images = batch[0] if isinstance(batch, list) else batch
        assert images.shape[1:] == (3, SIZE, SIZE)
    return time.perf_counter() - start


def write_jpegs(folder: Path, size: tuple[int, int], count: int, classes: int = 2) -> None:
    """Write photographs' likes in a folder per class: smooth fields, half the class's own, and grain.

    About 0.5 bytes a pixel.
    """
    draws, shape = np.random.default_rng(0), (12, 16, 3)
    own = np.random.default_rng(1).uniform(0, 128, (classes, *shape))
    for number in range(count):
        label = number % classes
        (folder / f"{label}").mkdir(parents=True, exist_ok=True)
        coarse = (own[label] + draws.uniform(0, 128, shape)).astype(np.uint8)
        field = np.asarray(
            Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC), dtype=float
        )
        grain = draws.normal(0, 12, (size[1], size[0], 1))
        pixels = (field + grain).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{label}/{number:05d}.jpg", quality=85)


if __name__ == "__main__":
    main()
