"""One run: head warm-up, full fine-tuning, and every sample's record after each epoch."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from retention.common.options import complete
from retention.sampling.declaration import EpochOrder, Known
from retention.sampling.orders import RandomSampler, batches_of
from retention.training.backbone import load_backbone
from retention.training.batches import BatchMaker, Images
from retention.training.features import class_centroids, compute_features, warm_up_head
from retention.training.machine import (
    has_fast_bf16,
    out_of_memory_explained,
    prepare_torch,
)
from retention.training.models import (
    build_model,
    image_size_explained,
    normalisation_of,
)
from retention.training.optimisation import Learner, train_epoch
from retention.training.progress import (
    collapse_in_words,
    describe,
    headline,
    progress_bar,
    say,
)
from retention.training.results import Results
from retention.training.reviews import read_schedule
from retention.training.run import RunNames, RunOutputs, RunSettings
from retention.training.sampling import make_sampler
from retention.training.state import RunState
from retention.training.stepper_state import pack_stepper, unpack_stepper
from retention.training.tracking import (
    Evaluation,
    Record,
    Samples,
    check_finite,
    evaluate,
    summarise,
)


@dataclass(frozen=True)
class Progress:
    """How an epoch went: images it trained on, seconds of that, and seconds with the evaluation."""

    epoch: int
    learning_rate: float  # of its last step
    images: int
    trained: float
    seconds: float

    def summary(self) -> dict[str, float]:
        """Return what epochs.csv says of time."""
        return {
            "images_per_second": round(self.images / self.trained, 1),
            "seconds": round(self.seconds, 3),
            "evaluation_seconds": round(self.seconds - self.trained, 3),
        }


class FineTuning:
    """One run, from pretrained backbone to written results.

    `state` must belong to this run and its lock be held. A run that resumes gives the same bytes
    of traces, probabilities, centroids and weights as one that was never interrupted.
    """

    def __init__(
        self,
        names: RunNames,
        settings: RunSettings,
        samples: Samples,
        images: Images,
        device: torch.device,
        state: RunState,
    ):
        self.names, self.settings, self.recipe = names, settings, settings.recipe
        self.samples, self.train = samples, samples.only(samples.train)
        self.device, self.state = device, state
        self.weights_taken = ""
        prepare_torch(self.recipe["threads"], device)
        if "bf16" in self.recipe["precision"] and not has_fast_bf16(device):
            say(
                "warning: this device emulates bf16, many times as slowly; precision auto avoids it"
            )
        if self.recipe["precision"] == "fp16" and device.type == "cpu":
            say(
                "warning: a CPU is slow with fp16, which is for GPUs without bf16; use precision auto"
            )
        self.model = self._built().to(device)
        self.maker = BatchMaker(
            images,
            settings.definition["image_size"],
            normalisation_of(self.model, settings.definition),
            device,
            self.recipe["channels_last"],
        )
        self.learner = Learner.of(self.model, self.maker, self.train, self.recipe, names.seed_of)
        self.sampler = self._sampler()
        self.summaries: list[dict] = []
        self.last_record: Record | None = None
        self.epoch = -1

    def progress(self) -> str:
        """Say in a few words what is saved and what the next start will do."""
        epoch = self.state.last_epoch()
        if epoch is None:
            return "no epoch was finished, the next start begins anew"
        return f"epoch {epoch} of {self.recipe['epochs']} is saved, the next start goes on there"

    def execute(self, outputs: RunOutputs) -> None:
        """Train what is not trained yet, write the results and remove the state."""
        for _ in self.epochs():
            continue
        results = (self.names, self.settings, self.samples, self.learner, self.state)
        Results(*results, self.summaries, self.weights_taken).write(outputs)
        self.state.remove()

    def epochs(self) -> Iterator[dict]:
        """Train what is not trained yet; yield each epoch's summary once it is saved."""
        saved = self.state.load()
        if saved is not None:
            unpack_stepper(saved.tensors, self.learner.stepper)
            self.epoch, self.summaries = saved.epoch, saved.summaries
            self.last_record = self.state.record(saved.epoch)
            say(f"resuming after epoch {saved.epoch} of {self.recipe['epochs']}")
        with self._bar() as self.bar:
            if saved is None:
                with out_of_memory_explained("head warm-up", self.recipe, training=False):
                    self._warm_up()
                yield self.summaries[-1]
            for epoch in range(self.epoch + 1, self.recipe["epochs"] + 1):
                with out_of_memory_explained(f"epoch {epoch}", self.recipe):
                    self._train(epoch)
                yield self.summaries[-1]

    def _warm_up(self) -> None:
        start = time.monotonic()
        self.bar.set_description("head warm-up")
        tick, batch_size = self.bar.update, self.recipe["evaluation_batch_size"]
        with image_size_explained(self.settings.definition):
            features = compute_features(self.model, self.maker, self.train, batch_size, tick)
        # Always in random order: all treatments of a seed share epoch 0.
        sampler = RandomSampler(len(self.train.index), self._order_purpose("head order"))
        warm_up_head(self.learner, self.train, features, sampler, tick)
        self.learner.stepper.begin_average()
        centroids = class_centroids(features, self.train.label, self.samples.classes)
        shown = np.zeros(len(self.samples.index), dtype=np.int32)
        rate, images = self.recipe["head_warmup"]["learning_rate"], self._warm_up_images()
        trained = time.monotonic() - start
        record = self._evaluate(0) | {"class_centroids": centroids, "presentations": shown}
        self._finish(Progress(0, rate, images, trained, time.monotonic() - start), record)

    def _train(self, epoch: int) -> None:
        start = time.monotonic()
        order = self.sampler.order(epoch)
        batches = [
            (self.train.index[positions], self.train.label[positions])
            for positions in batches_of(order, self.recipe["batch_size"])
        ]
        self.bar.set_description(f"epoch {epoch}/{self.recipe['epochs']}")
        rate = train_epoch(self.learner, batches, epoch, self.bar.update)
        trained = time.monotonic() - start
        shown = np.zeros(len(self.samples.index), dtype=np.int32)
        shown[self.samples.train] = np.bincount(order, minlength=len(self.train.index))
        record = self._evaluate(epoch) | {"presentations": shown}
        self._finish(Progress(epoch, rate, len(order), trained, time.monotonic() - start), record)

    def _evaluate(self, epoch: int) -> Record:
        kept = complete("store", self.settings.store)["probabilities"]
        last = epoch == self.recipe["epochs"]
        how = Evaluation(
            self.recipe["evaluation_batch_size"],
            self.recipe["evaluation_precision"],
            keep_probabilities=kept == "all" or (kept == "final" and last),
        )
        return evaluate(self.learner.evaluated, self.maker, self.samples, how, self.bar.update)

    def _finish(self, progress: Progress, record: Record) -> None:
        """Save an epoch and say how it went."""
        epoch, rate = progress.epoch, progress.learning_rate
        check_finite(record, epoch, rate)
        summary = {"epoch": epoch, "learning_rate": rate}
        summary |= summarise(record, self.last_record, self.samples) | progress.summary()
        self.summaries = [*self.summaries, summary]
        tensors = pack_stepper(self.learner.stepper)
        self.state.save(epoch, tensors, record, self.summaries)
        self.last_record, self.epoch = record, epoch
        say(describe(summary, self.recipe["epochs"]))
        rate = self.recipe["learning_rate"]
        if lost := collapse_in_words(self.summaries, self.samples.classes, rate):
            say(lost)
        self.bar.set_postfix_str(headline(summary))

    def _built(self) -> nn.Module:
        """Return the model, its initial weights drawn by the run's seed, its backbone pretrained."""
        torch.manual_seed(self.names.seed_of("initialisation"))
        model = build_model(self.settings.definition, self.samples.classes)
        if self.settings.weights is not None:
            weights = self.settings.definition.get("weights")
            key = weights.get("key") if isinstance(weights, dict) else None
            self.weights_taken = load_backbone(model, self.settings.weights, key)
        if self.recipe["channels_last"]:
            model = model.to(memory_format=torch.channels_last)
        return model

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
        """Return the training samples' correctness after an epoch that is over, bool [N]."""
        last = self.last_record if epoch == self.epoch else self.state.record(epoch)
        return last["correct"][self.samples.train]

    def _order_purpose(self, purpose: str) -> tuple[str | int, ...]:
        names, shared = self.names, self.recipe["shared_data_order"]
        architecture = "any architecture" if shared else names.architecture
        return (names.study, names.dataset, architecture, names.seed, purpose)

    def _warm_up_images(self) -> int:
        # The pass that computes the features counts as one, whatever the epochs on them.
        settings = self.recipe["head_warmup"]
        return len(self.train.index) * (1 + settings["augment"] * settings["epochs"])

    def _bar(self) -> tqdm:
        """Return a bar over every image of the whole run, so that its time left is the run's."""
        trained, every = len(self.train.index), len(self.samples.index)
        parts = [self._warm_up_images() + every] + self.recipe["epochs"] * [trained + every]
        return progress_bar("", sum(parts), sum(parts[: self.epoch + 1]))
