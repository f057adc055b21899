"""Batches from the cache's pixels against torchvision's transforms of the same images."""

import random
import threading
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from late_copies import LateCopies
from noise_images import BYTES, CPU, SHAPES, UNIT, Noise, random_crops
from scipy.stats import chisquare, ks_2samp
from timm.data.random_erasing import RandomErasing
from torchvision.transforms import v2

from retention.training.augmentation import ATTEMPTS, Augmentation, draw, random_boxes, vary_colour
from retention.training.batches import BatchMaker
from retention.training.models import Normalisation
from retention.training.resizing import resize_crops
from retention.training.transfer import ROOMS, Crossing


def batches(maker, augmentation, seed=0, count=3):
    generator = torch.Generator().manual_seed(seed)
    indices = [np.arange(8) + k for k in range(count)]
    return torch.stack(list(maker.augmented(indices, augmentation, generator)))


def sizes_of(shape, count):
    return (np.full(count, side) for side in shape)


def crops_of(noise, places, boxes, flip, size):
    """Return the kernel's bytes, uint8 [B, 3, size, size]."""
    out = np.empty((len(boxes), 3, size, size), np.uint8)
    resize_crops(noise.pixels, places, boxes, flip, BYTES, out)
    return torch.from_numpy(out)


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
    ours = random_boxes(*sizes_of(shape, 3000), scale, uniform).astype(float)
    for column in range(4):
        assert ks_2samp(ours[:, column], theirs[:, column]).pvalue > 1e-3, keys[column]
    areas = [boxes[:, 2] * boxes[:, 3] for boxes in (ours, theirs)]
    assert ks_2samp(*areas).pvalue > 1e-3


@pytest.mark.parametrize("size", [8, 64, 224, 320])
def test_a_crop_is_resized_to_the_bytes_of_torchvision(size):
    noise = Noise()
    places, boxes, flip = random_crops(noise, 40)
    ours = crops_of(noise, places, boxes, flip, size)
    for row, box, mirrored in zip(range(40), boxes.tolist(), flip, strict=True):
        planes = torch.from_numpy(noise.images[row % 4]).permute(2, 0, 1)
        expected = v2.functional.resized_crop(planes, *box, [size, size], antialias=True)
        expected = expected.flip(2) if mirrored else expected
        assert (ours[row].int() - expected.int()).abs().max() <= 1
        exact = v2.functional.resized_crop(planes.float(), *box, [size, size], antialias=True)
        exact = exact.flip(2) if mirrored else exact
        assert (ours[row] - exact).abs().max() < 0.505  # rounded once, where twice would reach 1


def test_colour_varies_as_torchvisions_jitter():
    torch.manual_seed(3)
    image = torch.from_numpy(Noise().images[0]).permute(2, 0, 1).float() / 255
    jitter = v2.ColorJitter(brightness=0.4, contrast=0.4)
    theirs = torch.stack([jitter(image) for _ in range(400)])
    generator = torch.Generator().manual_seed(4)
    draws = draw(*sizes_of((256, 256), 400), Augmentation((0.5, 1.0), False, 0.4), generator)
    ours = vary_colour(image.expand(400, -1, -1, -1), draws)
    for statistic in (lambda b: b.mean(dim=(1, 2, 3)), lambda b: b.flatten(1).std(dim=1)):
        assert ks_2samp(statistic(ours), statistic(theirs)).pvalue > 1e-3
    assert ours.min() >= 0 and ours.max() <= 1


def test_half_of_the_images_are_mirrored():
    generator = torch.Generator().manual_seed(5)
    draws = draw(*sizes_of((9, 9), 4000), Augmentation((0.5, 1.0), True), generator)
    assert draws.flip.mean() == pytest.approx(0.5, abs=0.03)
    maker = BatchMaker(Noise(), 32, UNIT, CPU)
    plain, flipped = (batches(maker, Augmentation((0.5, 1.0), flip)) for flip in (False, True))
    same = (plain == flipped).flatten(2).all(dim=2)
    mirrored = (plain.flip(4) == flipped).flatten(2).all(dim=2)
    assert (same | mirrored).all()
    assert same.any() and mirrored.any()


SQUARE = Augmentation((0.5, 1.0))
TURNS = {0: {0}, 90: {0, 1, 2, 3}, 180: {0, 2}}


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize(
    ("rotation", "mirrored"), [(90, True), (90, False), (180, False), (0, True)]
)
def test_turning_and_mirroring_move_pixels_alone(rotation, mirrored, channels_last):
    """Each image is one of torchvision's, each of them as often, and no other draw is shifted."""
    maker = BatchMaker(Noise(), 32, UNIT, CPU, channels_last)
    plain = batches(maker, SQUARE, count=60).flatten(0, 1)
    varied = replace(SQUARE, rotation=rotation, vertical_flip=mirrored)
    turned = batches(maker, varied, count=60).flatten(0, 1)
    seen = Counter()
    for ours, image in zip(turned, plain, strict=True):
        expected = {
            (turns, flipped): v2.functional.rotate(
                v2.functional.vertical_flip(image) if flipped else image, 90 * turns
            )
            for turns in TURNS[rotation]
            for flipped in {False, mirrored}
        }
        (found,) = (key for key, each in expected.items() if torch.equal(each, ours))
        seen[found] += 1
    assert set(seen) == set(expected)
    assert chisquare(list(seen.values())).pvalue > 1e-3


