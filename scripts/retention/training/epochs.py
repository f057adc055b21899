"""The epochs of one training: each is trained, evaluated and saved; one that was stopped goes on after the last."""

import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from retention.sampling.declaration import EpochOrder
from retention.sampling.orders import batches_of
from retention.training.backbone import load_backbone
from retention.training.batches import BatchMaker, Images
from retention.training.determinism import (
    allow_any_kernel,
    lacking_kernel,
    repeats_not,
    require_device,
    settled,
)
from retention.training.machine import (
    device_in_words,
    has_fast_bf16,
    out_of_memory_explained,
    prepare_torch,
)
from retention.training.models import build_model, normalisation_of
from retention.training.optimisation import Learner, train_epoch
from retention.training.progress import progress_bar, say
from retention.training.run import BackboneNames, RunNames, RunSettings
from retention.training.saving import Saver
from retention.training.state import RunState, Saved
from retention.training.stepper_state import pack_stepper, unpack_stepper
from retention.training.tracking import Evaluated, Record, Samples, check_finite
from retention.training.view import view_of


@dataclass(frozen=True)
class Progress:
    """How an epoch went: images it trained on, seconds of that, and seconds with the evaluation.

    close_calls: of `Evaluated`.
    """

    epoch: int
    learning_rate: float  # of its last step
    images: int
    trained: float
    seconds: float
    close_calls: float | None

    def summary(self) -> dict[str, float | None]:
        """Return what epochs.csv says of time and of close calls."""
        return {
            "images_per_second": round(self.images / self.trained, 1),
            "seconds": round(self.seconds, 3),
            "evaluation_seconds": round(self.seconds - self.trained, 3),
            "close_calls": self.close_calls,
        }


