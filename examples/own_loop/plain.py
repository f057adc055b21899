"""Record traces in a training loop of plain torch.

python examples/own_loop/plain.py traces/plain_0.parquet
"""

import sys

import torch
from handwriting import digits
from torch.nn.functional import cross_entropy

from retention import TraceRecorder

PATH, EPOCHS, BATCH = sys.argv[1], 10, 32

torch.manual_seed(0)
data = {split: (torch.tensor(x), torch.tensor(y)) for split, (x, y) in digits().items()}
model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.LazyLinear(32), torch.nn.ReLU(), torch.nn.Linear(32, 10))  # fmt: skip
model(data["train"][0][:1])
optimiser = torch.optim.SGD(model.parameters(), lr=0.3)

labels = {split: y for split, (_, y) in data.items()}
recorder = TraceRecorder(PATH, labels, dataset="digits", architecture="mlp", seed=0)
for epoch in range(recorder.next_epoch, EPOCHS + 1):
    if epoch > 0:  # epoch 0 is the state before training
        images, targets = data["train"]
        for batch in torch.randperm(len(images)).split(BATCH):
            optimiser.zero_grad()
            cross_entropy(model(images[batch]), targets[batch]).backward()
            optimiser.step()
    with recorder.epoch(epoch) as record, torch.no_grad():
        for split, (images, _) in data.items():
            for batch in torch.arange(len(images)).split(100):
                record(batch, model(images[batch]), split=split)
recorder.close()
recorder.write_index(PATH.replace(".parquet", "_index.parquet"))
