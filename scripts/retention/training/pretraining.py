"""Training from scratch on a source data set, for a backbone to fine-tune."""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd

from retention.common.csv_tables import write_csv
from retention.common.digests import digest_tensors
from retention.common.options import as_listed, without_defaults
from retention.common.yaml_files import write_yaml
from retention.sampling.orders import RandomSampler
from retention.training.determinism import why_not_deterministic
from retention.training.epochs import Training
from retention.training.machine import versions
from retention.training.models import save_weights
from retention.training.run import BackboneNames, BackboneOutputs
from retention.training.tracking import Evaluated, Evaluation, Record, evaluate

LOG_COLUMNS = ("epoch", "learning_rate", "test_accuracy", "images_per_second", "seconds")


class Pretraining(Training):
    """A backbone trained from scratch: every epoch in random order, and held-out samples alone are evaluated.

    There is no head warm-up. What is kept is the model, or its moving average where the recipe asks for one.
    """

    names: BackboneNames
    noted_in = "the metadata of the weights"

    def execute(self, outputs: BackboneOutputs) -> None:
        """Train what is not trained yet, write the results and remove the state."""
        self._train_all()
        write_csv(outputs.epochs, pd.DataFrame(self.summaries)[[*LOG_COLUMNS]])
        save_weights(outputs.weights, self.learner.evaluated, self._metadata())
        if outputs.digest:
            write_yaml(outputs.digest, {"sha256": digest_tensors(outputs.weights)})
        self.state.remove()

    def _evaluate(self, epoch: int, order: np.ndarray) -> Evaluated:
        held_out = self.samples.only(~self.samples.train)
        if not len(held_out.index):
            return Evaluated({})
        how = Evaluation(self.recipe["evaluation_batch_size"])
        return evaluate(self.learner.evaluated, self.maker, held_out, how, self.bar.update)

    def _accuracies(self, record: Record) -> dict:
        return {"test_accuracy": float(record["correct"].mean()) if record else None}

    def _in_words(self, summary: dict) -> str:
        accuracy, speed = summary["test_accuracy"], summary["images_per_second"]
        shown = "" if accuracy is None else f"{accuracy:.4f}, "
        epoch = f"epoch {summary['epoch']}/{self.recipe['epochs']}"
        return f"{epoch}: accuracy test {shown}{speed:.0f} img/s"

    def _sampler(self) -> RandomSampler:
        return RandomSampler(len(self.train.index), self.names.purpose("order"))

    def _images_of_epochs(self) -> list[int]:
        return self.recipe["epochs"] * [len(self.samples.index)]

    def _metadata(self) -> dict[str, str]:
        accuracy = self.summaries[-1]["test_accuracy"]
        definition = without_defaults("architecture", self.settings.definition)
        reasons = why_not_deterministic(self.summaries)
        return {
            **asdict(self.names),
            "definition": json.dumps(definition, sort_keys=True),
            "recipe": json.dumps(as_listed("recipe", self.recipe), sort_keys=True),
            "versions": json.dumps(versions(), sort_keys=True),
            "test_accuracy": "" if accuracy is None else f"{accuracy:.4f}",
            **(
                {"deterministic": "false", "why_not_deterministic": "; ".join(reasons)}
                if reasons
                else {}
            ),
        }
