"""Traces of trainings by Hugging Face's Trainer."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from small_points import expected, losses
from torch.utils.data import Dataset
from transformers import (
    PretrainedConfig,
    PreTrainedModel,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.modeling_outputs import ImageClassifierOutput

from retention.callbacks.transformers import RecordTraces
from retention.common.errors import UserError


class Small(PreTrainedModel):
    """Two layers with dropout."""

    config_class = PretrainedConfig

    def __init__(self):
        super().__init__(PretrainedConfig())
        torch.manual_seed(0)
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Dropout(), torch.nn.Linear(8, 3)
        )
        self.post_init()

    def forward(self, points, labels=None):
        logits = self.layers(points)
        loss = None if labels is None else torch.nn.functional.cross_entropy(logits, labels)
        return ImageClassifierOutput(loss=loss, logits=logits)


class Points(Dataset):
    """A data set of maps, which says its labels as torchvision's do."""

    def __init__(self, points, labels):
        self.points, self.targets = torch.tensor(points), torch.tensor(labels)

    def __len__(self):
        return len(self.points)

    def __getitem__(self, index):
        return {"points": self.points[index], "labels": self.targets[index]}


@pytest.fixture
def sets(data):
    return {split: Points(*pair) for split, pair in data.items()}


def train(sets, path, epochs, *more, checkpoint=None, record=True, **words):
    """Train, and return the model."""
    traces = [RecordTraces(path, sets, seed=0)] if record else []
    arguments = {
        "num_train_epochs": epochs, "per_device_train_batch_size": 8, "per_device_eval_batch_size": 7, "learning_rate": 0.05,
        "lr_scheduler_type": "constant", "report_to": "none", "use_cpu": True, "disable_tqdm": True, "save_strategy": "no",
    }  # fmt: skip
    arguments = TrainingArguments(path.parent / "out", **arguments | words)
    model = Small()
    trainer = Trainer(model, arguments, train_dataset=sets["train"], callbacks=[*traces, *more])
    trainer.train(resume_from_checkpoint=checkpoint)
    return model


def test_traces_are_what_the_weights_say(path, sets):
    class Kept(TrainerCallback):
        """Keeps the weights that each epoch ends with."""

        def on_train_begin(self, *_, model, **__):
            kept.append(copy.deepcopy(model))

        def on_epoch_end(self, *_, model, **__):
            kept.append(copy.deepcopy(model))

    kept = []
    train(sets, path, 3, Kept())
    assert pd.read_parquet(path).groupby("epoch").size().to_dict() == dict.fromkeys(range(4), 41)
    for epoch, model in enumerate(kept):
        recorded = losses(path, epoch)
        for split, dataset in sets.items():
            with torch.no_grad():
                logits = model.eval()(dataset.points).logits.numpy()
            truth = expected(logits, dataset.targets.numpy())
            np.testing.assert_allclose(recorded[split], truth, rtol=1e-4, atol=1e-5)


def test_the_training_is_the_same_beside_a_recording(path, sets):
    one, other = train(sets, path, 2), train(sets, path, 2, record=False)
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


def test_a_training_goes_on_from_a_checkpoint(path, sets, tmp_path):
    """The trainer gives its random numbers back, so the traces are those of a training that nothing ended."""

    class Killed(TrainerCallback):
        def on_epoch_end(self, _, state, *__, **___):
            if state.epoch == 3:
                raise KeyboardInterrupt

    train(sets, path, 5)
    again = tmp_path / "again/0.parquet"
    with pytest.raises(KeyboardInterrupt):
        train(sets, again, 5, Killed(), save_strategy="epoch")
    assert len(list((tmp_path / "again/0.parquet.parts").glob("epoch*"))) == 4
    with pytest.warns(UserWarning, match="epochs 3 to 3 are forgotten .* goes on after epoch 2"):
        train(sets, again, 5, checkpoint=True, save_strategy="epoch")
    pd.testing.assert_frame_equal(pd.read_parquet(path), pd.read_parquet(again))


def test_an_epoch_that_is_stopped_half_way_is_left_out_and_told(path, sets):
    with pytest.warns(
        UserWarning, match=r"stopped within an epoch, at 1\.50; its state there is not"
    ):
        train(sets, path, 3, max_steps=6)
    assert set(pd.read_parquet(path)["epoch"]) == {0, 1}


def test_a_finished_recording_is_not_begun_anew(path, sets):
    train(sets, path, 1)
    with pytest.raises(UserError, match="is a finished recording, and the training begins anew"):
        train(sets, path, 1)
