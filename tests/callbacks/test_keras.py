"""Traces of trainings by Keras, on torch."""

import keras
import numpy as np
import pandas as pd
import pytest
from small_points import CLASSES, expected, losses

from retention.callbacks.keras import RecordTraces
from retention.common.errors import UserError


def small(activation=None, units=CLASSES):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(units, activation=activation),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=activation is None)
    model.compile(keras.optimizers.SGD(0.1), loss=loss)
    return model


class Kept(keras.callbacks.Callback):
    """Keeps what the model says of each split when epochs begin and end."""

    def __init__(self, data):
        super().__init__()
        self.data, self.outputs = data, []

    def keep(self):
        self.outputs.append({split: self.model.predict(x, verbose=0) for split, (x, _) in self.data.items()})  # fmt: skip

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 0:
            self.keep()

    def on_epoch_end(self, epoch, logs=None):
        self.keep()


@pytest.mark.parametrize("activation", [None, "softmax"])
def test_traces_are_what_the_model_says(path, data, activation):
    kept, model = Kept(data), small(activation)
    traces = RecordTraces(path, data, batch_size=7, seed=0)
    model.fit(*data["train"], epochs=3, callbacks=[traces, kept], verbose=0)
    assert pd.read_parquet(path).groupby("epoch").size().to_dict() == dict.fromkeys(range(4), 41)
    for epoch, outputs in enumerate(kept.outputs):
        recorded = losses(path, epoch)
        for split, (_, labels) in data.items():
            logits = np.log(outputs[split]) if activation else outputs[split]
            truth = expected(logits, labels)
            np.testing.assert_allclose(recorded[split], truth, rtol=1e-4, atol=1e-5)


def test_the_training_is_the_same_beside_a_recording(path, data):
    weights = []
    for callbacks in ([RecordTraces(path, data)], []):
        model = small()
        model.fit(*data["train"], epochs=3, callbacks=callbacks, verbose=0)
        weights.append(model.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


class Batches(keras.utils.PyDataset):
    """Batches of one-hot labels."""

    def __init__(self, points, labels):
        super().__init__()
        self.points, self.labels = points, np.eye(CLASSES)[labels]

    def __len__(self):
        return -(-len(self.points) // 8)

    def __getitem__(self, number):
        chosen = slice(8 * number, 8 * number + 8)
        return self.points[chosen], self.labels[chosen]


def test_batches_say_the_same_as_arrays(path, data, tmp_path):
    batches = {split: Batches(*pair) for split, pair in data.items()}
    for name, given in (("arrays", data), ("batches", batches)):
        traces = RecordTraces(tmp_path / f"{name}.parquet", given, batch_size=8)
        small().fit(*data["train"], epochs=2, callbacks=[traces], verbose=0)
    one, other = (pd.read_parquet(tmp_path / f"{name}.parquet") for name in ("arrays", "batches"))
    pd.testing.assert_frame_equal(one, other)


def test_a_training_goes_on_at_its_initial_epoch(path, data):
    traces = RecordTraces(path, data)
    model = small()
    model.fit(*data["train"], epochs=2, callbacks=[traces], verbose=0)
    model.fit(*data["train"], initial_epoch=2, epochs=4, callbacks=[traces], verbose=0)
    assert sorted(set(pd.read_parquet(path)["epoch"])) == [0, 1, 2, 3, 4]
    with pytest.raises(
        UserError, match="goes on after epoch 9, and epochs 5 to 9 were never recor"
    ):
        model.fit(*data["train"], initial_epoch=9, epochs=10, callbacks=[traces], verbose=0)
    with pytest.raises(UserError, match="is a finished recording, and the training begins anew"):
        model.fit(*data["train"], epochs=1, callbacks=[traces], verbose=0)


def test_a_single_output_must_be_said_to_be_one(path, data):
    two = {split: (x, y % 2) for split, (x, y) in data.items()}
    model = small("sigmoid", units=1)
    model.compile("sgd", loss="binary_crossentropy")
    with pytest.raises(UserError, match="has one output; say probabilities=True of a sigmoid"):
        model.fit(*two["train"], callbacks=[RecordTraces(path, two)], verbose=0)
    traces = RecordTraces(path, two, probabilities=True)
    model.fit(*two["train"], epochs=2, callbacks=[traces], verbose=0)
    chance = model.predict(two["train"][0], verbose=0)[:, 0].astype(float)
    truth = -np.log(np.where(two["train"][1] == 1, chance, 1 - chance))
    np.testing.assert_allclose(losses(path, 2)["train"], truth, rtol=1e-4, atol=1e-5)


def test_data_in_another_order_each_time_are_refused(path, data):
    class Shuffling(Batches):
        def __getitem__(self, number):
            order = np.random.default_rng().permutation(len(self.points))
            return self.points[order][:8], self.labels[order][:8]

    traces = RecordTraces(path, {"train": Shuffling(*data["train"])})
    with pytest.raises(UserError, match=r"train: .* samples have another label than"):
        small().fit(*data["train"], callbacks=[traces], verbose=0)
