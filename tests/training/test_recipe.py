"""The recipe's parts against hand-worked values and torch's own."""

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from small_run import CPU, RECIPE
from timm.optim import param_groups_layer_decay

from retention.common.errors import UserError
from retention.training.models import build_model
from retention.training.optimisation import (
    Stepper,
    class_weights,
    make_loss,
    make_optimizer,
    parameter_groups,
    rate_factor,
)
from retention.training.recipe import complete_recipe


def recipe_with(**changes) -> dict:
    return complete_recipe(RECIPE | changes, CPU)


def test_balanced_class_weights_are_those_of_scikit_learn():
    labels = np.array([0] * 5 + [1] * 3 + [3])  # class 2 is absent
    found = class_weights(labels, 4, "balanced").numpy()
    expected = compute_class_weight("balanced", classes=np.array([0, 1, 3]), y=labels)
    np.testing.assert_allclose(found[[0, 1, 3]], expected, rtol=1e-6)
    assert found[2] == 0
    assert class_weights(labels, 4, "none") is None


def test_the_loss_is_smoothed_and_weighted():
    logits, labels = torch.randn(6, 3), torch.tensor([0, 0, 0, 1, 1, 2])
    weights = torch.tensor([0.5, 1.0, 2.0])
    found = make_loss(recipe_with(label_smoothing=0.1), weights, CPU)(logits, labels)
    smooth = 0.9 * torch.eye(3)[labels] + 0.1 / 3
    losses = -(smooth * weights * logits.log_softmax(dim=1)).sum(dim=1)
    torch.testing.assert_close(found, losses.sum() / weights[labels].sum())


def test_the_cosine_schedule_is_torchs():
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=40)
    recipe = recipe_with(schedule="cosine")
    for step in range(40):
        assert rate_factor(step, 40, recipe) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()


def test_the_rate_rises_linearly_and_then_stays_or_falls():
    rising = [rate_factor(s, 100, recipe_with(warmup_steps_fraction=0.1)) for s in range(11)]
    np.testing.assert_allclose(rising, [*np.linspace(0.1, 1, 10), 1.0])
    constant = recipe_with(schedule="constant")
    assert {rate_factor(step, 100, constant) for step in range(100)} == {1.0}


def test_the_head_has_its_own_rate_and_norms_and_biases_do_not_decay():
    model = build_model({"timm": "test_vit"}, 4)
    groups = parameter_groups(model, recipe_with(learning_rate=1e-4, head_learning_rate=1e-2))
    by_parameter = {id(p): group for group in groups for p in group["params"]}
    assert len(by_parameter) == len(list(model.parameters()))
    for name, parameter in model.named_parameters():
        group = by_parameter[id(parameter)]
        assert group["lr"] == (1e-2 if name.startswith("head.") else 1e-4)
        spared = name.endswith("bias") or "norm" in name or name in model.no_weight_decay()
        assert (group["weight_decay"] == 0) == spared, name


def test_the_cosine_ends_at_the_least_rate_as_torchs_does():
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=40, eta_min=0.1)
    recipe = recipe_with(minimum_learning_rate_fraction=0.1)
    for step in range(40):
        assert rate_factor(step, 40, recipe) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()


def moved_by(recipe: dict, steps: int = 1) -> torch.Tensor:
    """Return how far steps of one batch, whose gradient is large, move four weights from zero."""
    model = torch.nn.Linear(2, 2, bias=False)
    torch.nn.init.zeros_(model.weight)
    stepper = Stepper.of(_WithHead(model), recipe_with(**recipe), CPU)
    for _ in range(steps):
        stepper.take(100 * torch.eye(2), torch.tensor([0, 1]))
    return model.weight.detach()


class _WithHead(torch.nn.Module):
    """A linear map as timm's models are: with a classifier that is found by a method."""

    def __init__(self, head):
        super().__init__()
        self.head = head

    def forward(self, batch):
        return self.head(batch)

    def get_classifier(self):
        return self.head


PLAIN_SGD = {"optimizer": "sgd", "head_learning_rate": 0.5, "weight_decay": 0.0}


def steps_in_fp16(gain: float, count: int, **changes) -> list[tuple[float, torch.Tensor]]:
    """Return loss and weights after each step of a linear map from zero, on inputs of size `gain`."""
    model = torch.nn.Linear(2, 2, bias=False)
    torch.nn.init.zeros_(model.weight)
    recipe = recipe_with(precision="fp16", **PLAIN_SGD | changes)
    stepper, found = Stepper.of(_WithHead(model), recipe, CPU), []
    for _ in range(count):
        loss = stepper.take(gain * torch.eye(2), torch.tensor([0, 1]))
        found.append((loss.item(), model.weight.detach().clone()))
    return found


