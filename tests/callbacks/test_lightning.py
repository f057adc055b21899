"""Traces of trainings by PyTorch Lightning."""

import copy
import subprocess
import sys

import lightning.pytorch as pl
import numpy as np
import pandas as pd
import pytest
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from small_points import SAMPLES, expected, losses
from torch.utils.data import DataLoader, TensorDataset

from retention.callbacks.lightning import RecordTraces
from retention.common.errors import UserError


class Small(pl.LightningModule):
    """Layers that behave otherwise in training: dropout and batch norm; one of them is frozen in evaluation mode."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        frozen = torch.nn.BatchNorm1d(4)
        self.layers = torch.nn.Sequential(
            frozen, torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Dropout(), torch.nn.Linear(8, 3)
        )  # fmt: skip

    def on_train_epoch_start(self):
        self.layers[0].eval()

    def forward(self, inputs):
        return self.layers(inputs)

    def training_step(self, batch, _):
        assert [layer.training for layer in self.layers] == [False] + [True] * 5
        return torch.nn.functional.cross_entropy(self(batch[0]), batch[1])

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)


@pytest.fixture
def sets(data):
    return {split: TensorDataset(*map(torch.tensor, pair)) for split, pair in data.items()}


def labels_in(sets):
    return {split: dataset.tensors[1] for split, dataset in sets.items()}


def train(sets, path, epochs, *more, checkpoint=None, record=True, shuffle=True, **words):
    """Train, and return the module."""
    traces = [RecordTraces(path, sets, labels_in(sets), batch_size=7, seed=0, **words)] if record else []  # fmt: skip
    trainer = pl.Trainer(
        max_epochs=epochs, accelerator="cpu", devices=1, callbacks=[*traces, *more], logger=False,
        enable_checkpointing=any(isinstance(one, ModelCheckpoint) for one in more),
        enable_progress_bar=False, enable_model_summary=False, default_root_dir=path.parent,
    )  # fmt: skip
    torch.manual_seed(1)
    module = Small()
    loader = DataLoader(sets["train"], batch_size=8, shuffle=shuffle)
    trainer.fit(module, loader, ckpt_path=checkpoint)
    return module


def test_traces_are_what_the_weights_say(path, sets):
    class Kept(Callback):
        """Keeps the weights that each epoch ends with."""

        def on_train_start(self, _, module):
            kept.append(copy.deepcopy(module))

        def on_train_epoch_end(self, _, module):
            kept.append(copy.deepcopy(module))

    kept = []
    train(sets, path, 3, Kept())
    assert pd.read_parquet(path).groupby("epoch").size().to_dict() == dict.fromkeys(range(4), 41)
    for epoch, module in enumerate(kept):
        recorded = losses(path, epoch)
        for split, dataset in sets.items():
            with torch.no_grad():
                logits = module.eval()(dataset.tensors[0]).numpy()
            truth = expected(logits, dataset.tensors[1].numpy())
            np.testing.assert_allclose(recorded[split], truth, rtol=1e-4, atol=1e-5)


def test_an_index_of_the_samples_is_written_at_the_end(path, sets):
    file = path.parent / "index.parquet"
    train(sets, path, 2, index=file, class_names=["a", "b", "c"])
    index = pd.read_parquet(file)
    assert len(index) == sum(len(part) for part in sets.values())
    assert list(index["label"]) == [int(y) for labels in labels_in(sets).values() for y in labels]
    assert list(index["class_name"]) == ["abc"[label] for label in index["label"]]


def test_the_training_is_the_same_beside_a_recording(path, sets):
    one, other = train(sets, path, 3), train(sets, path, 3, record=False)
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


def test_a_training_goes_on_from_a_checkpoint(path, sets, tmp_path):
    """Killed after the third epoch was recorded, and before its checkpoint was saved."""

    class Killed(Callback):
        def on_train_epoch_end(self, trainer, _):
            if trainer.current_epoch == 2:
                raise KeyboardInterrupt

    train(sets, path, 5, shuffle=False)
    whole, again = path.read_bytes(), tmp_path / "again/0.parquet"
    saved = ModelCheckpoint(tmp_path, save_last=True)
    with pytest.raises(SystemExit):
        train(sets, again, 5, Killed(), saved, shuffle=False)
    assert len(list((tmp_path / "again/0.parquet.parts").glob("epoch*"))) == 4
    with pytest.warns(UserWarning, match="epochs 3 to 3 are forgotten .* goes on after epoch 2"):
        train(sets, again, 5, shuffle=False, checkpoint=tmp_path / "last.ckpt")
    one, other = pd.read_parquet(path), pd.read_parquet(again)
    # Dropout draws other numbers after a start anew; until then all is the same.
    columns, shared = ["epoch", "split", "sample_index"], one["epoch"] <= 2
    pd.testing.assert_frame_equal(one[columns], other[columns])
    pd.testing.assert_frame_equal(one[shared], other[shared])
    assert whole != again.read_bytes()


def test_what_would_be_wrong_is_refused(path, sets, data):
    class Random(TensorDataset):
        def __getitem__(self, index):
            point, label = super().__getitem__(index)
            return point + torch.randn(4), label

    with pytest.raises(UserError, match="test: sample 0 is another at each look; give a data set"):
        train({**sets, "test": Random(*sets["test"].tensors)}, path, 1)
    swapped = TensorDataset(sets["test"].tensors[0], sets["test"].tensors[1].flip(0))
    traces = RecordTraces(path, {"test": swapped}, {"test": data["test"][1]})
    trainer = pl.Trainer(max_epochs=1, accelerator="cpu", callbacks=[traces], logger=False, enable_checkpointing=False)  # fmt: skip
    with pytest.raises(UserError, match=r"test: .* samples have another label than `labels` says"):
        trainer.fit(Small(), DataLoader(sets["train"], batch_size=8))
    with pytest.raises(UserError, match=r"no `targets`; give labels=\{'train': …\}"):
        RecordTraces(path, sets)
    train(sets, path, 1)
    with pytest.raises(UserError, match="is a finished recording, and the training begins anew"):
        train(sets, path, 1)


def test_without_the_state_before_training_epochs_begin_with_1(path, sets):
    train(sets, path, 2, initial=False)
    assert set(pd.read_parquet(path)["epoch"]) == {1, 2}


def test_two_processes_record_their_shares(path, sets):
    traces = RecordTraces(path, sets, labels_in(sets), batch_size=7)
    trainer = pl.Trainer(
        max_epochs=2, accelerator="cpu", devices=2, strategy="ddp_fork", callbacks=[traces], logger=False,
        enable_checkpointing=False, enable_progress_bar=False,
    )  # fmt: skip
    trainer.fit(Small(), DataLoader(sets["train"], batch_size=5))
    table = pd.read_parquet(path)
    assert len(table) == 3 * sum(SAMPLES.values())
    assert not table.duplicated(["epoch", "split", "sample_index"]).any()
    module = Small().eval()  # as it was before training
    with torch.no_grad():
        truth = expected(module(sets["test"].tensors[0]).numpy(), sets["test"].tensors[1].numpy())
    np.testing.assert_allclose(losses(path, 0)["test"], truth, rtol=1e-4, atol=1e-5)


def test_the_callback_is_of_the_package_that_is_in_use():
    """`lightning` and `pytorch_lightning` are the same code under two names, and do not mix."""
    for package, base in (("pytorch_lightning", "pytorch_lightning"), ("lightning", "lightning.pytorch")):  # fmt: skip
        code = (
            f"import {package}, {base}\n"
            "from retention.callbacks.lightning import RecordTraces\n"
            f"assert issubclass(RecordTraces, {base}.Callback)"
        )
        done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
