"""A pretraining against plain torch, and killed at any moment: the same weights, to the byte."""

import contextlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import timm
import torch
from forked import start
from killed import NOT_KILLED, die_while_saving
from safetensors import safe_open
from small_run import CPU, DEFINITION, RECIPE, SIDE, TRAIN
from sources import ROOT

from retention.commands import clean_state
from retention.common.errors import UserError
from retention.common.randomness import seed_for
from retention.common.yaml_files import read_stated
from retention.data.image_cache import ImageCache
from retention.sampling.orders import RandomSampler
from retention.training import epochs as epochs_module
from retention.training.locking import exclusive
from retention.training.pretraining import Pretraining
from retention.training.recipe import complete_recipe
from retention.training.run import BackboneNames, BackboneOutputs, RunSettings
from retention.training.state import RunState
from retention.training.tracking import Samples
from retention.training.weight_files import read_weights
from retention.workflow.code_version import imported_sources

NAMES = BackboneNames("study", "noise", "resnet")
# What a state must hold beside the weights: moments, a moving average, seeds of every kind.
EVERYTHING = {"epochs": 4, "ema_decay": 0.9, "gradient_accumulation": 2, "held_out_samples": 5}
EVERYTHING |= {"augmentation": {**RECIPE["augmentation"], "mixup": 0.3, "erasing": 0.2}}


def pretraining(images: Path, folder: Path, recipe: dict) -> Pretraining:
    whole = complete_recipe({**RECIPE, **recipe}, CPU)
    settings = RunSettings(DEFINITION, whole, {}, {}, None, "code")
    samples = Samples.from_index(pd.read_parquet(images / "index.parquet"))
    cache = ImageCache(images / "pixels.npy", images / "layout.parquet")
    state = RunState(folder / "state", {"recipe": str(whole)})
    return Pretraining(NAMES, settings, samples, cache, CPU, state)


def outputs_in(folder: Path) -> BackboneOutputs:
    return BackboneOutputs(folder / "w.safetensors", folder / "w.csv", folder / "w.yaml")


def train(images: Path, folder: Path, recipe: dict) -> None:
    """Pretrain in this process, from whatever state is there."""
    with open(folder / "log", "a") as log, contextlib.redirect_stderr(log):
        pretraining(images, folder, recipe).execute(outputs_in(folder))


def train_and_die(images: Path, folder: Path, recipe: dict, step: int, epoch: int) -> None:
    die_while_saving(step, epoch)
    train(images, folder, recipe)


def made(folder: Path) -> tuple:
    """Return what must be the same however often a pretraining was interrupted."""
    log = pd.read_csv(folder / "w.csv")
    columns = ["epoch", "learning_rate", "test_accuracy"]
    return (folder / "w.safetensors").read_bytes(), read_stated(folder / "w.yaml"), log[columns]


def same(one: tuple, other: tuple) -> bool:
    return one[:2] == other[:2] and one[2].equals(other[2])


