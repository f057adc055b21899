"""Record traces of boosted trees: an epoch is a stage of five more trees for each class.

python examples/own_loop/boosted_trees.py traces/trees_0.parquet
"""

import sys

import numpy as np
from handwriting import digits
from sklearn.ensemble import GradientBoostingClassifier

from retention import TraceRecorder

PATH, EPOCHS, STAGES = sys.argv[1], 10, 5

data = {split: (images.reshape(len(images), -1), y) for split, (images, y) in digits().items()}
images, labels = data["train"]
model = GradientBoostingClassifier(
    n_estimators=EPOCHS * STAGES, max_depth=2, subsample=0.3, random_state=0
).fit(images, labels)

with TraceRecorder(
    PATH,
    {split: y for split, (_, y) in data.items()},
    dataset="digits",
    architecture="trees",
    seed=0,
) as recorder:
    stages = {split: model.staged_predict_proba(x) for split, (x, _) in data.items()}
    # Stages begin with the first tree; epoch 0 is the share of each class, which the trees start from.
    prior = np.bincount(labels) / len(labels)
    for epoch in range(EPOCHS + 1):
        with recorder.epoch(epoch) as record:
            for split, (x, _) in data.items():
                said = np.tile(prior, (len(x), 1))
                for _ in range(STAGES if epoch else 0):
                    said = next(stages[split])
                record(np.arange(len(x)), probabilities=said, split=split)
