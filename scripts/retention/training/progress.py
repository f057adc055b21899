"""What a training run says while it is at work."""

import math
import sys
from collections.abc import Mapping, Sequence

from tqdm import tqdm

from retention.common.collapse import below_its_start, worse_than_guessing


def progress_bar(title: str, images: int, done: int = 0) -> tqdm:
    """Return a bar that shows on a terminal only, and goes when it is done."""
    settings = {"unit": "img", "leave": False, "disable": None, "dynamic_ncols": True}
    return tqdm(total=images, initial=done, desc=title, **settings)


def headline(summary: Mapping) -> str:
    """Say the last epoch's outcome in the few words that fit beside a bar."""
    balanced, turned = summary["test_balanced_accuracy"], summary["forgotten"]
    return (
        f"loss {summary['train_loss']:.3f}, acc {summary['train_accuracy']:.3f}"
        + ("" if balanced is None else f"/{summary['test_accuracy']:.3f}, bal {balanced:.3f}")
        + ("" if turned is None else f", forgot {turned}")
    )


def describe(summary: Mapping, epochs: int) -> str:
    """Say an epoch's outcome in one line."""
    held_out = summary["test_accuracy"]
    turned = summary["forgotten"]
    return (
        f"epoch {summary['epoch']}/{epochs}: train loss {summary['train_loss']:.4f}, accuracy "
        f"train {summary['train_accuracy']:.4f}"
        + ("" if held_out is None else f" test {held_out:.4f}")
        + ("" if held_out is None else f" (balanced {summary['test_balanced_accuracy']:.4f})")
        + ("" if turned is None else f", forgotten {turned} learned {summary['learned']}")
        + f", {summary['images_per_second']:.0f} img/s, {summary['seconds']:.1f} s"
        + f", {(epochs - summary['epoch']) * summary['seconds']:.0f} s left"
    )


def collapse_in_words(summaries: Sequence[Mapping], classes: int, rate: float) -> str:
    """Say in one line that the last epoch is the first after which training looks lost; "" where it is not.

    It does where accuracy is below that of epoch 0, or the loss above that of guessing. rate: the learning rate to lower.
    """
    start, *later = summaries
    lost = [_looks_lost(start, summary, classes) for summary in later]
    if lost[-1:] != [True] or sum(lost) > 1:
        return ""
    last = later[-1]
    return (
        f"warning: epoch {last['epoch']}: training accuracy is {last['train_accuracy']:.2f}, it was "
        f"{start['train_accuracy']:.2f} at epoch 0; the loss is {last['train_loss']:.3g}, that of "
        f"guessing {math.log(classes):.3g}. If it does not come back, lower learning_rate, which is {rate:g}"
    )


def _looks_lost(start: Mapping, summary: Mapping, classes: int) -> bool:
    below = below_its_start(start["train_accuracy"], summary["train_accuracy"])
    return below or worse_than_guessing(summary["train_loss"], classes)


def say(text: str) -> None:
    """Print one line to the log, above a progress bar that may be there.

    Its end goes out with it: a signal's own line must not come between.
    """
    tqdm.write(f"{text}\n", file=sys.stderr, end="")
    sys.stderr.flush()
