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
from retention.training.determinism import repeats_not, require_device, settled
from retention.training.features import read_features, warm_up_head
from retention.training.machine import (
    device_in_words,
    has_fast_bf16,
    out_of_memory_explained,
    prepare_torch,
)
from retention.training.models import (
    build_model,
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
from retention.training.saving import Saver
from retention.training.state import RunState
from retention.training.stepper_state import pack_stepper, unpack_stepper
from retention.training.tracking import (
    Evaluated,
    Evaluation,
    Record,
    Samples,
    check_finite,
    evaluate,
    summarise,
)
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
        self.samples = self._evaluated(samples)
        self.train = samples.only(samples.train)
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
            view=view_of(self.model, settings.definition),
        )
        self.learner = Learner.of(self.model, self.maker, self.train, self.recipe, names.seed_of)
        self.sampler = self._sampler()
        self.summaries: list[dict] = []
        self.last_record: Record | None = None
        self.epoch = -1
        self.lacking = ""  # kernels without a deterministic form

    def progress(self) -> str:
        """Say in a few words what is saved and what the next start will do."""
        epoch = self.state.last_epoch()
        if epoch is None:
            return "no epoch was finished, the next start begins anew"
        return f"epoch {epoch} of {self.recipe['epochs']} is saved, the next start goes on there"

    def execute(self, outputs: RunOutputs) -> None:
        """Train what is not trained yet, write the results and remove the state."""
        for _ in self._epochs():
            continue
        results = (self.names, self.settings, self.samples, self.learner, self.state)
        Results(*results, self.summaries, self.weights_taken).write(outputs)
        self.state.remove()

    def epochs(self) -> Iterator[dict]:
        """Train what is not trained yet; yield each epoch's summary once it is saved."""
        for summary in self._epochs():
            self.saver.wait()
            yield summary

    def _epochs(self) -> Iterator[dict]:
        """Train what is not trained yet; yield each epoch's summary while it is being saved.

        At the end, be it an error, every epoch that was trained is saved.
        """
        self.lacking = settled(self.learner, self.train, self.settings.definition)
        if self.lacking:
            say(f"warning: {repeats_not(self.lacking)}; run.yaml will say deterministic: false")
        self._resume()
        with self._bar() as self.bar, Saver(self.state) as self.saver:
            if self.epoch < 0:
                with out_of_memory_explained("head warm-up", self.recipe, training=False):
                    self._warm_up()
                yield self.summaries[-1]
            for epoch in range(self.epoch + 1, self.recipe["epochs"] + 1):
                with out_of_memory_explained(f"epoch {epoch}", self.recipe):
                    self._train(epoch)
                yield self.summaries[-1]

    def _resume(self) -> None:
        """Go back to the last whole epoch that is saved, if any is."""
        saved = self.state.load()
        if saved is None:
            return
        require_device(saved.summaries, self.device, self.settings.on_other_device)
        unpack_stepper(saved.tensors, self.learner.stepper)
        self.epoch, self.summaries = saved.epoch, saved.summaries
        self.last_record = self.state.record(saved.epoch)
        say(f"resuming after epoch {saved.epoch} of {self.recipe['epochs']}")

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
        shown = np.zeros(len(self.samples.index), dtype=np.int32)
        trained = time.monotonic() - start
        record, close_calls = self._evaluate(0)
        seconds, rate = time.monotonic() - start, settings["learning_rate"]
        progress = Progress(0, rate, self._warm_up_images(), trained, seconds, close_calls)
        self._finish(progress, record | {"class_centroids": centroids, "presentations": shown})

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
        record, close_calls = self._evaluate(epoch)
        seconds = time.monotonic() - start
        progress = Progress(epoch, rate, len(order), trained, seconds, close_calls)
        self._finish(progress, record | {"presentations": shown})

    def _evaluate(self, epoch: int) -> Evaluated:
        kept = complete("store", self.settings.store)["probabilities"]
        keep = kept == "all" or (kept == "final" and epoch == self.recipe["epochs"])
        if keep:  # those of one epoch at a time are in memory
            self.saver.wait()
        batch_size = self.recipe["evaluation_batch_size"]
        how = Evaluation(batch_size, self.recipe["evaluation_precision"], keep)
        return evaluate(self.learner.evaluated, self.maker, self.samples, how, self.bar.update)

    def _finish(self, progress: Progress, record: Record) -> None:
        """Have an epoch saved and say how it went."""
        epoch, rate = progress.epoch, progress.learning_rate
        check_finite(record, epoch, rate)
        summary = {"epoch": epoch, "learning_rate": rate}
        summary |= {"device": device_in_words(self.device), "lacking": self.lacking}
        summary |= summarise(record, self.last_record, self.samples) | progress.summary()
        self.summaries = [*self.summaries, summary]
        tensors = pack_stepper(self.learner.stepper)
        self.saver.save(epoch, tensors, record, self.summaries)
        self.last_record = {key: record[key] for key in record if key != "probabilities"}
        self.epoch = epoch
        say(describe(summary, self.recipe["epochs"]))
        rate = self.recipe["learning_rate"]
        if lost := collapse_in_words(self.summaries, self.samples.classes, rate):
            say(lost)
        self.bar.set_postfix_str(headline(summary))

    def _evaluated(self, samples: Samples) -> Samples:
        """Return the samples that are evaluated, the same ones in all runs on a data set."""
        purpose = (self.names.study, self.names.dataset, "held-out samples")
        found = samples.holding_out(self.recipe["held_out_samples"], purpose)
        count, every = (int((~some.train).sum()) for some in (found, samples))
        if count < every:
            say(f"evaluating {count} of {every} held-out samples (held_out_samples)")
        return found

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
        """Return the training samples' correctness after an epoch that is over, bool [N].

        The last one may not be saved yet, those before it are.
        """
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
