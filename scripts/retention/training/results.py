"""What a finished run leaves: traces, epochs, probabilities, weights, and how it was made."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from retention.common.csv_tables import write_csv
from retention.common.digests import digest_file, digest_weights
from retention.common.files import atomic_path, remove_leftovers
from retention.common.options import as_listed
from retention.common.yaml_files import write_yaml
from retention.training.determinism import devices_of, why_not_deterministic
from retention.training.machine import device_in_words, peak_memory, versions
from retention.training.models import save_weights
from retention.training.optimisation import Learner
from retention.training.run import RunNames, RunOutputs, RunSettings
from retention.training.state import RunState
from retention.training.tracking import (
    Record,
    Samples,
    trace_metadata,
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
    "close_calls": "float64",
}


@dataclass(frozen=True)
class Results:
    """A run whose last epoch is saved.

    summaries: one map per epoch, of `EPOCH_COLUMNS`, and of what `why_not_deterministic` reads. weights_taken: which of several maps of tensors the
    weights file gave, "" where it holds one.
    """

    names: RunNames
    settings: RunSettings
    samples: Samples
    learner: Learner
    state: RunState
    summaries: list[dict]
    weights_taken: str = ""

    def write(self, outputs: RunOutputs) -> None:
        """Write every file, the description of the run last; raise `UserError` where one can not be."""
        for path in filter(None, vars(outputs).values()):
            remove_leftovers(path)
        write_traces(outputs.traces, self._records(), self.samples, self._trace_metadata())
        write_csv(outputs.epochs, self._epochs())
        with atomic_path(outputs.centroids) as temporary, open(temporary, "wb") as stream:
            np.save(stream, self.state.record(0)["class_centroids"])
        if outputs.probabilities:
            shape = (len(self.samples.index), self.samples.classes)
            self.state.give_probabilities(outputs.probabilities, *shape)
        if outputs.final_weights:
            save_weights(outputs.final_weights, self.learner.evaluated, self._trace_metadata())
        write_yaml(outputs.run, self._run_facts())

    def _epochs(self) -> pd.DataFrame:
        # A state of an earlier version says nothing in some columns.
        table = pd.DataFrame(self.summaries).reindex(columns=list(EPOCH_COLUMNS))
        return table.astype(EPOCH_COLUMNS)

    def _records(self) -> Iterator[Record]:
        return (self.state.record(epoch) for epoch in range(len(self.summaries)))

    def _trace_metadata(self) -> dict[str, str]:
        recipe, code = as_listed("recipe", self.settings.recipe), self.settings.code_version
        return trace_metadata(asdict(self.names), recipe, versions(), code)

    def _run_facts(self) -> dict:
        device = self.learner.maker.device
        train = int(self.samples.train.sum())
        first, last = self.summaries[0], self.summaries[-1]
        accuracies = ("train_accuracy", "test_accuracy", "test_balanced_accuracy")
        reasons = why_not_deterministic(self.summaries)
        sizes = np.bincount(self.samples.label[self.samples.train])
        return {
            **asdict(self.names),
            "recipe": dict(self.settings.recipe),
            "architecture_definition": dict(self.settings.definition),
            "treatment_definition": dict(self.settings.treatment),
            "versions": versions(),
            "code_version": self.settings.code_version,
            "commit": self.settings.commit,
            "digests": dict(self.state.identity),
            "device": device_in_words(device),
            "devices": devices_of(self.summaries),
            "deterministic": not reasons,
            **({"why_not_deterministic": reasons} if reasons else {}),
            **asdict(self.learner.maker.view),
            "parameters": sum(parameter.numel() for parameter in self.learner.model.parameters()),
            "train_samples": train,
            "test_samples": len(self.samples.index) - train,
            "classes": self.samples.classes,
            "wall_seconds": round(sum(summary["seconds"] for summary in self.summaries), 2),
            **peak_memory(device),
            "pretrained": self.settings.weights is not None,
            "weights_sha256": digest_file(self.settings.weights),
            "tensors_sha256": digest_weights(self.settings.weights),
            **({"weights_taken": self.weights_taken} if self.weights_taken else {}),
            **(
                {"evaluated_weights": "moving average"} if self.settings.recipe["ema_decay"] else {}
            ),
            **{f"initial_{name}": first[name] for name in accuracies},
            **{f"final_{name}": last[name] for name in accuracies},
            "highest_train_accuracy": max(summary["train_accuracy"] for summary in self.summaries),
            "final_train_loss": last["train_loss"],
            "largest_class_share": float(sizes.max() / sizes.sum()),
        }
