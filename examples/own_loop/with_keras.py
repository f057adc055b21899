"""Record traces of a training by Keras 3, here on torch.

KERAS_BACKEND=torch python examples/own_loop/with_keras.py traces/keras_0.parquet
"""

import sys

import keras
from handwriting import digits

from retention.callbacks.keras import RecordTraces

PATH, EPOCHS = sys.argv[1], 10

keras.utils.set_random_seed(0)
data = digits()
model = keras.Sequential(
    [
        keras.Input((1, 8, 8)),
        keras.layers.Flatten(),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(keras.optimizers.SGD(0.3), loss="sparse_categorical_crossentropy")
traces = RecordTraces(PATH, data, dataset="digits", architecture="keras", seed=0)
model.fit(*data["train"], batch_size=32, epochs=EPOCHS, callbacks=[traces], verbose=0)