def shown(images: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the images of a folder as the model is shown them, float32 [N, 3, S, S], and their labels."""
    pixels = np.load(images / "pixels.npy").reshape(-1, SIDE, SIDE, 3).transpose(0, 3, 1, 2)
    configuration = timm.create_model("test_resnet").default_cfg
    mean, std = (np.array(configuration[key])[:, None, None] for key in ("mean", "std"))
    table = pd.read_parquet(images / "index.parquet").sort_values("sample_index")
    labels = torch.tensor(table["label"].to_numpy(), dtype=torch.int64)
    return torch.tensor((pixels / 255 - mean) / std, dtype=torch.float32), labels


def test_it_trains_as_a_plain_loop_does(images, tmp_path):
    """Seeds are of study, source, architecture and "pretraining", or finished studies would be trained anew."""
    plain = {"augmentation": {}, "weight_decay": 0.0, "schedule": "constant", "epochs": 2}
    plain |= {"warmup_steps_fraction": 0.0, "head_learning_rate": RECIPE["learning_rate"]}
    train(images, tmp_path, plain)
    purpose = ("study", "noise", "resnet", "pretraining")
    torch.manual_seed(seed_for(*purpose, "initialisation"))
    model = timm.create_model("test_resnet", num_classes=4)
    optimizer = torch.optim.AdamW(model.parameters(), RECIPE["learning_rate"], weight_decay=0.0)
    inputs, labels = shown(images)
    sampler, accuracies = RandomSampler(TRAIN, (*purpose, "order")), []
    for epoch in (1, 2):
        model.train()
        order = torch.from_numpy(sampler.order(epoch))
        for batch in (order[:16], order[16:]):  # the single last sample joins the batch before
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(inputs[batch]), labels[batch]).backward()
            optimizer.step()
        with torch.no_grad():
            correct = model.eval()(inputs[TRAIN:]).argmax(dim=1) == labels[TRAIN:]
        accuracies.append(correct.double().mean().item())
    for key, value in read_weights(tmp_path / "w.safetensors").items():
        torch.testing.assert_close(value, model.state_dict()[key], rtol=2e-3, atol=2e-4)
    assert pd.read_csv(tmp_path / "w.csv")["test_accuracy"].tolist() == pytest.approx(accuracies)
    assert not (tmp_path / "state").exists()


def test_it_keeps_the_average_too(images, tmp_path):
    training = pretraining(images, tmp_path, {"ema_decay": 0.9, "epochs": 1})
    before = {key: value.clone() for key, value in training.model.state_dict().items()}
    training.execute(outputs_in(tmp_path))
    kept, trained = read_weights(tmp_path / "w.safetensors"), training.model.state_dict()
    for key, begun in before.items():
        if begun.is_floating_point():  # two steps: nearer to the beginning than what was trained
            moved, followed = (weights[key] - begun for weights in (trained, kept))
            assert followed.norm() < 0.3 * moved.norm()
    assert any(not torch.equal(kept[key], before[key]) for key in before)


def test_nothing_held_out_is_nothing_evaluated(images, tmp_path):
    table = pd.read_parquet(images / "index.parquet")
    table["split"] = "train"
    table.to_parquet(images / "index.parquet")
    train(images, tmp_path, {"epochs": 1})
    assert pd.read_csv(tmp_path / "w.csv")["test_accuracy"].isna().all()
    assert "epoch 1/1: accuracy test" in (tmp_path / "log").read_text()


def test_running_out_of_memory_says_what_keeps_the_batch(images, tmp_path, monkeypatch):
    def exhausted(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB")

    monkeypatch.setattr(epochs_module, "train_epoch", exhausted)
    with pytest.raises(UserError, match=r"epoch 1: out of memory .* try gradient_accumulation 2"):
        train(images, tmp_path, {})


def test_one_that_went_on_elsewhere_says_so_beside_its_weights(
    images, tmp_path, monkeypatch, capsys
):
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(epochs_module, "device_in_words", lambda _: "an abacus")
        epochs = pretraining(images, tmp_path, EVERYTHING).epochs()
        next(epochs)
        epochs.close()
    pretraining(images, tmp_path, EVERYTHING).execute(outputs_in(tmp_path))
    told = "the metadata of the weights will say deterministic: false"
    assert told in capsys.readouterr().err
    with safe_open(tmp_path / "w.safetensors", "np") as file:
        notes = json.loads(file.metadata()["run"])
    assert notes["deterministic"] == "false"
    assert notes["why_not_deterministic"].startswith("several devices: epochs 1 to 1 on an abacus")


@pytest.mark.slow
def test_killed_inside_a_step_of_saving(images, tmp_path):
    whole = tmp_path / "whole"
    whole.mkdir()
    train(images, whole, EVERYTHING)
    steps = 0
    for step in range(1, 60, 4):  # test_resume.py has each
        folder = tmp_path / str(step)
        folder.mkdir()
        process = start(train_and_die, images, folder, EVERYTHING, step, 3)
        process.join()
        if process.exitcode == NOT_KILLED:
            break
        assert process.exitcode == -signal.SIGKILL
        steps += 1
        process = start(train, images, folder, EVERYTHING)
        process.join()
        assert process.exitcode == 0
        assert "resuming after epoch" in (folder / "log").read_text()
        assert same(made(folder), made(whole)), f"step {step}"
        assert not (folder / "state").exists()
    assert steps >= 3


def command_of(folder: Path, images: Path, recipe: dict) -> list[str]:
    """Return the command line that Snakemake would call."""
    options = {"study": "s", "source": "d", "architecture": "a", "device": "cpu"}
    options |= {"definition": json.dumps(DEFINITION), "recipe": json.dumps({**RECIPE, **recipe})}
    files = {"index": "index.parquet", "pixels": "pixels.npy", "layout": "layout.parquet"}
    options |= {key: images / name for key, name in files.items()}
    files = {"output": "w.safetensors", "log-table": "w.csv", "digest": "w.yaml"}
    options |= {key: folder / name for key, name in files.items()}
    options["state"] = folder / "state/d/a/pretraining/backbone"
    words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    return [sys.executable, str(ROOT / "scripts/pretrain_backbone.py"), *words]


def stopped(folder: Path, images: Path, recipe: dict, number: int) -> str:
    """Stop the command by a signal once two epochs are saved; return the last line that it said."""
    state = folder / "state/d/a/pretraining/backbone"
    with open(folder / "said", "w") as said:
        process = subprocess.Popen(command_of(folder, images, recipe), stderr=said)
        while not list(state.glob("epoch_00000[2-9].json")) and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(number)
        assert process.wait() in (128 + number, -number)
    return (folder / "said").read_text().splitlines()[-1]


def run(folder: Path, images: Path, recipe: dict) -> str:
    command = command_of(folder, images, recipe)
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.slow
def test_killed_after_an_epoch_it_goes_on_and_with_another_recipe_it_begins_anew(images, tmp_path):
    long, (whole, cut) = {"epochs": 40}, (tmp_path / "whole", tmp_path / "cut")
    whole.mkdir(), cut.mkdir()
    run(whole, images, long)
    stopped(cut, images, long, signal.SIGKILL)
    assert "resuming after epoch" in run(cut, images, long)
    assert same(made(cut), made(whole))
    line = stopped(cut, images, long, signal.SIGTERM)
    assert line.startswith("stopped by SIGTERM; epoch ")
    assert line.endswith(" of 40 is saved, the next start goes on there")
    said = run(cut, images, {"epochs": 2})
    assert "restarting from the beginning: recipe changed since epoch" in said
    assert len(made(cut)[2]) == 2


@pytest.mark.slow
def test_one_process_at_a_time_and_none_left_is_cleaned(images, tmp_path, capsys):
    state = tmp_path / "state/d/a/pretraining/backbone"
    with exclusive(state):
        done = subprocess.run(command_of(tmp_path, images, {}), stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1
        assert "another process is already training this" in done.stderr
        clean_state.main(["--state", str(tmp_path / "state")])
        assert state.exists()
        assert f"{state}: kept" in capsys.readouterr().out
    clean_state.main(["--state", str(tmp_path / "state")])
    assert not state.exists()


def test_the_code_of_a_pretraining_knows_no_sampler():
    """Else each edit of one would train the backbones anew, and every run after them."""
    sources = imported_sources(ROOT / "scripts/pretrain_backbone.py")
    assert not [path.name for path in sources if path.parent.name == "samplers"]
    assert any(path.parent.name == "training" for path in sources)