class Training(ABC):
    """One model on one data set, from its first weights to written results.

    `state` must belong to this training and its lock be held. A training that resumes gives the same bytes
    as one that was never interrupted. What is evaluated, and what else an epoch is, subclasses say.
    """

    noted_in = "run.yaml"  # what tells afterwards that a training is not deterministic
    first_epoch = 1

    def __init__(
        self,
        names: RunNames | BackboneNames,
        settings: RunSettings,
        samples: Samples,
        images: Images,
        device: torch.device,
        state: RunState,
    ):
        self.names, self.settings, self.recipe = names, settings, settings.recipe
        self.samples = self._evaluated(samples)
        self.train = samples.only(samples.train)
        self.device, self.state = device, state
        self.weights_taken = ""
        self.lacking = ""  # kernels without a deterministic form
        self.images = images
        prepare_torch(self.recipe["threads"], device)
        self._warn_of_slow_precision()
        with self._loading():
            self._begin()

    def progress(self) -> str:
        """Say in a few words what is saved and what the next start will do."""
        epoch = self.state.last_epoch()
        if epoch is None:
            return "no epoch was finished, the next start begins anew"
        return f"epoch {epoch} of {self.recipe['epochs']} is saved, the next start goes on there"

    def epochs(self) -> Iterator[dict]:
        """Train what is not trained yet; yield each epoch's summary once it is saved."""
        for summary in self._epochs():
            self.saver.wait()
            yield summary

    def _train_all(self) -> None:
        """Train what is not trained yet."""
        for _ in self._epochs():
            continue

    def _epochs(self) -> Iterator[dict]:
        """Train what is not trained yet; yield each epoch's summary while it is being saved.

        At the end, be it an error, every epoch that was trained is saved.
        """
        self.lacking = settled(self.learner, self.train, self.settings.definition)
        if self.lacking:
            say(
                f"warning: {repeats_not(self.lacking)}; {self.noted_in} will say deterministic: false"
            )
        self._resume()
        while lacking := (yield from self._until_lacking()):
            self._go_back(lacking)

    def _until_lacking(self) -> Generator[dict, None, str]:
        """Train and yield as `_epochs`; return the kernel that has no deterministic form, "" once all is trained."""
        with self._bar() as self.bar, Saver(self.state) as self.saver:
            try:
                yield from self._before_steps()
                for epoch in range(self.epoch + 1, self.recipe["epochs"] + 1):
                    with out_of_memory_explained(f"epoch {epoch}", self.recipe):
                        self._train(epoch)
                    yield self.summaries[-1]
            except RuntimeError as error:
                if not (lacking := lacking_kernel(error)):
                    raise
                return lacking
        return ""

    def _go_back(self, lacking: str) -> None:
        """Allow any kernel, and be where a new process would be: after the last epoch that is saved.

        Trying out before did not reach this kernel: what a kernel is may depend on a batch's shape.
        """
        allow_any_kernel()
        self.lacking = lacking
        say(
            f"warning: epoch {self.epoch + 1}: {repeats_not(lacking)}; the epoch is trained again, and "
            f"{self.noted_in} will say deterministic: false"
        )
        with self._loading():
            self._begin()
            self._restore()

    def _begin(self) -> None:
        """Build what is trained and what feeds it, as before the first epoch."""
        definition = self.settings.definition
        self.model = self._built().to(self.device)
        self.maker = BatchMaker(
            self.images,
            definition["image_size"],
            normalisation_of(self.model, definition),
            self.device,
            self.recipe["channels_last"],
            view=view_of(self.model, definition),
        )
        seed_of = self.names.seed_of
        self.learner = Learner.of(self.model, self.maker, self.train, self.recipe, seed_of)
        self.sampler = self._sampler()
        self.summaries: list[dict] = []
        self.epoch = self.first_epoch - 1  # the last one that is over

    def _before_steps(self) -> Iterator[dict]:
        """Do what is to be done before epoch 1, unless it is over; yield its summary."""
        yield from ()

    def _resume(self) -> None:
        """Go on after the last whole epoch that is saved, if any is, with the kernels that it was allowed."""
        with self._loading():
            saved = self._restore()
        if saved is None:
            return
        stops = self.settings.on_other_device
        require_device(saved.summaries, self.device, stops, self.noted_in)
        say(f"resuming after epoch {saved.epoch} of {self.recipe['epochs']}")
        if not self.lacking and (lacking := saved.summaries[-1].get("lacking")):
            allow_any_kernel()
            self.lacking = lacking

    def _restore(self) -> Saved | None:
        """Return what is saved of the last whole epoch, and be there; `None` where nothing is."""
        saved = self.state.load()
        if saved is not None:
            unpack_stepper(saved.tensors, self.learner.stepper)
            self.epoch, self.summaries = saved.epoch, saved.summaries
        return saved

    def _train(self, epoch: int) -> None:
        start = time.monotonic()
        order = self.sampler.order(epoch)
        batches = [
            (self.train.index[positions], self.train.label[positions])
            for positions in batches_of(order, self.recipe["batch_size"])
        ]
        self.bar.set_description(f"epoch {epoch}/{self.recipe['epochs']}")
        rate = train_epoch(self.learner, batches, epoch, self._tick)
        trained = time.monotonic() - start
        record, close_calls = self._evaluate(epoch, order)
        seconds = time.monotonic() - start
        self._finish(Progress(epoch, rate, len(order), trained, seconds, close_calls), record)

    def _tick(self, images: int) -> None:
        """Note images that were trained on; what went wrong with saving the epoch before ends the training now."""
        self.saver.raise_early()
        self.bar.update(images)

    def _loading(self) -> AbstractContextManager[None]:
        """Explain where memory does not suffice for the model itself."""
        return out_of_memory_explained("loading the model", self.recipe, images=0)

    @abstractmethod
    def _evaluate(self, epoch: int, order: np.ndarray) -> Evaluated:
        """Return what is recorded of an epoch that presented the training samples at `order`."""

    def _finish(self, progress: Progress, record: Record) -> None:
        """Have an epoch saved and say how it went."""
        epoch, rate = progress.epoch, progress.learning_rate
        if record:
            check_finite(record, epoch, rate)
        summary: dict[str, object] = {"epoch": epoch, "learning_rate": rate}
        summary |= {"device": device_in_words(self.device), "lacking": self.lacking}
        summary |= self._accuracies(record) | progress.summary()
        self.summaries = [*self.summaries, summary]
        self.saver.wait()  # before the next copy is made: two states at once may not fit
        self.saver.save(epoch, pack_stepper(self.learner.stepper), record, self.summaries)
        self.epoch = epoch
        say(self._in_words(summary))

    @abstractmethod
    def _accuracies(self, record: Record) -> dict:
        """Return what an epoch's summary says of a record."""

    @abstractmethod
    def _in_words(self, summary: dict) -> str:
        """Say an epoch's outcome in one line."""

    @abstractmethod
    def _sampler(self) -> EpochOrder:
        """Return what gives the order of each epoch."""

    def _evaluated(self, samples: Samples) -> Samples:
        """Return the samples without the held-out ones that are not evaluated."""
        found = samples.holding_out(self.recipe["held_out_samples"], self.names.held_out)
        count, every = (int((~some.train).sum()) for some in (found, samples))
        if count < every:
            say(f"evaluating {count} of {every} held-out samples (held_out_samples)")
        return found

    def _built(self) -> nn.Module:
        """Return the model, its weights drawn by the training's seed, and where there are any, loaded."""
        torch.manual_seed(self.names.seed_of("initialisation"))
        model = build_model(self.settings.definition, self.samples.classes)
        if self.settings.weights is not None:
            weights = self.settings.definition.get("weights")
            key = weights.get("key") if isinstance(weights, dict) else None
            self.weights_taken = load_backbone(model, self.settings.weights, key)
        if self.recipe["channels_last"]:
            model = model.to(memory_format=torch.channels_last)
        return model

    def _warn_of_slow_precision(self) -> None:
        precision = self.recipe["precision"]
        if "bf16" in precision and not has_fast_bf16(self.device):
            say(
                "warning: this device emulates bf16, many times as slowly; precision auto avoids it"
            )
        if precision == "fp16" and self.device.type == "cpu":
            say(
                "warning: a CPU is slow with fp16, which is for GPUs without bf16; use precision auto"
            )

    def _bar(self) -> tqdm:
        """Return a bar over every image of the whole training, so that its time left is that of all."""
        parts = self._images_of_epochs()
        return progress_bar("", sum(parts), sum(parts[: len(self.summaries)]))

    @abstractmethod
    def _images_of_epochs(self) -> list[int]:
        """Return how many images each epoch trains on or evaluates, whatever is over already."""