def test_rectangles_are_erased_as_timm_does():
    maker = BatchMaker(Noise(), 64, Normalisation((2.0,) * 3, (1.0,) * 3), CPU)  # no pixel is 0
    plain = batches(maker, SQUARE, count=300).flatten(0, 1)
    ours = batches(maker, replace(SQUARE, erasing=0.5), count=300).flatten(0, 1)
    random.seed(6)
    theirs = RandomErasing(0.5, mode="const", device="cpu")(plain.clone())
    places = []
    for erased in (ours, theirs):
        assert ((erased == plain) | (erased == 0)).all()
        gone = (erased == 0).all(dim=1)
        chosen = gone.flatten(1).any(dim=1)
        assert chosen.float().mean() == pytest.approx(0.5, abs=0.04)
        rows, columns = (gone[chosen].any(dim=dim).int() for dim in (2, 1))
        top, left, height, width = (
            x.numpy() for x in (rows.argmax(1), columns.argmax(1), rows.sum(1), columns.sum(1))
        )
        assert (gone[chosen].sum(dim=(1, 2)).numpy() == height * width).all()  # one rectangle
        places.append([top, left, height, width, height * width])
    for one, other in zip(*places, strict=True):
        assert ks_2samp(one, other).pvalue > 1e-3


def test_what_is_done_to_batches_is_drawn_alike_whatever_else_is_on():
    maker = BatchMaker(Noise(), 32, UNIT, CPU)
    turned = batches(maker, replace(SQUARE, rotation=90))
    both = batches(maker, replace(SQUARE, rotation=90, erasing=1.0))
    assert ((both == turned) | (both == 0)).all() and not torch.equal(both, turned)


def test_batches_are_repeatable_and_independent_of_the_number_of_readers():
    augmentation = Augmentation((0.3, 1.0), True, 0.2)
    makers = [BatchMaker(Noise(), 32, UNIT, CPU, readers=n) for n in (1, 3)]
    first = batches(makers[0], augmentation)
    assert torch.equal(first, batches(makers[0], augmentation))
    assert torch.equal(first, batches(makers[1], augmentation))
    assert not torch.equal(first, batches(makers[0], augmentation, seed=1))


def test_clean_batches_are_the_centre_square_normalised():
    normalisation = Normalisation((0.1, 0.2, 0.3), (0.5, 0.6, 0.7))
    maker = BatchMaker(Noise(), 64, normalisation, CPU)
    batch = next(maker.clean([np.arange(4)]))
    for row, image in enumerate(Noise().images):
        side = min(image.shape[:2])
        planes = torch.from_numpy(image).permute(2, 0, 1)
        square = v2.functional.center_crop(planes, [side, side])
        expected = v2.functional.resize(square, [64, 64], antialias=True).float() / 255
        expected = v2.functional.normalize(expected, normalisation.mean, normalisation.std)
        torch.testing.assert_close(batch[row], expected, atol=0.009, rtol=0)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("color", [0.0, 0.4])
def test_batches_do_not_depend_on_the_device(channels_last, color):
    """Floats from a table, as for a CPU, and bytes that cross to a device, as for a GPU."""
    normalisation = Normalisation((0.1, 0.2, 0.3), (0.5, 0.6, 0.7))
    augmentation = Augmentation((0.3, 1.0), True, color)
    here, across = (BatchMaker(Noise(), 64, normalisation, CPU, channels_last) for _ in range(2))
    cross(across)
    assert torch.equal(batches(here, augmentation), batches(across, augmentation))
    clean = [next(maker.clean([np.arange(70)])) for maker in (here, across)]
    layout = torch.channels_last if channels_last else torch.contiguous_format
    for batch in clean:
        assert batch.is_contiguous(memory_format=layout)
        assert torch.equal(batch, clean[0])


def cross(maker):
    """Let batches cross as bytes, to a stand-in for a GPU that copies late; return it."""
    maker.normaliser.floats, copies = None, LateCopies()
    maker.carrier = Crossing(copies)
    return copies


def test_the_thread_that_trains_pins_nothing_and_is_the_one_that_receives():
    maker = BatchMaker(Noise(), 32, UNIT, CPU)
    copies = cross(maker)
    for _ in range(2):  # epochs
        batches(maker, Augmentation((0.3, 1.0), True), count=12)
    assert len(copies.pinning) == ROOMS
    assert threading.main_thread() not in copies.pinning
    assert copies.receiving == {threading.main_thread()}


@pytest.mark.parametrize("crossing", [False, True])
def test_a_batch_that_is_kept_is_not_written_over(crossing):
    """Of two readings at once, one of which ends early."""
    maker, fresh = (BatchMaker(Noise(), 32, UNIT, CPU) for _ in range(2))
    if crossing:
        cross(maker)
    indices = [np.arange(8) + k for k in range(20)]
    other = maker.clean(indices[::-1])
    kept = [(batch[2:4], next(other)[2:4]) for batch in maker.clean(indices[:9])]
    other.close()
    kept += [(batch[2:4], None) for batch in maker.clean(indices[9:])]
    expected = [batch[2:4].clone() for batch in fresh.clean(indices)]
    assert all(torch.equal(one, truth) for (one, _), truth in zip(kept, expected, strict=True))
    for (_, another), truth in zip(kept[:9], expected[::-1], strict=False):
        assert torch.equal(another, truth)


def test_an_error_while_a_batch_is_read_reaches_the_training():
    class Broken(Noise):
        def places(self, indices):
            if indices[0] == 3:
                raise OSError("the disk is gone")
            return super().places(indices)

    maker = BatchMaker(Broken(), 32, UNIT, CPU)
    with pytest.raises(OSError, match="the disk is gone"):
        list(maker.clean([np.arange(4) + k for k in range(8)]))