def test_a_step_too_large_for_fp16_is_skipped_and_its_loss_is_finite():
    # The gradient is 100 · ½ · ½: too large for fp16 at scales 65,536 to 4,096, not at 2,048.
    found = steps_in_fp16(100, 7)
    assert [bool(weights.any()) for _, weights in found] == [False] * 5 + [True] * 2
    assert [loss for loss, _ in found[:6]] == pytest.approx([np.log(2)] * 6)
    torch.testing.assert_close(found[5][1], moved_by(PLAIN_SGD))
    clipped = steps_in_fp16(100, 6, gradient_clipping=0.1)
    torch.testing.assert_close(clipped[5][1], moved_by(PLAIN_SGD | {"gradient_clipping": 0.1}))


class Steep(_WithHead):
    """Finite logits whose gradient is not: the root of zero."""

    def forward(self, batch):
        return self.head(batch).abs().sqrt()


def test_gradients_that_no_scale_makes_finite_end_the_run():
    model = torch.nn.Linear(2, 2, bias=False)
    torch.nn.init.zeros_(model.weight)
    stepper = Stepper.of(Steep(model), recipe_with(precision="fp16"), CPU)
    for _ in range(16):
        assert stepper.take(torch.eye(2), torch.tensor([0, 1])).isfinite()
    stepper.check_scale(3)
    stepper.take(torch.eye(2), torch.tensor([0, 1]))
    with pytest.raises(UserError, match="epoch 3: steps are skipped in fp16 again and again"):
        stepper.check_scale(3)
    assert not model.weight.any()


def test_gradients_are_clipped_to_their_norm_together():
    whole = moved_by(PLAIN_SGD)  # of two logits that are equal: ∓ 0.5 · 100 · ½ · 0.5
    torch.testing.assert_close(whole, 12.5 * torch.tensor([[1.0, -1.0], [-1.0, 1.0]]))
    clipped = moved_by(PLAIN_SGD | {"gradient_clipping": 0.1})
    assert clipped.norm() == pytest.approx(0.5 * 0.1, rel=1e-4)
    torch.testing.assert_close(clipped / clipped.norm(), whole / whole.norm())
    torch.testing.assert_close(moved_by(PLAIN_SGD | {"gradient_clipping": 1e3}), whole)


@pytest.mark.parametrize("name", ["test_vit", "test_resnet", "test_convnext", "test_nfnet"])
def test_layer_decay_scales_rates_as_timm_does(name):
    model = build_model({"timm": name}, 4)
    theirs = param_groups_layer_decay(model, layer_decay=0.7)
    scales = {id(p): group["lr_scale"] for group in theirs for p in group["params"]}
    rates = {"learning_rate": 1e-4, "head_learning_rate": 1e-2}
    groups = parameter_groups(model, recipe_with(layer_decay=0.7, **rates))
    plain = parameter_groups(model, recipe_with(**rates))
    decays = {id(p): group["weight_decay"] for group in plain for p in group["params"]}
    heads = {id(p) for p in model.get_classifier().parameters()}
    seen = [(p, group) for group in groups for p in group["params"]]
    assert len(seen) == len(list(model.parameters())) == len({id(p) for p, _ in seen})
    for parameter, group in seen:
        expected = 1e-2 if id(parameter) in heads else 1e-4 * scales[id(parameter)]
        assert group["lr"] == group["base_lr"] == pytest.approx(expected)
        assert group["weight_decay"] == decays[id(parameter)]
    stem = next(model.parameters())
    assert next(g for p, g in seen if p is stem)["lr"] < 1e-4 * 0.7**3


def test_a_model_of_which_timm_knows_no_layers_takes_no_layer_decay():
    with pytest.raises(UserError, match="layer_decay: timm tells of no layers of InDouble; leave"):
        parameter_groups(InDouble(), recipe_with(layer_decay=0.7))


