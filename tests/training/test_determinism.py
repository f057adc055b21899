"""Deterministic kernels where there are any; where not, and on several devices, run.yaml says so."""

import itertools
import warnings

import pytest
import torch
import yaml
from small_run import CPU, RECIPE, make_run, outputs_in, results_of, write_images

from retention.common.errors import UserError
from retention.training import (
    determinism,
    epochs,
    finetuning,
    optimisation,
    pretraining,
    tracking,
)
from retention.training import recipe as recipes
from retention.training.determinism import (
    devices_of,
    lacking_kernel,
    repeated_where_lacking,
    settle,
    why_not_deterministic,
)
from retention.training.state import recipe_begun
from retention.training.state_file import read_state, write_state

THERE = "cpu (another one)"


@pytest.fixture(autouse=True)
def strict():
    """Leave torch as other tests expect it."""
    yield
    torch.use_deterministic_algorithms(True)


def finished(run, folder):
    """Return run.yaml and the results of a run."""
    run.execute(outputs_in(folder))
    return yaml.safe_load((folder / "run.yaml").read_text()), results_of(folder)


def stopped(run, epoch):
    """Train a run up to an epoch."""
    for summary in run.epochs():
        if summary["epoch"] == epoch:
            return


def put(*_):
    """Call what has no deterministic form on any device; no number of the model depends on it."""
    torch.zeros(2).put_(torch.tensor([1]), torch.tensor([1.0]))


def with_put(images, state):
    """Return a run in whose every forward pass `put_` is called."""
    run = make_run(images, state)
    run.model.register_forward_pre_hook(put)
    run.model.get_submodule("fc").register_forward_pre_hook(put)
    return run


def test_a_run_of_deterministic_kernels_on_one_device_says_so(images, tmp_path):
    facts, _ = finished(make_run(images, tmp_path / "state"), tmp_path / "run")
    assert facts["deterministic"] is True
    assert "why_not_deterministic" not in facts
    assert facts["devices"] == [
        {"device": facts["device"], "first_epoch": 0, "last_epoch": RECIPE["epochs"]}
    ]


def test_a_kernel_without_a_deterministic_form_is_named_and_the_run_goes_on(
    images, tmp_path, capsys
):
    _, expected = finished(make_run(images, tmp_path / "a"), tmp_path / "plain")
    capsys.readouterr()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        facts, found = finished(with_put(images, tmp_path / "b"), tmp_path / "run")
    assert facts["deterministic"] is False
    assert facts["why_not_deterministic"] == ["without a deterministic form: put_"]
    said = [line for line in capsys.readouterr().err.splitlines() if "put_" in line]
    assert said == [
        "warning: without a deterministic form: put_; run.yaml will say deterministic: false"
    ]
    # What was tried out before has left no trace.
    assert found == expected


def test_trying_out_changes_neither_model_nor_optimiser_nor_generator(images, tmp_path):
    drops = {"timm": "test_vit", "model_kwargs": {"img_size": 32, "drop_rate": 0.5}}
    run = make_run(images, tmp_path, definition=drops)
    before = {key: value.clone() for key, value in run.model.state_dict().items()}
    generator, training = torch.get_rng_state(), run.model.training
    assert determinism.settled(run.learner, run.train, run.settings.definition) == ""
    assert torch.equal(torch.get_rng_state(), generator)
    assert run.model.training is training
    after = run.model.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert not run.learner.stepper.optimizer.state
    assert all(value.grad is None for value in run.model.parameters())


def test_torch_is_strict_wherever_it_can_be():
    torch.use_deterministic_algorithms(False)
    assert settle(lambda: None) == ""
    with pytest.raises(RuntimeError, match="put_ does not have"):
        put()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert settle(put) == "put_"
        put()


@pytest.mark.parametrize(
    ("error", "told", "expected"),
    [
        (
            "adaptive_avg_pool2d_backward_cuda does not have a deterministic implementation, but you set",
            ["Memory Efficient attention defaults to a non-deterministic algorithm. To explicitly"],
            "Memory Efficient attention, adaptive_avg_pool2d_backward_cuda",
        ),
        (
            "Deterministic behavior was enabled, but this operation is not deterministic because it uses CuBLAS "
            "and you have CUDA >= 10.2. To enable deterministic behavior",
            ["something else"],
            "CuBLAS with this CUBLAS_WORKSPACE_CONFIG",
        ),
    ],
)
def test_what_torch_says_on_a_gpu_is_understood(error, told, expected):
    def stand_in():
        if not torch.is_deterministic_algorithms_warn_only_enabled():
            raise RuntimeError(error)
        for text in told:
            warnings.warn(text, stacklevel=1)

    assert settle(stand_in) == expected


def test_other_errors_are_not_taken_for_lacking_kernels():
    def broken():
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    with pytest.raises(RuntimeError, match="illegal memory access"):
        settle(broken)
    assert not torch.is_deterministic_algorithms_warn_only_enabled()


