"""Record traces of a training by PyTorch Lightning.

python examples/own_loop/with_lightning.py traces/lightning_0.parquet
"""

import sys

import torch
from handwriting import digits
from lightning.pytorch import LightningModule, Trainer, seed_everything
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from retention.callbacks.lightning import RecordTraces

PATH, EPOCHS = sys.argv[1], 10


class Digits(LightningModule):
    """Two layers."""

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Flatten(), torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10)
        )

    def forward(self, images):
        return self.layers(images)

    def training_step(self, batch, _):
        images, labels = batch
        return cross_entropy(self(images), labels)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.3)


seed_everything(0)
data = {split: TensorDataset(*map(torch.tensor, pair)) for split, pair in digits().items()}
labels = {split: dataset.tensors[1] for split, dataset in data.items()}
traces = RecordTraces(PATH, data, labels, dataset="digits", architecture="lightning", seed=0)
loader = DataLoader(data["train"], batch_size=32, shuffle=True)
trainer = Trainer(
    max_epochs=EPOCHS,
    accelerator="cpu",
    callbacks=[traces],
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
)
trainer.fit(Digits(), loader)
