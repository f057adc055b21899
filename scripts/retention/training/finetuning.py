"""One run: head warm-up, full fine-tuning, and every sample's record after each epoch."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from retention.common.digests import digest_file
from retention.common.randomness import seed_for
from retention.common.storage import atomic_path, remove_leftovers, write_csv, write_yaml
from retention.training.batches import BatchMaker, Images
from retention.training.features import class_centroids, compute_features, warm_up_head
from retention.training.machine import (
    device_in_words,
    has_fast_bf16,
    out_of_memory_explained,
    peak_memory,
    prepare_torch,
    versions,
)
from retention.training.models import (
    build_model,
    image_size_explained,
    load_backbone,
    normalisation_of,
    save_weights,
)
from retention.training.optimisation import (
    class_weights,
    make_loss,
    make_optimizer,
    parameter_groups,
    train_epoch,
)
from retention.training.progress import describe, headline, progress_bar, say
from retention.training.reviews import read_plan
from retention.training.samplers import RandomSampler, batches_of, make_sampler
from retention.training.state import RunState, pack, unpack
from retention.training.tracking import (
    Record,
    Samples,
    check_finite,
    evaluate,
    summarise,
    trace_metadata,
    write_probabilities,
    write_traces,
)

EPOCH_COLUMNS = {
    "epoch": "int64",
    "learning_rate": "float64",
    "train_loss": "float64",
    "train_accuracy": "float64",
    "test_accuracy": "float64",
    "test_balanced_accuracy": "float64",
    "forgotten": "Int64",
    "learned": "Int64",
    "images_per_second": "float64",
    "seconds": "float64",
    "evaluation_seconds": "float64",
}


@dataclass(frozen=True)
class RunNames:
    """Which run it is."""

    study: str
    dataset: str
    architecture: str
    treatment: str
    seed: int

    def seed_of(self, purpose: str, *more: str | int) -> int:
        """Return the seed of a purpose: all treatments of a seed share what is not sampling."""
        return seed_for(self.study, self.dataset, self.architecture, self.seed, purpose, *more)


@dataclass(frozen=True)
class RunSettings:
    """How to train: definitions from the configuration, the recipe complete."""

    definition: Mapping
    recipe: Mapping
    treatment: Mapping
    store: Mapping
    weights: Path | None
    code_version: str
    reviews: Path | None = None  # plan of presentations, where the treatment has one


@dataclass(frozen=True)
class RunOutputs:
    """Where the results go; the last two are optional."""

    traces: Path
    epochs: Path
    run: Path
    centroids: Path
    probabilities: Path | None = None
    final_weights: Path | None = None


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
        prepare_torch(self.recipe["threads"], device)
        if "bf16" in self.recipe["precision"] and not has_fast_bf16(device):
            say(
                "warning: this device emulates bf16, many times as slowly; precision auto avoids it"
            )
        torch.manual_seed(names.seed_of("initialisation"))
        model = build_model(settings.definition, samples.classes)
        if settings.weights is not None:
            load_backbone(model, settings.weights)
        if self.recipe["channels_last"]:
            model = model.to(memory_format=torch.channels_last)
        self.model = model.to(device)
        self.maker = BatchMaker(
            images,
            settings.definition["image_size"],
            normalisation_of(model, settings.definition),
            device,
            self.recipe["channels_last"],
        )
        self.sampler = make_sampler(
            settings.treatment,
            self.train.label,
            self._order_purpose("order"),
            self._plan(),
            self._correct_at,
        )
        self.weights = class_weights(
            self.train.label, samples.classes, self.recipe["class_weighting"]
        )
        groups = parameter_groups(self.model, self.recipe)
        self.optimizer = make_optimizer(self.recipe, groups, device)
        self.loss_function = make_loss(self.recipe, self.weights, device)
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
        self._write(outputs)
        self.state.remove()

    def epochs(self) -> Iterator[dict]:
        """Train what is not trained yet; yield each epoch's summary once it is saved."""
        saved = self.state.load()
        if saved is not None:
            unpack(saved.tensors, self.model, self.optimizer)
            self.epoch, self.summaries = saved.epoch, saved.summaries
            self.last_record = self.state.record(saved.epoch)
            say(f"resuming after epoch {saved.epoch} of {self.recipe['epochs']}")
        with self._bar() as self.bar:
            if saved is None:
                with out_of_memory_explained("head warm-up", self.recipe["evaluation_batch_size"]):
                    self._warm_up()
                yield self.summaries[-1]
            for epoch in range(self.epoch + 1, self.recipe["epochs"] + 1):
                with out_of_memory_explained(f"epoch {epoch}", self.recipe["batch_size"]):
                    self._train(epoch)
                yield self.summaries[-1]

    def _warm_up(self) -> None:
        start = time.monotonic()
        self.bar.set_description("head warm-up")
        tick, batch_size = self.bar.update, self.recipe["evaluation_batch_size"]
        with image_size_explained(self.settings.definition):
            features = compute_features(self.model, self.maker, self.train, batch_size, tick)
        settings = self.recipe["head_warmup"]
        warm_up_head(
            self.model,
            self.maker,
            self.train,
            features,
            # Always in random order: all treatments of a seed share epoch 0.
            RandomSampler(len(self.train.index), self._order_purpose("head order")),
            self.recipe,
            self.weights,
            self.names.seed_of,
            tick,
        )
        centroids = class_centroids(features, self.train.label, self.samples.classes)
        shown = np.zeros(len(self.samples.index), dtype=np.int32)
        trained = time.monotonic() - start
        record = self._evaluate(0) | {"class_centroids": centroids}
        rates = settings["learning_rate"], self._warm_up_images() / trained
        self._finish(0, record, shown, *rates, trained, time.monotonic() - start)

    def _train(self, epoch: int) -> None:
        start = time.monotonic()
        order = self.sampler.order(epoch)
        batches = [
            (self.train.index[positions], self.train.label[positions])
            for positions in batches_of(order, self.recipe["batch_size"])
        ]
        self.bar.set_description(f"epoch {epoch}/{self.recipe['epochs']}")
        rate = train_epoch(
            self.model,
            self.optimizer,
            self.loss_function,
            self.maker,
            batches,
            self.recipe,
            epoch,
            self.names.seed_of,
            self.bar.update,
        )
        trained = time.monotonic() - start
        record = self._evaluate(epoch)
        shown = np.zeros(len(self.samples.index), dtype=np.int32)
        counts = np.bincount(order, minlength=len(self.train.index))
        shown[self.samples.train] = counts
        speed = len(order) / trained
        self._finish(epoch, record, shown, rate, speed, trained, time.monotonic() - start)

    def _evaluate(self, epoch: int) -> Record:
        kept = self.settings.store.get("probabilities", "none")
        last = epoch == self.recipe["epochs"]
        return evaluate(
            self.model,
            self.maker,
            self.samples,
            self.recipe["evaluation_batch_size"],
            self.recipe["evaluation_precision"],
            keep_probabilities=kept == "all" or (kept == "final" and last),
            tick=self.bar.update,
        )

    def _finish(
        self,
        epoch: int,
        record: Record,
        presentations: np.ndarray,
        rate: float,
        speed: float,
        trained: float,
        seconds: float,
    ) -> None:
        check_finite(record, epoch, rate)
        record["presentations"] = presentations
        summary = {"epoch": epoch, "learning_rate": rate}
        summary |= summarise(record, self.last_record, self.samples)
        summary |= {"images_per_second": round(speed, 1), "seconds": round(seconds, 3)}
        summary |= {"evaluation_seconds": round(seconds - trained, 3)}
        self.summaries = [*self.summaries, summary]
        self.state.save(epoch, pack(self.model, self.optimizer), record, self.summaries)
        self.last_record, self.epoch = record, epoch
        say(describe(summary, self.recipe["epochs"]))
        self.bar.set_postfix_str(headline(summary))

    def _write(self, outputs: RunOutputs) -> None:
        for path in filter(None, vars(outputs).values()):
            remove_leftovers(path)
        write_traces(outputs.traces, self._records(), self.samples, self._trace_metadata())
        write_csv(outputs.epochs, pd.DataFrame(self.summaries).astype(EPOCH_COLUMNS))
        with atomic_path(outputs.centroids) as temporary, open(temporary, "wb") as stream:
            np.save(stream, self.state.record(0)["class_centroids"])
        if outputs.probabilities:
            kept = [record for record in self._records() if "probabilities" in record]
            write_probabilities(outputs.probabilities, iter(kept), len(kept), self.samples)
        if outputs.final_weights:
            save_weights(outputs.final_weights, self.model, self._trace_metadata())
        write_yaml(outputs.run, self._run_facts())

    def _records(self) -> Iterator[Record]:
        return (self.state.record(epoch) for epoch in range(self.recipe["epochs"] + 1))

    def _trace_metadata(self) -> dict[str, str]:
        return trace_metadata(
            asdict(self.names), self.recipe, versions(), self.settings.code_version
        )

    def _run_facts(self) -> dict:
        first, last = self.summaries[0], self.summaries[-1]
        accuracies = ("train_accuracy", "test_accuracy", "test_balanced_accuracy")
        return {
            **asdict(self.names),
            "recipe": dict(self.recipe),
            "architecture_definition": dict(self.settings.definition),
            "treatment_definition": dict(self.settings.treatment),
            "versions": versions(),
            "code_version": self.settings.code_version,
            "digests": dict(self.state.identity),
            "device": device_in_words(self.device),
            "pixels_on_device": self.maker.resident,
            "parameters": sum(parameter.numel() for parameter in self.model.parameters()),
            "train_samples": len(self.train.index),
            "test_samples": len(self.samples.index) - len(self.train.index),
            "classes": self.samples.classes,
            "wall_seconds": round(sum(summary["seconds"] for summary in self.summaries), 2),
            **peak_memory(self.device),
            "pretrained": self.settings.weights is not None,
            "weights_sha256": digest_file(self.settings.weights),
            **{f"initial_{name}": first[name] for name in accuracies},
            **{f"final_{name}": last[name] for name in accuracies},
        }

    def _plan(self) -> np.ndarray | None:
        """Return the planned presentations, int64 [T, N], `None` where nothing is planned."""
        if self.settings.reviews is None:
            return None
        epochs, names = self.recipe["epochs"], asdict(self.names)
        return read_plan(self.settings.reviews, self.train.index, epochs, names)

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
