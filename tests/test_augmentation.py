"""Batch augmentation against torchvision's transforms of the same images."""

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp
from torchvision.transforms import v2

from retention.training.augmentation import (
    ATTEMPTS,
    Augmentation,
    BatchMaker,
    crop_and_resize,
    draw,
    random_box,
    vary_colour,
)
from retention.training.models import Normalisation

SHAPES = [(256, 256), (256, 341), (256, 512), (300, 60)]
UNIT = Normalisation((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


class Noise:
    """Images of several shapes, smooth enough to be resized."""

    def __init__(self):
        draws = np.random.default_rng(0)
        coarse = [draws.integers(0, 256, (h // 8, w // 8, 3)) for h, w in SHAPES]
        self.images = [np.kron(c, np.ones((8, 8, 1))).astype(np.uint8) for c in coarse]

    def image(self, index):
        return self.images[index % len(self.images)]


def batches(maker, augmentation, seed=0, count=3):
    generator = torch.Generator().manual_seed(seed)
    indices = [np.arange(8) + k for k in range(count)]
    return torch.stack(list(maker.augmented(indices, augmentation, generator)))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("scale", [(0.08, 1.0), (0.5, 1.0)])
def test_crops_are_distributed_as_torchvisions(shape, scale):
    torch.manual_seed(1)
    image = torch.empty(3, *shape)
    keys = ("top", "left", "height", "width")
    transform = v2.RandomResizedCrop(8, scale=scale)
    params = [transform.make_params([image]) for _ in range(3000)]
    theirs = np.array([[each[key] for key in keys] for each in params], dtype=float)
    uniform = np.random.default_rng(2).random((3000, ATTEMPTS, 4))
    ours = np.array([random_box(*shape, scale, rows) for rows in uniform], dtype=float)
    for column in range(4):
        assert ks_2samp(ours[:, column], theirs[:, column]).pvalue > 1e-3, keys[column]
    areas = [boxes[:, 2] * boxes[:, 3] for boxes in (ours, theirs)]
    assert ks_2samp(*areas).pvalue > 1e-3


def test_a_crop_is_resized_to_the_bytes_of_torchvision():
    for image in Noise().images:
        height, width = image.shape[:2]
        box = (height // 5, width // 7, height // 2, width // 2)
        planes = torch.from_numpy(image).permute(2, 0, 1)
        expected = v2.functional.resized_crop(planes, *box, [64, 64], antialias=True)
        ours = torch.from_numpy(crop_and_resize(image, box, 64)).permute(2, 0, 1)
        assert (ours.int() - expected.int()).abs().max() <= 1


def test_colour_varies_as_torchvisions_jitter():
    torch.manual_seed(3)
    image = torch.from_numpy(Noise().images[0]).permute(2, 0, 1).float() / 255
    jitter = v2.ColorJitter(brightness=0.4, contrast=0.4)
    theirs = torch.stack([jitter(image) for _ in range(400)])
    generator = torch.Generator().manual_seed(4)
    draws = draw([(256, 256)] * 400, Augmentation((0.5, 1.0), False, 0.4), generator)
    ours = vary_colour(image.expand(400, -1, -1, -1), draws)
    for statistic in (lambda b: b.mean(dim=(1, 2, 3)), lambda b: b.flatten(1).std(dim=1)):
        assert ks_2samp(statistic(ours), statistic(theirs)).pvalue > 1e-3
    assert ours.min() >= 0 and ours.max() <= 1


def test_half_of_the_images_are_mirrored():
    generator = torch.Generator().manual_seed(5)
    draws = draw([(9, 9)] * 4000, Augmentation((0.5, 1.0), True), generator)
    assert draws.flip.mean() == pytest.approx(0.5, abs=0.03)
    maker = BatchMaker(Noise(), 32, UNIT, torch.device("cpu"))
    plain, flipped = (batches(maker, Augmentation((0.5, 1.0), flip)) for flip in (False, True))
    same = (plain == flipped).flatten(2).all(dim=2)
    mirrored = (plain.flip(4) == flipped).flatten(2).all(dim=2)
    assert (same | mirrored).all()
    assert same.any() and mirrored.any()


def test_batches_are_repeatable_and_independent_of_the_number_of_readers():
    augmentation = Augmentation((0.3, 1.0), True, 0.2)
    makers = [BatchMaker(Noise(), 32, UNIT, torch.device("cpu"), readers=n) for n in (1, 3)]
    first = batches(makers[0], augmentation)
    assert torch.equal(first, batches(makers[0], augmentation))
    assert torch.equal(first, batches(makers[1], augmentation))
    assert not torch.equal(first, batches(makers[0], augmentation, seed=1))


def test_clean_batches_are_the_centre_square_normalised():
    normalisation = Normalisation((0.1, 0.2, 0.3), (0.5, 0.6, 0.7))
    maker = BatchMaker(Noise(), 64, normalisation, torch.device("cpu"))
    batch = next(maker.clean([np.arange(4)]))
    for row, image in enumerate(Noise().images):
        side = min(image.shape[:2])
        planes = torch.from_numpy(image).permute(2, 0, 1)
        square = v2.functional.center_crop(planes, [side, side])
        expected = v2.functional.resize(square, [64, 64], antialias=True).float() / 255
        expected = v2.functional.normalize(expected, normalisation.mean, normalisation.std)
        torch.testing.assert_close(batch[row], expected, atol=0.009, rtol=0)


@pytest.mark.parametrize("channels_last", [False, True])
def test_bytes_finished_on_the_device_are_the_floats_of_the_cpu(channels_last, monkeypatch):
    normalisation = Normalisation((0.1, 0.2, 0.3), (0.5, 0.6, 0.7))
    maker = BatchMaker(Noise(), 64, normalisation, torch.device("cpu"), channels_last)
    quick = next(maker.clean([np.arange(4)]))
    monkeypatch.setattr(maker.writer, "_as_bytes", lambda _: True)  # as on a GPU
    whole = next(maker.clean([np.arange(4)]))
    assert quick.is_contiguous(
        memory_format=torch.channels_last if channels_last else torch.contiguous_format
    )
    assert quick.stride() == whole.stride()
    assert torch.equal(quick, whole)


def test_a_batch_that_is_kept_is_not_written_over():
    maker = BatchMaker(Noise(), 32, UNIT, torch.device("cpu"))
    indices = [np.arange(8) + k for k in range(30)]
    kept, copies = [], []
    for number, batch in enumerate(maker.clean(indices)):
        if number % 3 == 0:
            kept.append(batch[2:4])  # a view is enough
            copies.append(batch[2:4].clone())
    for view, copy in zip(kept, copies, strict=True):
        assert torch.equal(view, copy)
    assert len(maker.writer.rooms) <= 6
