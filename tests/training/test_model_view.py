"""What a model is shown, against Pillow's bicubic and timm's own evaluation of the same images."""

import json

import numpy as np
import pytest
import timm
import torch
from noise_images import BYTES, CPU, UNIT, Noise, random_crops
from PIL import Image
from small_run import DEFINITION, make_run, outputs_in, results_of, write_images

from retention.common.errors import UserError
from retention.common.options import faults, without_defaults
from retention.common.yaml_files import read_stated
from retention.data.image_cache import Places
from retention.training.augmentation import Augmentation
from retention.training.batches import BatchMaker
from retention.training.models import Normalisation
from retention.training.resizing import resize_crops
from retention.training.view import View, complete_definition, view_of

BICUBIC = Image.Resampling.BICUBIC


def pillows(crop, size):
    """Resize a crop by Pillow: rows first, which it leaves open for crops that are higher than wide."""
    return crop.resize((size, crop.height), BICUBIC).resize((size, size), BICUBIC)


@pytest.mark.parametrize("size", [7, 64, 224, 320])
def test_bicubic_crops_have_the_bytes_of_pillow(size):
    noise = Noise()
    places, boxes, flip = random_crops(noise, 24)
    ours = np.empty((24, 3, size, size), np.uint8)
    resize_crops(noise.pixels, places, boxes, flip, BYTES, ours, "bicubic")
    for row, (top, left, height, width) in enumerate(boxes.tolist()):
        crop = Image.fromarray(noise.images[row % 4]).crop((left, top, left + width, top + height))
        expected = np.asarray(pillows(crop, size)).astype(int)
        expected = expected[:, ::-1] if flip[row] else expected
        # weights are rounded to 2 ** -22, on either side where they lie in the middle
        assert np.abs(ours[row].transpose(1, 2, 0) - expected).max() <= 1
        assert (ours[row].transpose(1, 2, 0) == expected).mean() > 0.999


@pytest.mark.parametrize(("side", "size"), [(5, 12), (64, 64), (100, 7), (90, 61), (1, 4)])
def test_squares_of_hard_edges_are_pillows_in_one_call(side, size):
    """Black beside white: the filter overshoots at each edge, and is cut off where Pillow cuts it off."""
    image = np.random.default_rng(side).integers(0, 2, (side, side, 3)).astype(np.uint8) * 255
    ours = np.empty((1, 3, size, size), np.uint8)
    place = Places(np.zeros(1, np.int64), *(np.full(1, side, np.int32) for _ in range(2)))
    box = np.array([[0, 0, side, side]], np.int32)
    flip = np.zeros(1, bool)
    pixels = image.ravel()
    pixels.flags.writeable = False
    resize_crops(pixels, place, box, flip, BYTES, ours, "bicubic")
    expected = np.asarray(Image.fromarray(image).resize((size, size), BICUBIC)).astype(int)
    assert np.abs(ours[0].transpose(1, 2, 0) - expected).max() <= 1


@pytest.mark.parametrize(
    ("crop_pct", "interpolation"), [(0.875, "bilinear"), (0.875, "bicubic"), (0.5, "bicubic")]
)
def test_clean_batches_are_those_of_timms_evaluation(crop_pct, interpolation):
    """Of images whose short side is what timm resizes to: 256 × 0.875 = 224, 256 × 0.5 = 128."""
    noise, size = Noise(), round(256 * crop_pct)
    normalisation = Normalisation((0.1, 0.2, 0.3), (0.5, 0.6, 0.7))
    transform = timm.data.create_transform(
        (3, size, size),
        interpolation=interpolation,
        crop_pct=crop_pct,
        mean=normalisation.mean,
        std=normalisation.std,
    )
    view = View(crop_pct, interpolation)
    (ours,) = BatchMaker(noise, size, normalisation, CPU, view=view).clean([np.arange(3)])
    theirs = [transform(Image.fromarray(image)) for image in noise.images[:3]]
    torch.testing.assert_close(ours, torch.stack(theirs), atol=1e-6, rtol=0)


def test_training_without_random_crops_sees_what_is_evaluated():
    maker = BatchMaker(Noise(), 32, UNIT, CPU, view=View(0.6, "bicubic"))
    generator, indices = torch.Generator().manual_seed(0), [np.arange(4)]
    (trained,), (clean,) = maker.augmented(indices, Augmentation(), generator), maker.clean(indices)
    assert torch.equal(trained, clean)
    (whole,) = BatchMaker(Noise(), 32, UNIT, CPU).clean(indices)
    assert not torch.equal(clean, whole)


