"""One run: head warm-up, full fine-tuning, and every sample's record after each epoch."""

import time
from collections.abc import Iterator
from dataclasses import asdict

import numpy as np

from retention.common.options import complete
from retention.sampling.declaration import EpochOrder, Known
from retention.sampling.orders import RandomSampler
from retention.training.epochs import Progress, Training
from retention.training.features import read_features, warm_up_head
from retention.training.machine import out_of_memory_explained
from retention.training.progress import collapse_in_words, describe, headline, say
from retention.training.results import Results
from retention.training.reviews import read_schedule
from retention.training.run import RunNames, RunOutputs
from retention.training.sampling import make_sampler
from retention.training.state import Saved
from retention.training.tracking import (
    Evaluated,
    Evaluation,
    Record,
    evaluate,
    summarise,
)


class FineTuning(Training):
    """One run, from pretrained backbone to written results.

    It gives the same bytes of traces, probabilities, centroids and weights, however often it was
    interrupted.
    """

    names: RunNames
    first_epoch = 0  # the head warm-up
    last_record: Record | None = None

    def execute(self, outputs: RunOutputs) -> None:
        """Train what is not trained yet, write the results and remove the state."""
        self._train_all()
        results = (self.names, self.settings, self.samples, self.learner, self.state)
        Results(*results, self.summaries, self.weights_taken).write(outputs)
        self.state.remove()

    def _before_steps(self) -> Iterator[dict]:
        if self.epoch < 0:
            with out_of_memory_explained("head warm-up", self.recipe, training=False):
                self._warm_up()
            yield self.summaries[-1]

    def _restore(self) -> Saved | None:
        saved = super()._restore()
        self.last_record = self.state.record(self.epoch) if saved else None
        return saved

    def _warm_up(self) -> None:
        start = time.monotonic()
        self.bar.set_description("head warm-up")
        tick, batch_size = self.bar.update, self.recipe["evaluation_batch_size"]
        settings = self.recipe["head_warmup"]
        keep = settings["epochs"] > 0 and not settings["augment"]
        features, centroids = read_features(
            self.model, self.maker, self.train, batch_size, keep, tick
        )
        # Always in random order: all treatments of a seed share epoch 0.
        sampler = RandomSampler(len(self.train.index), self._order_purpose("head order"))
        warm_up_head(self.learner, self.train, features, sampler, tick)
        self.learner.stepper.begin_average()
        trained = time.monotonic() - start
        record, close_calls = self._evaluate(0, np.empty(0, np.int64))
        seconds, rate = time.monotonic() - start, settings["learning_rate"]
        progress = Progress(0, rate, self._warm_up_images(), trained, seconds, close_calls)
        self._finish(progress, record | {"class_centroids": centroids})

    def _evaluate(self, epoch: int, order: np.ndarray) -> Evaluated:
        kept = complete("store", self.settings.store)["probabilities"]
        keep = kept == "all" or (kept == "final" and epoch == self.recipe["epochs"])
        if keep:  # those of one epoch at a time are in memory
            self.saver.wait()
        batch_size = self.recipe["evaluation_batch_size"]
        how = Evaluation(batch_size, self.recipe["evaluation_precision"], keep)
        found = evaluate(self.learner.evaluated, self.maker, self.samples, how, self.bar.update)
        shown = np.zeros(len(self.samples.index), dtype=np.int32)
        shown[self.samples.train] = np.bincount(order, minlength=len(self.train.index))
        return Evaluated(found.record | {"presentations": shown}, found.close_calls)

    def _finish(self, progress: Progress, record: Record) -> None:
        super()._finish(progress, record)
        self.last_record = {key: record[key] for key in record if key != "probabilities"}
        rate = self.recipe["learning_rate"]
        if lost := collapse_in_words(self.summaries, self.samples.classes, rate):
            say(lost)
        self.bar.set_postfix_str(headline(self.summaries[-1]))

    def _accuracies(self, record: Record) -> dict:
        return summarise(record, self.last_record, self.samples)

    def _in_words(self, summary: dict) -> str:
        return describe(summary, self.recipe["epochs"])

    def _sampler(self) -> EpochOrder:
        """Return the treatment's sampler, following the run's schedule where there is one."""
        known = Known(
            self.settings.treatment,
            self.train.label,
            self._order_purpose("order"),
            self._correct_at,
        )
        if self.settings.reviews is None:
            return make_sampler(known)
        epochs, names = self.recipe["epochs"], asdict(self.names)
        schedule = read_schedule(self.settings.reviews, self.train.index, epochs, names)
        return make_sampler(known, schedule)

    def _correct_at(self, epoch: int) -> np.ndarray:
        """Return the training samples' correctness after an epoch that is over, bool [N].

        The last one may not be saved yet, those before it are.
        """
        last = self.last_record
        if last is None or epoch != self.epoch:
            last = self.state.record(epoch)
        return last["correct"][self.samples.train]

    def _order_purpose(self, purpose: str) -> tuple[str | int, ...]:
        names, shared = self.names, self.recipe["shared_data_order"]
        architecture = "any architecture" if shared else names.architecture
        return (names.study, names.dataset, architecture, names.seed, purpose)

    def _warm_up_images(self) -> int:
        # The pass that computes the features counts as one, whatever the epochs on them.
        settings = self.recipe["head_warmup"]
        return len(self.train.index) * (1 + settings["augment"] * settings["epochs"])

    def _images_of_epochs(self) -> list[int]:
        trained, every = len(self.train.index), len(self.samples.index)
        return [self._warm_up_images() + every] + self.recipe["epochs"] * [trained + every]