STATEFUL = {"epochs": 3, "ema_decay": 0.9, "gradient_accumulation": 2}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Return the results of a run that meets no such kernel."""
    folder = tmp_path_factory.mktemp("undisturbed")
    write_images(folder)
    return finished(make_run(folder, folder / "state", STATEFUL), folder / "run")[1]


class Late:
    """A kernel that trying out does not reach: the `batch`-th one of training or evaluation, from an epoch on.

    trained: the epochs that were begun, one after the other.
    """

    def __init__(self, monkeypatch, where: str, epoch: int, batch: int):
        self.where, self.epoch, self.batch = where, epoch, batch
        self.trained: list[int] = []
        monkeypatch.setattr(epochs, "train_epoch", self._train)
        for module in (finetuning, pretraining):
            monkeypatch.setattr(module, "evaluate", self._evaluate)

    def _train(self, learner, batches, epoch, tick):
        self.trained.append(epoch)
        return optimisation.train_epoch(learner, batches, epoch, self._ticks("training", tick))

    def _evaluate(self, model, maker, samples, how, tick):
        return tracking.evaluate(model, maker, samples, how, self._ticks("evaluation", tick))

    def _ticks(self, where, tick):
        counted = itertools.count(1)

        def after_batch(images):
            late = where == self.where and max([0, *self.trained]) >= self.epoch
            if late and next(counted) == self.batch:
                put()
            tick(images)

        return after_batch


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    ("where", "epoch", "trained"),
    [
        ("training", 2, [1, 2, 2, 3]),  # in mid-epoch: two steps are undone
        ("evaluation", 2, [1, 2, 2, 3]),
        ("training", 1, [1, 1, 2, 3]),  # from a state without moments
        ("evaluation", 0, [1, 2, 3]),  # of epoch 0: nothing is saved yet
    ],
)
def test_a_kernel_met_late_repeats_its_epoch_alone(
    images, undisturbed, tmp_path, monkeypatch, capsys, where, epoch, trained
):
    late = Late(monkeypatch, where, epoch, 2)
    facts, found = finished(make_run(images, tmp_path / "state", STATEFUL), tmp_path / "run")
    assert late.trained == trained
    said = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("epoch ")]
    assert said == [
        f"warning: epoch {epoch}: without a deterministic form: put_; the epoch is trained again, and run.yaml "
        "will say deterministic: false"
    ]
    assert facts["deterministic"] is False
    assert facts["why_not_deterministic"] == ["without a deterministic form: put_"]
    # put_ is no part of the model: what the first try of the epoch did is undone to the byte.
    assert found == undisturbed


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_run_that_met_a_kernel_late_resumes_with_any_kernel(
    images, undisturbed, tmp_path, monkeypatch, capsys
):
    late = Late(monkeypatch, "training", 1, 2)
    stopped(make_run(images, tmp_path / "state", STATEFUL), 2)
    late.trained.clear()
    capsys.readouterr()
    facts, found = finished(make_run(images, tmp_path / "state", STATEFUL), tmp_path / "run")
    assert late.trained == [3]
    assert "warning" not in capsys.readouterr().err
    assert facts["why_not_deterministic"] == ["without a deterministic form: put_"]
    assert found == undisturbed


def test_other_errors_in_mid_run_and_those_where_any_kernel_is_allowed_end_it(
    images, tmp_path, monkeypatch
):
    def broken(*_):
        raise RuntimeError(error)

    monkeypatch.setattr(epochs, "train_epoch", broken)
    for error in ("CUDA error: an illegal memory access", "x does not have a deterministic imp"):
        with pytest.raises(RuntimeError, match=error[:20]):
            stopped(make_run(images, tmp_path / "state"), 1)
    lacking = RuntimeError("x does not have a deterministic implementation, but you set")
    assert lacking_kernel(lacking) == "x"
    determinism.allow_any_kernel()
    assert lacking_kernel(lacking) == ""


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_is_done_again_where_a_kernel_lacks_is_done_whole():
    torch.use_deterministic_algorithms(True)
    done = []

    def work():
        done.append("begun")
        put()
        done.append("over")
        return 3

    assert repeated_where_lacking(work) == 3
    assert done == ["begun", "begun", "over"]
    assert repeated_where_lacking(lambda: 4) == 4


@pytest.fixture
def there(monkeypatch):
    """Let what is trained meanwhile be trained, as far as a run can tell, on another processor."""
    with monkeypatch.context() as patch:
        for module in (determinism, epochs):
            patch.setattr(module, "device_in_words", lambda _: THERE)
        yield patch


def test_a_run_that_goes_on_elsewhere_lists_both_devices(images, tmp_path, there, capsys):
    stopped(make_run(images, tmp_path / "state"), 3)
    there.undo()
    facts, found = finished(make_run(images, tmp_path / "state"), tmp_path / "run")
    assert facts["devices"] == [
        {"device": THERE, "first_epoch": 0, "last_epoch": 3},
        {"device": facts["device"], "first_epoch": 4, "last_epoch": 8},
    ]
    assert facts["deterministic"] is False
    here = facts["device"]
    assert facts["why_not_deterministic"] == [
        f"several devices: epochs 0 to 3 on {THERE}, epochs 4 to 8 on {here}"
    ]
    said = [line for line in capsys.readouterr().err.splitlines() if "warning" in line]
    assert said == [
        f"warning: epoch 3 was trained on {THERE}, and this is {here}; the run goes on, and run.yaml will say "
        "deterministic: false"
    ]
    # The processor is the same in truth: nothing was trained anew.
    assert found == finished(make_run(images, tmp_path / "other"), tmp_path / "whole")[1]


def test_a_run_may_be_told_to_stop_on_another_device(images, tmp_path, there):
    stopped(make_run(images, tmp_path / "state"), 2)
    run = make_run(images, tmp_path / "state")
    object.__setattr__(run.settings, "on_other_device", "stop")
    stopped(run, 3)  # the same device
    there.undo()
    run = make_run(images, tmp_path / "state")
    object.__setattr__(run.settings, "on_other_device", "stop")
    with pytest.raises(
        UserError, match=r"epoch 3 was trained on cpu \(another one\), and this is cpu"
    ):
        next(run.epochs())
    assert run.state.load().epoch == 3


@pytest.mark.parametrize("fast", [True, False])
def test_what_auto_became_stays_where_a_run_goes_on(images, tmp_path, monkeypatch, fast):
    """From a GPU that computes with bf16 to one that does not, and back: the recipe is the same."""
    asked = {"precision": "auto", "evaluation_precision": "auto", "channels_last": "auto"}
    monkeypatch.setattr(recipes, "has_fast_bf16", lambda device: fast)
    recipe = recipes.complete_recipe(RECIPE | asked, CPU)
    assert recipe["precision"] == ("bf16" if fast else "fp32")
    stopped(make_run(images, tmp_path / "state", recipe), 2)
    monkeypatch.setattr(recipes, "has_fast_bf16", lambda device: not fast)
    begun = recipe_begun(tmp_path / "state")
    assert recipes.complete_recipe(RECIPE | asked, CPU, begun) == recipe
    other = recipes.complete_recipe(RECIPE | asked, CPU, recipe_begun(tmp_path / "none"))
    assert other["precision"] != recipe["precision"]
    # What the user changed is another recipe, on whatever device.
    changed = recipes.complete_recipe(RECIPE | asked | {"weight_decay": 0.2}, CPU, begun)
    assert changed["precision"] == other["precision"]


def test_a_run_goes_on_where_there_is_no_gpu_and_stops_there_if_told(images, tmp_path, capsys):
    stopped(make_run(images, tmp_path / "state"), 2)
    for path in (tmp_path / "state").glob("epoch_*.json"):
        content = read_state(path)
        content["identity"]["device"] = "cuda"
        for summary in content["summaries"]:
            summary["device"] = "NVIDIA A100"
        write_state(path, content)
    run = make_run(images, tmp_path / "state")
    object.__setattr__(run.settings, "on_other_device", "stop")
    with pytest.raises(UserError, match="epoch 2 was trained on NVIDIA A100, and this is cpu"):
        next(run.epochs())
    facts, _ = finished(make_run(images, tmp_path / "state"), tmp_path / "run")
    assert facts["devices"][0]["device"] == "NVIDIA A100"
    assert facts["deterministic"] is False
    assert "restarting" not in capsys.readouterr().err


def test_a_state_that_does_not_tell_its_device_is_resumed(images, tmp_path, capsys):
    """As version 0.1.0 and earlier clones wrote it."""
    stopped(make_run(images, tmp_path / "state"), 3)
    for path in (tmp_path / "state").glob("epoch_*.json"):
        content = read_state(path)
        for summary in content["summaries"]:
            for key in ("device", "lacking", "close_calls"):
                del summary[key]
        write_state(path, content)
    capsys.readouterr()
    facts, found = finished(make_run(images, tmp_path / "state"), tmp_path / "run")
    said = capsys.readouterr().err
    assert "resuming after epoch 3 of 8" in said
    assert said.count("warning: the saved epochs do not say on which device") == 1
    assert facts["deterministic"] is False
    assert facts["devices"][0] == {"device": "unknown", "first_epoch": 0, "last_epoch": 3}
    assert found == finished(make_run(images, tmp_path / "other"), tmp_path / "whole")[1]


def test_devices_are_listed_in_the_order_of_their_epochs():
    summaries = [{"epoch": epoch, "device": name} for epoch, name in enumerate("AABAA")]
    listed = [(d["device"], d["first_epoch"], d["last_epoch"]) for d in devices_of(summaries)]
    assert listed == [("A", 0, 1), ("B", 2, 2), ("A", 3, 4)]
    assert len(why_not_deterministic(summaries)) == 1
    assert why_not_deterministic(summaries[:2]) == []
    assert why_not_deterministic([{"epoch": 0}]) == [
        "the epochs do not say on which device they were trained"
    ]
