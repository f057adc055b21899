"""Training from scratch on a source data set, for a backbone to fine-tune."""

import time
from collections.abc import Mapping

from torch import nn

from retention.common.randomness import seed_for
from retention.sampling.orders import RandomSampler, batches_of
from retention.training.batches import BatchMaker
from retention.training.determinism import repeats_not, settled
from retention.training.optimisation import Learner, train_epoch
from retention.training.progress import progress_bar, say
from retention.training.tracking import Evaluation, Samples, check_finite, evaluate


def train_from_scratch(
    model: nn.Module,
    samples: Samples,
    maker: BatchMaker,
    recipe: Mapping,
    definition: Mapping,
    purpose: tuple[str | int, ...],
) -> tuple[nn.Module, list[dict]]:
    """Train a fresh model on the `train` split, in place; return what is kept and a summary per epoch.

    What is kept is the model, or its moving average where the recipe asks for one. There is no head
    warm-up. `purpose` seeds order, augmentation and dropout. Raises `UserError` as
    `determinism.settled` and `train_epoch` do.
    """

    def seed_of(*more: str | int) -> int:
        return seed_for(*purpose, *more)

    samples = samples.holding_out(recipe["held_out_samples"], (*purpose, "held-out samples"))
    train, test = samples.only(samples.train), samples.only(~samples.train)
    sampler = RandomSampler(len(train.index), (*purpose, "order"))
    learner = Learner.of(model, maker, train, recipe, seed_of)
    if lacking := settled(learner, train, definition):
        say(f"warning: {repeats_not(lacking)}")
    how = Evaluation(recipe["evaluation_batch_size"])
    summaries = []
    for epoch in range(1, recipe["epochs"] + 1):
        start = time.monotonic()
        batches = [
            (train.index[positions], train.label[positions])
            for positions in batches_of(sampler.order(epoch), recipe["batch_size"])
        ]
        with progress_bar(f"epoch {epoch}/{recipe['epochs']}", len(train.index)) as bar:
            rate = train_epoch(learner, batches, epoch, bar.update)
        speed = len(train.index) / (time.monotonic() - start)
        summary = {"epoch": epoch, "learning_rate": rate, "test_accuracy": None}
        if len(test.index):
            record = evaluate(learner.evaluated, maker, test, how).record
            check_finite(record, epoch, rate)
            summary["test_accuracy"] = float(record["correct"].mean())
        summary |= {
            "images_per_second": round(speed, 1),
            "seconds": round(time.monotonic() - start, 3),
        }
        summaries.append(summary)
        shown = "" if summary["test_accuracy"] is None else f"{summary['test_accuracy']:.4f}, "
        say(f"epoch {epoch}/{recipe['epochs']}: accuracy test {shown}{speed:.0f} img/s")
    return learner.evaluated, summaries
