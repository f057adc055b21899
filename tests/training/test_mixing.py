"""Mixup and cutmix: what becomes of images and labels, where the draws come from, who refuses them."""

import json

import numpy as np
import pytest
import torch
import yaml
from scipy.stats import beta, kstest
from small_run import CPU, DEFINITION, RECIPE
from sources import ROOT

from retention.commands import finetune
from retention.common.errors import UserError
from retention.training.mixing import Mixing
from retention.training.recipe import complete_recipe
from retention.workflow.configuration import load_study
from retention.workflow.recipes import merged

LABELS = torch.tensor([0, 1, 2, 1, 0, 2])


def mixing(seed=0, **shares):
    recipe = complete_recipe(RECIPE | {"augmentation": shares}, CPU)
    return Mixing(recipe, classes=3, seed=seed)


def images():
    """Return images [6, 3, 16, 16] of one value each, 1 to 6: a mixed pixel says of what it is made."""
    return torch.arange(1.0, 7.0)[:, None, None, None].expand(6, 3, 16, 16).clone()


def test_blended_images_carry_the_labels_of_both_in_their_shares():
    mix, found = mixing(mixup=0.4), []
    for _ in range(400):
        batch, target = mix(images(), LABELS)
        share = target[0, 0].item()  # its partner, the last, is of class 2
        expected = share * images() + (1 - share) * images().roll(1, 0)
        torch.testing.assert_close(batch, expected, rtol=0, atol=1e-5)
        one_hot = torch.eye(3)[LABELS]
        torch.testing.assert_close(target, share * one_hot + (1 - share) * one_hot.roll(1, 0))
        found.append(share)
    assert kstest(found, beta(0.4, 0.4).cdf).pvalue > 1e-3


def test_a_rectangle_of_another_image_counts_by_its_area():
    mix = mixing(cutmix=1.0)
    for _ in range(50):
        batch, target = mix(images(), LABELS)
        own, partners = batch == images(), batch == images().roll(1, 0)
        assert (own ^ partners).all()
        torch.testing.assert_close(target[0, 0], own[0].float().mean())
        torch.testing.assert_close(target.sum(dim=1), torch.ones(6))


def test_chance_decides_between_both():
    mix = mixing(mixup=1.0, cutmix=1.0)
    blended = [mix(images(), LABELS)[0][0].unique().numel() == 1 for _ in range(400)]
    assert 0.4 < np.mean(blended) < 0.6  # an image with a rectangle of another has two values


def test_draws_are_the_seeds_and_leave_torchs_own_alone():
    torch.manual_seed(5)
    expected = torch.rand(4)
    torch.manual_seed(5)
    mix, again, other = mixing(mixup=1.0), mixing(mixup=1.0), mixing(1, mixup=1.0)
    first, second = mix(images(), LABELS)[0], mix(images(), LABELS)[0]
    assert torch.equal(torch.rand(4), expected)
    assert torch.equal(again(images(), LABELS)[0], first)
    assert not torch.equal(first, second)
    assert not torch.equal(other(images(), LABELS)[0], first)


def test_without_mixing_a_batch_is_left_as_it_is():
    batch, target = mixing()(images(), LABELS)
    assert torch.equal(batch, images()) and target is LABELS


def test_mixing_is_refused_beside_a_treatment_before_any_job():
    study = yaml.safe_load((ROOT / "config.yaml").read_text())
    study = merged(
        study, {"recipes": {"architectures": {"resnet18": {"augmentation": {"cutmix": 1.0}}}}}
    )
    with pytest.raises(UserError) as caught:
        load_study(study, ROOT)
    (line,) = str(caught.value).splitlines()
    assert line.startswith(
        "recipes: resnet18 on octdl: augmentation.cutmix: presents samples mixed"
    )
    assert load_study(study | {"treatments": ["random"], "findings": ["seed_stability"]}, ROOT)


def test_a_run_by_hand_refuses_mixing_beside_a_treatment(tmp_path):
    maps = {"definition": DEFINITION, "recipe": RECIPE | {"augmentation": {"mixup": 0.2}}}
    maps |= {"treatment-definition": {"sampler": "class_balanced"}, "store": {}}
    options = {"study": "s", "dataset": "d", "architecture": "a", "treatment": "even", "seed": 0}
    options |= {key: json.dumps(value) for key, value in maps.items()} | {"device": "cpu"}
    names = ("index", "pixels", "layout", "state", "traces", "epochs", "run", "centroids")
    options |= {name: tmp_path / name for name in names}
    words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    with pytest.raises(UserError, match=r"recipe: augmentation\.mixup: .* treatment even chooses"):
        finetune.identity(words)
