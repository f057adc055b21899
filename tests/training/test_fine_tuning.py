"""Training against independent truths: plain torch, hand-worked logits, unchanged tensors."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import timm
import torch
import yaml
from scipy.special import log_softmax
from small_run import CPU, RECIPE, SIDE, TRAIN, make_run, outputs_in, results_of
from sources import ROOT
from torch import nn

from retention.commands import pretrain_backbone
from retention.common.errors import UserError
from retention.common.yaml_files import write_yaml
from retention.data.caching import digests_of
from retention.sampling.orders import batches_of
from retention.training import features as features_module
from retention.training.cost import Sizes, measure_throughput
from retention.training.locking import exclusive
from retention.training.models import (
    build_model,
    head_names,
    is_head_key,
    normalisation_of,
)
from retention.training.recipe import complete_recipe
from retention.training.tracking import Evaluation, Samples, evaluate, measure
from retention.training.weight_files import read_weights


@pytest.fixture
def trained(images, tmp_path):
    """The folder of a finished run."""
    make_run(images, tmp_path / "state").execute(outputs_in(tmp_path / "run"))
    return tmp_path / "run"


def test_measures_of_logits_worked_with_scipy():
    logits = torch.tensor([[2.0, 1.0, -1.0], [0.0, 3.0, 3.5], [1.0, 1.0, 1.0]])
    labels = np.array([0, 1, 2])
    found = {name: value.numpy() for name, value in measure(logits, torch.tensor(labels)).items()}
    logs = log_softmax(logits.numpy().astype(float), axis=1)
    rows = np.arange(3)
    np.testing.assert_allclose(found["loss"], -logs[rows, labels], rtol=1e-6)
    np.testing.assert_allclose(found["confidence"], np.exp(logs[rows, labels]), rtol=1e-6)
    np.testing.assert_allclose(found["margin"], [1.0, -0.5, 0.0], atol=1e-7)
    error = np.exp(logs) - np.eye(3)[labels]
    np.testing.assert_allclose(found["error_norm"], np.linalg.norm(error, axis=1), rtol=1e-6)
    assert found["predicted"].tolist() == [0, 2, 0]
    assert found["correct"].tolist() == [True, False, False]


def test_the_last_trace_is_what_the_saved_weights_say(images, trained):
    model = timm.create_model("test_resnet", num_classes=4)
    model.load_state_dict(read_weights(trained / "final.safetensors"))
    model.eval()
    index = pd.read_parquet(images / "index.parquet")
    pixels = np.load(images / "pixels.npy").reshape(-1, SIDE, SIDE, 3).transpose(0, 3, 1, 2)
    mean, std = (np.array(model.default_cfg[key])[:, None, None] for key in ("mean", "std"))
    with torch.no_grad():
        inputs = torch.tensor((pixels / 255 - mean) / std, dtype=torch.float32)
        logs = log_softmax(model(inputs).double().numpy(), axis=1)
    traces = pd.read_parquet(trained / "traces.parquet")
    last = traces[traces["epoch"] == RECIPE["epochs"]].set_index("sample_index").sort_index()
    labels = index["label"].to_numpy()
    assert last["split"].tolist() == index["split"].tolist()
    np.testing.assert_allclose(
        last["loss"], -logs[np.arange(len(labels)), labels], rtol=1e-3, atol=1e-4
    )
    assert last["predicted"].tolist() == logs.argmax(axis=1).tolist()
    assert last["correct"].tolist() == (logs.argmax(axis=1) == labels).tolist()
    stored = np.load(trained / "probabilities.npy")
    in_order = traces[traces["epoch"] == 0]["sample_index"].to_numpy()
    np.testing.assert_allclose(stored[-1], np.exp(logs)[in_order], atol=2e-3)


def test_checked_bf16_records_the_correctness_of_fp32():
    """Noise in, a linear map: many margins are near zero, and bf16 alone errs on some."""
    torch.manual_seed(0)
    inputs, model = torch.randn(20_000, 64), nn.Linear(64, 3)
    labels = np.arange(20_000) % 3
    samples = Samples(np.arange(20_000), np.full(20_000, "train"), labels, 3)
    maker = SimpleNamespace(device=CPU, clean=lambda batches: (inputs[b] for b in batches))
    exact, rounded, checked = (
        evaluate(model, maker, samples, Evaluation(100, way)).record
        for way in ("fp32", "bf16", "checked_bf16")
    )
    assert (exact["correct"] != rounded["correct"]).sum() > 5
    assert exact["correct"].tolist() == checked["correct"].tolist()
    in_fp32 = np.isclose(exact["margin"], checked["margin"], rtol=0, atol=1e-6).mean()
    assert 0.01 < in_fp32 < 0.3


def test_auto_is_bf16_only_where_the_device_computes_with_it(monkeypatch):
    recipe = {"epochs": 3, "learning_rate": 1e-3}
    for fast, training, evaluation in ((True, "bf16", "checked_bf16"), (False, "fp32", "fp32")):
        monkeypatch.setattr("retention.training.recipe.has_fast_bf16", lambda _, fast=fast: fast)
        found = complete_recipe(recipe, CPU)
        assert (found["precision"], found["evaluation_precision"]) == (training, evaluation)
        assert found["channels_last"] is fast
        half = complete_recipe(recipe | {"precision": "fp16"}, CPU)
        assert (half["precision"], half["channels_last"]) == ("fp16", True)
        # What is asked for is not changed.
        asked = {"precision": "fp32", "evaluation_precision": "bf16", "channels_last": True}
        assert complete_recipe(recipe | asked, CPU).items() >= asked.items()


def test_traces_have_every_sample_at_every_epoch_in_order(trained):
    traces = pd.read_parquet(trained / "traces.parquet")
    assert len(traces) == 41 * (RECIPE["epochs"] + 1)
    keys = ["epoch", "split", "sample_index"]
    pd.testing.assert_frame_equal(traces, traces.sort_values(keys).reset_index(drop=True))
    shown = traces.groupby(["epoch", "split"])["presentations"].sum()
    assert shown[0].sum() == 0
    assert (shown.xs("train", level="split")[1:] == TRAIN).all()
    assert shown.xs("test", level="split").sum() == 0
    epochs = pd.read_csv(trained / "epochs.csv")
    correct = traces[traces["split"] == "train"].pivot(
        index="epoch", columns="sample_index", values="correct"
    )
    lost = (correct.shift().eq(True) & ~correct).sum(axis=1)
    assert epochs["forgotten"].fillna(0).tolist() == lost.tolist()


def test_run_yaml_says_with_what_and_how_the_run_was_made(trained):
    facts = yaml.safe_load((trained / "run.yaml").read_text())
    model = timm.create_model("test_resnet", num_classes=4)
    assert facts["parameters"] == sum(value.numel() for value in model.parameters())
    assert facts["recipe"] == complete_recipe(RECIPE, CPU)
    assert facts["versions"]["torch"] == torch.__version__.partition("+")[0]
    assert facts["digests"].keys() == {"recipe", "seed"}
    assert facts["device"].startswith("cpu (")
    assert facts["peak_memory_mb"] > 100
    epochs = pd.read_csv(trained / "epochs.csv")
    assert facts["wall_seconds"] == pytest.approx(epochs["seconds"].sum(), abs=0.02)
    assert facts["final_test_accuracy"] == epochs["test_accuracy"].iloc[-1]


def test_a_run_does_not_depend_on_what_ran_before(images, trained, tmp_path):
    make_run(images, tmp_path / "other", seed=1).execute(outputs_in(tmp_path / "run1"))
    torch.rand(1000)
    make_run(images, tmp_path / "state").execute(outputs_in(tmp_path / "again"))
    assert results_of(tmp_path / "again") == results_of(trained)
    assert (
        results_of(tmp_path / "run1")["traces.parquet"] != (results_of(trained)["traces.parquet"])
    )


PATCHES = {"img_size": SIDE, "patch_size": 8}
MODELS = {
    "test_resnet": {},
    "test_efficientnet": {},
    "test_convnext": {},
    "test_nfnet": {},
    "test_vit": PATCHES,
    "test_vit3": PATCHES | {"img_size": 48},
    "deit_tiny_distilled_patch16_224": PATCHES | {"depth": 2},  # two heads
}


@pytest.mark.parametrize("augment", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_a_frozen_backbone_does_not_move_and_everything_learns_afterwards(
    images, tmp_path, name, augment
):
    definition = {"timm": name, "model_kwargs": MODELS[name]}
    definition["image_size"] = MODELS[name].get("img_size", SIDE)
    warm_up = {"epochs": 2, "learning_rate": 1e-2, "augment": augment}
    recipe = {"head_warmup": warm_up, "weight_decay": 0.0, "epochs": 3}
    run = make_run(images, tmp_path / "state", recipe, definition)
    before = {key: value.clone() for key, value in run.model.state_dict().items()}
    epochs = run.epochs()
    next(epochs)
    after = run.model.state_dict()
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    heads = {key for key in before if is_head_key(key, head_names(run.model))}
    assert changed == heads
    assert {len(after[key]) for key in heads} == {4}
    before = {key: value.detach().clone() for key, value in run.model.named_parameters()}
    list(epochs)
    still = [key for key, value in run.model.named_parameters() if torch.equal(value, before[key])]
    assert still == []


def test_warm_up_on_features_gives_the_head_of_forward_passes(images, tmp_path, monkeypatch):
    fast = make_run(images, tmp_path / "fast")
    next(fast.epochs())
    monkeypatch.setattr(features_module, "_head_is_last_layer", lambda *_: False)
    slow = make_run(images, tmp_path / "slow")
    next(slow.epochs())
    torch.testing.assert_close(fast.model.fc.weight, slow.model.fc.weight, rtol=1e-4, atol=1e-5)


def test_batches_cover_an_order_and_none_has_one_sample():
    for count in range(2, 40):
        batches = batches_of(np.arange(count), 16)
        assert np.concatenate(batches).tolist() == list(range(count))
        assert min(map(len, batches)) > 1


@pytest.mark.parametrize(
    ("batch_size", "step"), [(16, r"step \d+: the loss is"), (64, r"after its last step: .* is")]
)
def test_a_loss_that_is_no_number_stops_the_run_and_says_where(images, tmp_path, batch_size, step):
    recipe = {"learning_rate": 1e30, "optimizer": "sgd", "batch_size": batch_size}
    run = make_run(images, tmp_path / "state", recipe)
    expected = rf"epoch 1, {step} not finite .*\(learning rate [\d.e+]+\); lower"
    with pytest.raises(UserError, match=expected):
        run.execute(outputs_in(tmp_path / "run"))
    assert not (tmp_path / "run" / "traces.parquet").exists()
    assert run.state.load().epoch == 0


@pytest.mark.parametrize(
    ("name", "keywords", "optimizer"),
    [
        ("test_vit", PATCHES | {"drop_rate": 0.1, "drop_path_rate": 0.1}, "sgd"),
        ("test_nfnet", {}, "adam"),  # parameters without a dimension
    ],
)
def test_a_resumed_run_gives_the_same_bytes_in_bf16_too(
    images, tmp_path, name, keywords, optimizer
):
    definition = {"timm": name, "model_kwargs": keywords}
    recipe = {"epochs": 4, "optimizer": optimizer, "precision": "bf16", "channels_last": True}
    recipe |= {"evaluation_precision": "checked_bf16", "class_weighting": "balanced"}
    make_run(images, tmp_path / "a", recipe, definition).execute(outputs_in(tmp_path / "whole"))
    for stop in (1, 3):
        epochs = make_run(images, tmp_path / "b", recipe, definition).epochs()
        while next(epochs)["epoch"] < stop:
            continue
    make_run(images, tmp_path / "b", recipe, definition).execute(outputs_in(tmp_path / "resumed"))
    assert results_of(tmp_path / "resumed") == results_of(tmp_path / "whole")


def test_what_a_killed_run_had_half_written_is_taken_away(images, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for name in (".traces-ab12.parquet", ".probabilities-cd34.npy", ".hidden", "notes.csv"):
        (folder / name).touch()
    make_run(images, tmp_path / "state", {"epochs": 1}).execute(outputs_in(folder))
    written = {path.name for path in vars(outputs_in(folder)).values()}
    assert {path.name for path in folder.iterdir()} == written | {".hidden", "notes.csv"}


@pytest.mark.parametrize("damage", ["", "\0" * 500, "5"], ids=["empty", "zeros", "no map"])
def test_a_damaged_state_is_not_said_to_be_saved(images, tmp_path, damage):
    epochs = make_run(images, tmp_path / "state").epochs()
    assert [next(epochs)["epoch"] for _ in range(2)] == [0, 1]
    (tmp_path / "state" / "epoch_000001.json").write_text(damage)
    again = make_run(images, tmp_path / "state")
    assert again.state.load().epoch == 0
    assert again.progress() == "epoch 0 of 8 is saved, the next start goes on there"


def test_a_second_process_is_refused_in_one_line(tmp_path):
    with (
        exclusive(tmp_path),
        pytest.raises(UserError, match="another process is already training"),
        exclusive(tmp_path, grace=0.1),
    ):
        pass
    with exclusive(tmp_path, grace=0.1):
        pass


def test_an_unknown_model_names_the_nearest():
    with pytest.raises(UserError, match=r"did you mean .*resnet18"):
        build_model({"timm": "resnet_18"}, 3)


def test_the_definitions_normalisation_is_used_before_the_models():
    model = build_model({"timm": "test_resnet"}, 3)
    own = {"normalisation": {"mean": [0.1, 0.2, 0.3], "std": [1, 2, 3]}}
    assert normalisation_of(model, own).mean == (0.1, 0.2, 0.3)
    assert normalisation_of(model, {}).mean == tuple(model.default_cfg["mean"])


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        MemoryError(),
    ],
)
def test_running_out_of_memory_says_what_keeps_the_batch(images, tmp_path, monkeypatch, error):
    run = make_run(images, tmp_path / "state")

    def exhausted(*_, **__):
        raise error

    monkeypatch.setattr("retention.training.epochs.train_epoch", exhausted)
    expected = (
        "epoch 1: out of memory at 16 images at once; try gradient_accumulation 2, with which a step is still "
        "of 16 images, and evaluation_batch_size 3 in the recipe"
    )
    with pytest.raises(UserError, match=expected):
        run.execute(outputs_in(tmp_path / "run"))
    assert run.state.load().epoch == 0


@pytest.mark.parametrize(
    ("name", "keywords", "size"),
    [("test_vit", {"dynamic_img_size": False}, 48), ("inception_v3", {}, 40)],
)
def test_images_of_a_size_that_the_model_does_not_take(images, tmp_path, name, keywords, size):
    definition = {"timm": name, "model_kwargs": keywords, "image_size": size}
    expected = f"{name}: does not take images of {size} pixels .*correct image_size"
    with pytest.raises(UserError, match=expected):
        make_run(images, tmp_path / "state", None, definition).execute(outputs_in(tmp_path))
    with pytest.raises(UserError, match=expected):
        measure_throughput(definition, complete_recipe(RECIPE, CPU), Sizes(33, 8, 4), CPU)
    with pytest.raises(UserError, match=expected):
        pretrain(images, definition)


@pytest.mark.parametrize("name", ["pixels.npy", "layout.parquet"])
def test_images_that_are_not_those_that_were_cached_are_refused_before_training(images, name):
    files = [images / "pixels.npy", images / "layout.parquet"]
    write_yaml(images / "pixels.yaml", digests_of(*files))
    content = bytearray((images / name).read_bytes())
    content[-1] ^= 1
    (images / name).write_bytes(content)
    definition = {"timm": "test_resnet", "image_size": SIDE}
    with pytest.raises(
        UserError, match=f"{name}: is not the file that was cached .*make the cache"
    ):
        pretrain(images, definition, images=images / "pixels.yaml")
    options = {"study": "s", "dataset": "d", "architecture": "a", "treatment": "random", "seed": 0}
    maps = {"definition": definition, "recipe": RECIPE, "treatment-definition": {}, "store": {}}
    options |= {key: json.dumps(value) for key, value in maps.items()} | {"device": "cpu"}
    options |= dict(zip(("pixels", "layout"), files, strict=True))
    options |= {"index": images / "index.parquet", "images": images / "pixels.yaml"}
    for output in ("state", "traces", "epochs", "run", "centroids"):
        options[output] = images / "run" / output
    words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    done = subprocess.run(
        [sys.executable, ROOT / "scripts/finetune.py", *words], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert f"error: {images / name}: is not the file that was cached" in done.stderr
    assert "Traceback" not in done.stderr and not (images / "run").exists()


def pretrain(folder, definition, **more):
    """Pretrain on the images of a folder, as the command line does."""
    options = {"study": "s", "source": "d", "architecture": "a", "device": "cpu"}
    options |= {"definition": json.dumps(definition), "recipe": json.dumps(RECIPE)}
    files = {"index": "index.parquet", "pixels": "pixels.npy", "layout": "layout.parquet"}
    files |= {"output": "w.safetensors", "log-table": "log.csv", "state": "state"}
    options |= {key: folder / name for key, name in files.items()} | more
    pretrain_backbone.main(
        [word for key, value in options.items() for word in (f"--{key}", str(value))]
    )


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system's own counter is read")
def test_a_peak_is_the_process_s_own_and_not_its_parent_s():
    # A child that is started without a fork's copy counts its parent's peak as its own.
    ask = "from retention.training.machine import process_peak; print(process_peak())"
    parent = f"import subprocess, sys; held = b'x' * 2**30; subprocess.run([sys.executable, '-c', {ask!r}])"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
    told = subprocess.check_output([sys.executable, "-c", parent], env=environment, text=True)
    assert int(told) < 2**30
