"""Handwritten digits of 8 × 8 pixels, out of scikit-learn: the data of all examples in this folder."""

from collections.abc import Mapping

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

TRAIN, TEST = 400, 100


def digits() -> Mapping[str, tuple[np.ndarray, np.ndarray]]:
    """Return images, float32 [N, 1, 8, 8] from 0 to 1, and labels, int64 [N], by split."""
    images, labels = load_digits(return_X_y=True)
    images = (images.reshape(-1, 1, 8, 8) / 16).astype(np.float32)
    parts = train_test_split(
        images, labels, train_size=TRAIN, test_size=TEST, stratify=labels, random_state=0
    )
    return {"train": (parts[0], parts[2]), "test": (parts[1], parts[3])}
