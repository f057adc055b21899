"""Record traces of a training by Hugging Face's Trainer: a tiny vision transformer, from random weights.

python examples/own_loop/with_transformers.py traces/transformers_0.parquet
"""

import sys
import tempfile

import torch
from handwriting import digits
from torch.utils.data import Dataset
from transformers import (
    Trainer,
    TrainingArguments,
    ViTConfig,
    ViTForImageClassification,
    set_seed,
)

from retention.callbacks.transformers import RecordTraces

PATH, EPOCHS = sys.argv[1], 10


class Digits(Dataset):
    """Images and labels as the model calls them."""

    def __init__(self, images, labels):
        self.images, self.targets = torch.tensor(images), torch.tensor(labels)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return {"pixel_values": self.images[index], "labels": self.targets[index]}


torch.set_num_threads(1)  # the model is so small that threads would wait for each other
set_seed(0)
data = {split: Digits(*pair) for split, pair in digits().items()}
shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}  # fmt: skip
model = ViTForImageClassification(
    ViTConfig(image_size=8, patch_size=2, num_channels=1, num_labels=10, **shape)
)
traces = RecordTraces(PATH, data, dataset="digits", architecture="transformers", seed=0)
arguments = TrainingArguments(
    output_dir=tempfile.mkdtemp(),
    num_train_epochs=EPOCHS,
    per_device_train_batch_size=32,
    learning_rate=3e-3,
    save_strategy="no",
    report_to="none",
    use_cpu=True,
    disable_tqdm=True,
)
Trainer(model, arguments, train_dataset=data["train"], callbacks=[traces]).train()
