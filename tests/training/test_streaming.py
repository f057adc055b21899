"""What an epoch reads from the model: a batch in memory at a time, and nothing that grows with the epoch."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from small_run import CPU, TRAIN, make_run, outputs_in
from torch import nn

from retention.common.errors import UserError
from retention.training import features as features_module
from retention.training.features import ClassMeans
from retention.training.optimisation import STEPS_BETWEEN_CHECKS, LossWatch
from retention.training.tracking import Evaluation, Samples, close_calls_at_once, evaluate


@pytest.mark.parametrize("bad", [1, 100, 101, 250, 299])
def test_a_loss_that_is_no_number_is_named_by_its_step_and_rate(bad):
    watch, most = LossWatch("7"), 0
    with pytest.raises(
        UserError, match=rf"^epoch 7, step {bad}: .*learning rate {bad / 1000:.3g}\)"
    ):
        for step in range(1, 301):
            watch.add(torch.tensor(math.inf if step >= bad else 0.5), step / 1000)
            most = max(most, len(watch.unchecked))
    assert most < STEPS_BETWEEN_CHECKS


def test_no_loss_is_kept_once_it_was_looked_at():
    watch = LossWatch("7")
    for step in range(10 * STEPS_BETWEEN_CHECKS + 3):
        watch.add(torch.tensor(float(step)), 0.1)
        assert len(watch.unchecked) < STEPS_BETWEEN_CHECKS
    watch.check()
    watch.check()
    assert watch.unchecked == []


def test_class_means_are_those_of_the_whole_and_do_not_depend_on_the_batches():
    draws = np.random.default_rng(0)
    features = draws.normal(3, 100, (500, 7)).astype(np.float32)
    labels = draws.choice([0, 1, 3], 500)  # class 2 is absent
    found = []
    for size in (1, 64, 500):
        means = ClassMeans(4)
        for start in range(0, 500, size):
            part = slice(start, start + size)
            means.add(torch.from_numpy(features[part]), labels[part])
        found.append(means.means())
    whole = pd.DataFrame(features.astype(float)).groupby(labels).mean()
    np.testing.assert_allclose(found[0][[0, 1, 3]], whole, rtol=1e-6)
    assert np.isnan(found[0][2]).all()
    assert {array.tobytes() for array in found} == {found[0].tobytes()}


def test_features_that_need_too_much_memory_are_not_kept_and_the_head_is_the_same(
    images, tmp_path, monkeypatch
):
    passed, through = [], features_module._through_backbone

    def noted(learner, train, *more):
        passed.append(len(train.index))
        return through(learner, train, *more)

    monkeypatch.setattr(features_module, "_through_backbone", noted)
    kept = make_run(images, tmp_path / "kept")
    next(kept.epochs())
    assert passed == []
    needed = TRAIN * kept.model.num_features * 4
    monkeypatch.setattr(features_module, "KEPT_BYTES", needed - 1)
    streamed = make_run(images, tmp_path / "streamed")
    next(streamed.epochs())
    assert passed == [TRAIN, TRAIN]  # two epochs of the head
    torch.testing.assert_close(kept.model.fc.weight, streamed.model.fc.weight, rtol=1e-4, atol=1e-5)
    one, other = (run.state.record(0)["class_centroids"] for run in (kept, streamed))
    assert one.tobytes() == other.tobytes()


def noisy(count: int) -> tuple[nn.Module, SimpleNamespace, Samples]:
    """Return a linear map of noise, many of whose margins are near zero."""
    torch.manual_seed(0)
    inputs, model = torch.randn(count, 64), nn.Linear(64, 3)
    samples = Samples(np.arange(count), np.full(count, "train"), np.arange(count) % 3, 3)
    return model, SimpleNamespace(device=CPU, clean=lambda b: (inputs[i] for i in b)), samples


def test_the_share_of_close_calls_is_that_of_the_samples_evaluated_again():
    model, maker, samples = noisy(2000)
    seen = []
    model.register_forward_hook(lambda *hook: seen.append((hook[2].dtype, len(hook[2]))))
    found = evaluate(model, maker, samples, Evaluation(100, "checked_bf16"))
    again = [count for kind, count in seen if kind == torch.float32]
    assert sum(count for kind, count in seen if kind == torch.bfloat16) == 2000
    assert 0 < sum(again) < 1000
    assert found.close_calls == sum(again) / 2000
    assert max(again) == 32
    for other in ("fp32", "bf16"):
        assert evaluate(model, maker, samples, Evaluation(100, other)).close_calls is None


def test_a_gpu_evaluates_close_calls_in_full_batches():
    assert close_calls_at_once(256, torch.device("cuda")) == 256
    assert close_calls_at_once(256, CPU) == 32
    assert close_calls_at_once(7, CPU) == 7


@pytest.mark.parametrize("precision", ["fp32", "checked_bf16"])
def test_epochs_csv_tells_the_share_of_close_calls(images, tmp_path, precision):
    recipe = {"epochs": 1, "evaluation_precision": precision}
    make_run(images, tmp_path / "state", recipe).execute(outputs_in(tmp_path))
    found = pd.read_csv(tmp_path / "epochs.csv")["close_calls"]
    assert len(found) == 2
    assert found.between(7 / 41, 1).all() if precision == "checked_bf16" else found.isna().all()


def test_probabilities_are_those_of_the_logits_in_the_samples_order():
    model, maker, samples = noisy(50)
    how = Evaluation(16, "fp32", keep_probabilities=True)
    found = evaluate(model, maker, samples, how).record["probabilities"]
    (inputs,) = maker.clean([np.arange(50)])
    expected = model(inputs).double().softmax(1).detach().numpy()
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, expected, atol=1e-3)
