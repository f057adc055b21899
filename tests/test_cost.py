"""What a run will cost, from a few steps of its own."""

from dataclasses import replace

import pytest
import torch
from small_run import CPU, RECIPE, SIDE

from retention.common.errors import UserError
from retention.training.cost import (
    BYTES_OF_A_ROW,
    Throughput,
    cost_of_run,
    measure_throughput,
)
from retention.training.machine import out_of_memory_explained
from retention.training.models import (
    build_model,
)
from retention.training.recipe import complete_recipe


def test_the_cost_of_batches_that_need_too_much_memory_says_so(monkeypatch):
    def exhausted(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")

    monkeypatch.setattr("retention.training.cost._rate", exhausted)
    definition = {"timm": "test_resnet", "image_size": SIDE}
    with pytest.raises(
        UserError,
        match="test_resnet: out of memory at 16 images at once; try gradient_accumulation 2, ",
    ):
        measure_throughput(definition, complete_recipe(RECIPE, CPU), 4, CPU)


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


def test_the_cost_counts_every_presentation_and_every_evaluation():
    recipe = complete_recipe({**RECIPE, "optimizer": "sgd"}, CPU)
    speed = Throughput(training=10.0, evaluation=40.0, parameters=1000)
    store = {"probabilities": "all", "weights": "final"}
    cost = cost_of_run(speed, recipe, store, train=33, test=8, classes=4)
    assert cost.seconds == pytest.approx(33 * 8 / 10 + (41 * 9 + 33) / 40)
    assert cost.unfinished == 2 * 2 * 4000
    averaged = cost_of_run(speed, recipe | {"ema_decay": 0.9}, store, train=33, test=8, classes=4)
    assert averaged.unfinished == 2 * 3 * 4000
    probe = cost_of_run(replace(speed, trained=10), recipe, store, train=33, test=8, classes=4)
    assert probe.unfinished == 2 * (4000 + 40)
    assert cost.kept == 41 * 9 * BYTES_OF_A_ROW + 41 * 4 * 2 * 9 + 4000


def test_throughput_is_of_the_recipes_own_step():
    recipe = complete_recipe({**RECIPE, "precision": "bf16"}, CPU)
    definition = {"timm": "test_resnet", "image_size": SIDE}
    found = measure_throughput(definition, recipe, 4, torch.device("cpu"), seconds=0.1)
    assert found.training > 0
    assert found.evaluation > 0
    assert found.parameters == sum(p.numel() for p in build_model(definition, 4).parameters())
    assert found.trained == found.parameters
    probe = measure_throughput(definition, recipe | {"trainable": "head"}, 4, CPU, seconds=0.1)
    assert (probe.parameters, probe.trained) == (found.parameters, 4 * 96 + 4)
