"""What a run will cost, from a few steps of its own."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small_run import CPU, RECIPE, SIDE

from retention.common.errors import UserError
from retention.training import cost as cost_module
from retention.training import features, optimisation, state, stepper_state, tracking
from retention.training.batches import BatchMaker
from retention.training.cost import (
    BYTES_OF_A_ROW,
    MadeUpImages,
    Sizes,
    Throughput,
    cost_of_pretraining,
    cost_of_run,
    measure_throughput,
)
from retention.training.machine import out_of_memory_explained
from retention.training.models import Normalisation, build_model
from retention.training.recipe import complete_recipe

DEFINITION = {"timm": "test_resnet", "image_size": SIDE}
SIZES = Sizes(train=33, test=8, classes=4)
BRIEF = {"seconds": 0.05}
SPEED = Throughput(
    training=10.0,
    evaluation=41.0,
    features=66.0,
    warm_up=3.3,
    packing=0.25,
    saving=2000.0,  # bytes per second
    parameters=1000,
)


def test_the_cost_of_batches_that_need_too_much_memory_says_so(monkeypatch):
    def exhausted(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")

    monkeypatch.setattr(cost_module, "_rate", exhausted)
    with pytest.raises(
        UserError, match="test_resnet: out of memory at 16 images at once; try gradient_acc"
    ):
        measure_throughput(DEFINITION, complete_recipe(RECIPE, CPU), SIZES, CPU)


@pytest.mark.parametrize(
    ("batch_size", "parts", "advice"),
    [
        (16, 1, "out of memory at 16 images at once; try gradient_accumulation 2, with which"),
        (16, 4, "out of memory at 4 images at once; try gradient_accumulation 8, with which"),
        (16, 8, "out of memory at 2 images at once; try batch_size 8 and evaluation_batch_size 3"),
        (3, 1, "out of memory at 3 images at once; try batch_size 2 and evaluation_batch_size 3"),
    ],
)
def test_advice_against_too_little_memory_is_a_recipe_that_is_taken(batch_size, parts, advice):
    recipe = RECIPE | {"batch_size": batch_size, "gradient_accumulation": parts}
    with (
        pytest.raises(UserError, match=advice),
        out_of_memory_explained("epoch 1", complete_recipe(recipe, CPU)),
    ):
        raise MemoryError


def test_where_the_model_alone_does_not_fit_no_smaller_batch_is_advised(monkeypatch):
    recipe = complete_recipe(RECIPE, CPU)
    for jobs, advice in ((1, "end what else uses"), (3, "set runs_per_gpu: 1, end what else uses")):
        monkeypatch.setenv("WORKFLOW_RUNS_PER_GPU", str(jobs))
        expected = f"at 2 images at once, so the model alone does not fit; {advice} this memory"
        with (
            pytest.raises(UserError, match=expected),
            out_of_memory_explained("before the first step", recipe, images=2),
        ):
            raise MemoryError
    with (
        pytest.raises(UserError, match="try runs_per_gpu: 1 first, then gradient_accumulation 2"),
        out_of_memory_explained("epoch 1", recipe),
    ):
        raise MemoryError


def test_the_cost_counts_every_part_of_a_run():
    recipe = complete_recipe({**RECIPE, "optimizer": "sgd"}, CPU)  # 8 epochs, 2 of the head
    cost = cost_of_run(SPEED, recipe, {"probabilities": "all", "weights": "final"}, SIZES)
    warm_up = 0.5 + 2 * 10 + 1  # features, head, the evaluation of epoch 0
    epochs = 8 * (3.3 + 1)
    saved = (8000 + 41 * 4 * 2) / 2000  # the last epoch's; each other is saved beside the next
    assert saved < 4.3
    assert cost.seconds == pytest.approx(warm_up + epochs + 9 * 0.25 + saved)
    assert (cost.unfinished, cost.state) == (2 * 2 * 4000 + 41 * 4 * 2 * 9, 8000)
    assert cost.kept == 41 * 9 * BYTES_OF_A_ROW + 41 * 4 * 2 * 9 + 4000


def test_a_pretraining_costs_its_steps_what_it_evaluates_and_its_states():
    recipe = complete_recipe({**RECIPE, "optimizer": "sgd"}, CPU)
    cost = cost_of_pretraining(SPEED, recipe, SIZES)
    # Eight epochs of 33 images trained on and 8 evaluated; no head warm-up, no epoch 0, no record.
    epoch = 3.3 + 8 / 41
    slower = 8000 / 2000 - epoch  # a state takes longer than the epoch beside which it is saved
    assert slower > 0
    assert cost.seconds == pytest.approx(8 * epoch + 8 * 0.25 + 7 * slower + 4)
    assert (cost.kept, cost.unfinished) == (4000, 2 * 8000)
    # Against one that evaluates nothing: 8 images less in each epoch, beside which the state takes as long.
    none = cost_of_pretraining(SPEED, recipe, Sizes(33, 0, 4))
    assert cost.seconds - none.seconds == pytest.approx(8 / 41)
    assert cost_of_pretraining(SPEED, recipe | {"held_out_samples": 0}, SIZES) == none


def test_a_moving_average_is_saved_too_and_what_is_frozen_has_no_moments():
    recipe = complete_recipe({**RECIPE, "optimizer": "sgd"}, CPU)
    averaged = cost_of_run(SPEED, recipe | {"ema_decay": 0.9}, {}, SIZES)
    assert averaged.unfinished == 2 * 3 * 4000
    probe = cost_of_run(replace(SPEED, trained=10), recipe, {}, SIZES)
    assert probe.unfinished == 2 * (4000 + 40)
    without = cost_of_run(SPEED, recipe | {"momentum": 0.0}, {}, SIZES)
    assert without.unfinished == 2 * 4000


def test_training_waits_where_an_epoch_is_saved_more_slowly_than_trained():
    recipe = complete_recipe({**RECIPE, "optimizer": "adamw", "head_warmup": {"epochs": 0}}, CPU)
    slow = Throughput(**{**vars(SPEED), "saving": 100.0})
    cost = cost_of_run(slow, recipe, {}, SIZES)
    # Nine states of 12,000 bytes, one after the other, after the features and the first evaluation.
    assert cost.seconds == pytest.approx(0.5 + 1 + 9 * 120 + 9 * 0.25)


def test_held_out_samples_that_are_not_evaluated_cost_nothing():
    def of(recipe, sizes):
        recipe = complete_recipe(RECIPE | recipe, CPU)
        return cost_of_run(SPEED, recipe, {"probabilities": "all"}, sizes)

    few = {"held_out_samples": 3}
    assert of(few, SIZES) == of({}, Sizes(33, 3, 4))
    assert of(few, Sizes(33, 2, 4)) == of({}, Sizes(33, 2, 4))


def test_the_parts_that_are_timed_are_those_that_train(monkeypatch):
    called = []

    def noted(module, name):
        whole = getattr(module, name)
        assert getattr(cost_module, name, whole) is whole

        def call(*arguments, **keywords):
            called.append(name)
            return whole(*arguments, **keywords)

        return call

    for module, name in (
        (optimisation, "train_epoch"),
        (tracking, "evaluate"),
        (features, "read_features"),
        (features, "warm_up_head"),
        (stepper_state, "pack_stepper"),
    ):
        monkeypatch.setattr(cost_module, name, noted(module, name))
    monkeypatch.setattr(state.RunState, "save", noted(state.RunState, "save"))
    recipe = complete_recipe({**RECIPE, "precision": "bf16"}, CPU)
    found = measure_throughput(DEFINITION, recipe, SIZES, CPU, **BRIEF)
    expected = {"train_epoch", "evaluate", "read_features", "warm_up_head", "pack_stepper", "save"}
    assert set(called) == expected
    assert all(value > 0 for value in vars(found).values())
    model = build_model(DEFINITION, 4)
    assert found.parameters == found.trained == sum(p.numel() for p in model.parameters())
    probe = measure_throughput(DEFINITION, recipe | {"trainable": "head"}, SIZES, CPU, **BRIEF)
    assert probe.trained == sum(p.numel() for p in model.get_classifier().parameters())


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_kernel_that_trying_out_did_not_reach_does_not_end_the_bill(monkeypatch, tmp_path):
    def evaluate(*arguments):
        torch.zeros(2).put_(torch.tensor([1]), torch.tensor([1.0]))  # has no deterministic form
        return tracking.evaluate(*arguments)

    monkeypatch.setattr(cost_module, "evaluate", evaluate)
    try:
        recipe = complete_recipe(RECIPE, CPU)
        found = measure_throughput(DEFINITION, recipe, SIZES, CPU, tmp_path, **BRIEF)
    finally:
        torch.use_deterministic_algorithms(True)
    assert all(value > 0 for value in vars(found).values())


def test_close_calls_are_timed_in_their_own_batches_and_counted_by_their_usual_share(monkeypatch):
    timed = []

    def evaluate(model, maker, samples, how):
        timed.append((how.precision, how.batch_size, len(samples.index)))

    seconds = {("bf16", 128): 1.0, ("fp32", 32): 2.0}
    monkeypatch.setattr(cost_module, "evaluate", evaluate)

    def rate(work, size, *_):
        work(2)
        return size / seconds[timed[-1][:2]]

    monkeypatch.setattr(cost_module, "_rate", rate)
    recipe = {"evaluation_precision": "checked_bf16", "evaluation_batch_size": 128}
    gpu = SimpleNamespace(device=torch.device("cuda"))
    learner = SimpleNamespace(evaluated=None, maker=gpu, recipe=recipe)
    monkeypatch.setattr(cost_module, "close_calls_at_once", lambda size, device: 32)
    found = cost_module._evaluation_rate(learner, SIZES, 1.0)
    assert sorted(timed) == [("bf16", 128, 256), ("fp32", 32, 64)]
    # 128 images take 1 s in bf16, and a tenth of them 12.8 / 16 s in fp32.
    assert found == pytest.approx(128 / 1.8)


@pytest.mark.parametrize("augment", [False, True])
def test_no_rate_is_so_high_that_the_bill_fails(tmp_path, augment):
    warm_up = {"epochs": 1, "learning_rate": 1e30, "augment": augment}
    recipe = RECIPE | {"learning_rate": 1e30, "optimizer": "sgd", "head_warmup": warm_up}
    found = measure_throughput(
        DEFINITION, complete_recipe(recipe, CPU), SIZES, CPU, tmp_path, **BRIEF
    )
    assert found.training > 0
    assert not list(tmp_path.iterdir())


def test_made_up_images_suffice_for_any_number_of_samples():
    images = MadeUpImages(20)
    maker = BatchMaker(images, 16, Normalisation((0.5,) * 3, (0.25,) * 3), CPU)
    (batch,) = maker.clean([np.array([0, 63, 64, 10**6])])
    assert batch.shape == (4, 3, 16, 16)
    assert torch.equal(batch[0], batch[2])
    assert not torch.equal(batch[0], batch[1])
