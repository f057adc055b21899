"""Images of noise, smooth and of several shapes, as a cache holds them; crops of them."""

import numpy as np
import torch

from retention.data.image_cache import Places
from retention.training.augmentation import Augmentation, draw
from retention.training.models import Normalisation

SHAPES = [(256, 256), (256, 341), (256, 512), (300, 60)]
UNIT = Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
CPU = torch.device("cpu")
BYTES = np.tile(np.arange(256, dtype=np.uint8), (3, 1))


class Noise:
    """Images of several shapes, smooth enough to be resized, one after the other as a cache's."""

    def __init__(self):
        draws = np.random.default_rng(0)
        coarse = [draws.integers(0, 256, (h // 8, w // 8, 3)) for h, w in SHAPES]
        self.images = [np.kron(c, np.ones((8, 8, 1))).astype(np.uint8) for c in coarse]
        self.pixels = np.concatenate([image.ravel() for image in self.images])
        self.pixels.flags.writeable = False  # as a map of a file
        sizes = np.array([image.size for image in self.images])
        heights, widths = (np.array([i.shape[k] for i in self.images], np.int32) for k in (0, 1))
        self.all_places = Places(sizes.cumsum() - sizes, heights, widths)

    def places(self, indices):
        return self.all_places[np.asarray(indices) % len(self.images)]


def random_crops(noise, count, scale=(0.08, 1.0)):
    """Return the places, boxes and flips of `count` crops of all shapes."""
    places = noise.places(np.arange(count))
    generator = torch.Generator().manual_seed(7)
    draws = draw(places.height, places.width, Augmentation(scale, True), generator)
    return places, draws.boxes, draws.flip
