"""Runs whose training went wrong: what they lost, or never knew, tells nothing of the images."""

import math
from collections.abc import Mapping

MARGIN = 0.05  # of the accuracy: less than that comes and goes with an epoch
FALL = 0.15  # of the accuracy: below its best, as epochs of a sound run do not end
NEAR = 0.02  # of the accuracy: as good as guessing the largest class
LITTLE = 0.1  # of what that guess leaves to be learned


def below_its_start(start: float, accuracy: float) -> bool:
    """Return whether a training accuracy lies more than `MARGIN` below that of epoch 0, after head warm-up."""
    return accuracy < start - MARGIN


def worse_than_guessing(loss: float, classes: int) -> bool:
    """Return whether a mean cross-entropy, in nats, is above that of equal probabilities for all classes."""
    return loss > math.log(classes) + MARGIN


def fault_of(run: Mapping) -> str:
    """Return in a few words how a run went wrong, from its run.yaml; "" where it did not.

    Runs of version 0.1.0 tell of their accuracies at epoch 0 and at the end alone.
    """
    start, end = run["initial_train_accuracy"], run["final_train_accuracy"]
    highest = run.get("highest_train_accuracy", start)
    if below_its_start(start, end):
        return f"accuracy {start:.2f} at epoch 0, {end:.2f} at the end"
    if end < highest - FALL:
        return f"accuracy {highest:.2f} at its best, {end:.2f} at the end"
    if "final_train_loss" in run and worse_than_guessing(run["final_train_loss"], run["classes"]):
        return f"loss {run['final_train_loss']:.3g} at the end, {math.log(run['classes']):.3g} is that of guessing"
    if end <= as_good_as_guessing(run.get("largest_class_share", 0.0)):
        return f"accuracy {end:.2f} at the end, {run['largest_class_share']:.2f} is the largest class's share"
    return ""


def as_good_as_guessing(share: float) -> float:
    """Return the accuracy up to which a run knows nothing beyond the largest class, whose share of the images is given."""
    return share + min(NEAR, LITTLE * (1 - share))