class InDouble(torch.nn.Module):
    """Two layers without batch norm, in fp64, so that sums in another order are the same sums."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = torch.nn.Linear(6, 8, dtype=torch.float64)
        self.head = torch.nn.Linear(8, 3, dtype=torch.float64)

    def forward(self, batch):
        return self.head(torch.nn.functional.gelu(self.body(batch)))

    def get_classifier(self):
        return self.head


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [None, [0.2, 1.0, 5.0]], ids=["plain", "weighted"])
@pytest.mark.parametrize("count", [16, 7, 3, 2])  # whole batches, and short last ones
def test_micro_batches_move_the_weights_as_one_large_batch(count, weights, smoothing):
    draws = torch.Generator().manual_seed(1)
    batch = torch.randn(count, 6, generator=draws, dtype=torch.float64)
    labels = torch.arange(count) % 3
    weights = None if weights is None else torch.tensor(weights, dtype=torch.float64)
    loss_function = torch.nn.CrossEntropyLoss(weight=weights, label_smoothing=smoothing)
    plain, model = InDouble(), InDouble()
    optimizer = torch.optim.SGD(plain.parameters(), lr=0.3)
    expected = loss_function(plain(batch), labels)
    expected.backward()
    optimizer.step()
    recipe = recipe_with(gradient_accumulation=5)
    ours = torch.optim.SGD(model.parameters(), lr=0.3)
    sizes = []
    model.register_forward_pre_hook(lambda _, given: sizes.append(len(given[0])))
    found = Stepper(model, ours, loss_function, recipe, CPU).take(batch, labels)
    assert found.item() == pytest.approx(expected.item(), rel=1e-12)
    for one, other in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-14)
    assert sizes == {16: [4, 3, 3, 3, 3], 7: [3, 2, 2], 3: [3], 2: [2]}[count]


def test_momentum_and_betas_reach_the_optimiser():
    def settings(**changes):
        group = {"params": [torch.nn.Parameter(torch.zeros(1))], "lr": 0.1}
        return make_optimizer(recipe_with(**changes), [group], CPU).param_groups[0]

    assert settings(optimizer="sgd")["momentum"] == 0.9
    assert settings(optimizer="sgd", momentum=0.5)["momentum"] == 0.5
    for name in ("adam", "adamw"):
        assert settings(optimizer=name)["betas"] == (0.9, 0.999)
        assert settings(optimizer=name, betas=[0.8, 0.95])["betas"] == (0.8, 0.95)


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_every_optimiser_takes_a_step(name):
    model = torch.nn.Linear(3, 2)
    before = model.weight.detach().clone()
    optimizer = make_optimizer(
        recipe_with(optimizer=name), [{"params": model.parameters(), "lr": 0.1}], CPU
    )
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    assert not torch.equal(before, model.weight)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"learning_rat": 1}, r"unknown key\(s\) learning_rat; .*; did you mean learning_rate"),
        (
            {"augmentation": {"flips": True}},
            r"augmentation: unknown key\(s\) flips; .*; did you mean flip",
        ),
        (
            {"head_warmup": {"epoch": 9}},
            r"head_warmup: unknown key\(s\) epoch; .*; did you mean epochs",
        ),
        ({"precision": "fp64"}, "precision: is 'fp64', expected one of auto, fp32, bf16, fp16"),
        ({"batch_size": 1}, "batch_size: is 1, expected at least 2"),
        (
            {"gradient_accumulation": 9},
            "gradient_accumulation: is 9, expected at most 8, half of batch_size: a micro-batch holds",
        ),
        ({"augmentation": {"rotation": 45}}, "rotation: is 45, expected one of 0, 90, 180"),
        ({"augmentation": {"erasing": 2}}, "augmentation.erasing: is 2, expected at most 1"),
        ({"augmentation": {"mixup": -1}}, "augmentation.mixup: is -1, expected at least 0"),
        ({"trainable": 0}, "trainable: is 0, expected at least 1"),
        ({"trainable": "last"}, "trainable: is 'last', expected all, head or a number of layers"),
        (
            {"trainable": "head", "layer_decay": 0.7},
            "layer_decay: has no meaning with trainable head",
        ),
        ({"layer_decay": 0}, "layer_decay: is 0, expected more than 0"),
        ({"layer_decay": 1.1}, "layer_decay: is 1.1, expected at most 1"),
        ({"betas": [0.9, 1.0]}, "betas[^:]*: is 1.0, expected less than 1"),
        ({"momentum": -1}, "momentum: is -1, expected at least 0"),
        ({"gradient_clipping": -1}, "gradient_clipping: is -1, expected at least 0"),
        (
            {"optimizer": "sgd", "betas": [0.8, 0.999]},
            "recipe: betas: has no meaning with optimizer sgd, only with adamw or adam; leave it out",
        ),
        ({"momentum": 0.5}, "momentum: has no meaning with optimizer adamw, only with sgd"),
        (
            {"schedule": "constant", "minimum_learning_rate_fraction": 0.1},
            "fraction: has no meaning with schedule constant, only with cosine",
        ),
        ({"epochs": None}, "epochs is a required property; add the key"),
    ],
)
def test_a_fault_names_its_key(changes, message):
    with pytest.raises(UserError, match=message):
        recipe_with(**changes)