@pytest.mark.parametrize(
    ("name", "view"),
    [
        ("resnet18.tv_in1k", View(0.875, "bilinear")),  # as torchvision published it: 256, then 224
        ("deit_tiny_patch16_224.fb_in1k", View(0.9, "bicubic")),  # as the DeiT paper's code
    ],
)
def test_model_means_what_its_weights_were_evaluated_with(name, view):
    model = timm.create_model(name)
    definition = {"timm": name, "image_size": 224, "stored_size": 256}
    asked = {"crop_pct": "model", "interpolation": "model"}
    assert view_of(model, definition | asked) == view
    assert view_of(model, definition | {"crop_pct": "model"}) == View(view.crop_pct, "bilinear")
    assert view_of(model, definition | {"interpolation": "model"}) == View(1, view.interpolation)
    assert view_of(model, definition) == View(1, "bilinear")


@pytest.mark.parametrize(
    ("configured", "line"),
    [
        (
            {"crop_mode": "squash"},
            r"crop_pct is model, but timm shows .* squash, .*; give crop_pct as",
        ),
        ({"interpolation": "lanczos"}, r"but timm resizes for this model by lanczos; write bil"),
    ],
)
def test_a_configuration_that_has_no_such_view_is_refused(configured, line):
    model = torch.nn.Identity()
    model.pretrained_cfg = {"input_size": (3, 224, 224), **configured}
    asked = {"timm": "own", "image_size": 224, "crop_pct": "model", "interpolation": "model"}
    with pytest.raises(UserError, match=f"^architecture own: .*{line}"):
        view_of(model, asked)


@pytest.mark.parametrize(
    ("stored", "crop_pct", "told"),
    [
        (224, 0.875, "leaves 196 pixels, enlarged to image_size 224; set stored_size to 256 or"),
        (235, 0.95, "set stored_size to 236 or more"),
        (236, 0.95, ""),
        (256, 0.875, ""),
        (64, 1.0, ""),  # as before: whole squares of small images are enlarged
    ],
)
def test_a_cache_of_too_few_pixels_is_told(capsys, stored, crop_pct, told):
    definition = {"timm": "own", "image_size": 224, "stored_size": stored, "crop_pct": crop_pct}
    view_of(torch.nn.Identity(), definition)
    said = capsys.readouterr()
    assert told in said.out + said.err and bool(told) == bool(said.out + said.err)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"crop_pct": 0}, "crop_pct: is 0, expected model, or a number above 0 and up to 1"),
        ({"crop_pct": 87.5}, "crop_pct: is 87.5, expected model, or a number above 0 and up to 1"),
        ({"interpolation": "nearest"}, "interpolation: is 'nearest', expected one of bilinear"),
        ({"crop_pc": 0.9}, "unknown key(s) crop_pc"),
    ],
)
def test_a_view_that_is_none_is_one_line_in_a_study_and_by_hand(given, line):
    whole = {"timm": "resnet18", "weights": "none", "image_size": 224, "stored_size": 256} | given
    (fault,) = faults("architecture", whole, "architecture_definitions: own")
    assert line in fault
    with pytest.raises(UserError) as error:
        complete_definition({"timm": "resnet18", "image_size": 224} | given)
    assert str(error.value).startswith("--definition: ") and line in str(error.value)


def test_a_view_at_its_default_is_no_part_of_a_job():
    said = DEFINITION | {"crop_pct": 1.0, "interpolation": "bilinear"}
    assert without_defaults("architecture", said) == without_defaults("architecture", DEFINITION)
    asked = without_defaults("architecture", said | {"crop_pct": "model"})
    assert asked["crop_pct"] == "model" and "interpolation" not in asked


def test_a_run_with_a_view_of_its_own_goes_on_to_the_same_bytes(tmp_path):
    """And a run that says the defaults has the bytes of one that says nothing."""
    write_images(tmp_path)
    definitions = {
        "silent": {},
        "said": {"crop_pct": 1, "interpolation": "bilinear"},
        "own": {"crop_pct": 0.75, "interpolation": "bicubic"},
    }
    found = {}
    for name, definition in definitions.items():
        folder = tmp_path / name
        folder.mkdir()
        make_run(tmp_path, folder / "state", {"epochs": 2}, definition).execute(outputs_in(folder))
        found[name] = results_of(folder)
    assert found["silent"] == found["said"]
    assert all(found["own"][file] != found["said"][file] for file in found["own"])
    stopped = make_run(tmp_path, tmp_path / "state", {"epochs": 2}, definitions["own"])
    for _ in zip(range(2), stopped.epochs(), strict=False):  # epoch 0 and 1 are saved
        continue
    again = make_run(tmp_path, tmp_path / "state", {"epochs": 2}, definitions["own"])
    again.execute(outputs_in(tmp_path))
    assert results_of(tmp_path) == found["own"]
    run = read_stated(tmp_path / "run.yaml")
    assert (run["crop_pct"], run["interpolation"]) == (0.75, "bicubic")
    assert json.dumps(run["architecture_definition"]["crop_pct"]) == "0.75"
