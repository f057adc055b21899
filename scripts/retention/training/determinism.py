"""Kernels that give the same bytes again, wherever there are such; where not, it is known which and where."""

import copy
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import TypeVar

import torch

from retention.common.errors import UserError
from retention.common.lists import listed
from retention.sampling.orders import RandomSampler
from retention.training.features import read_features, warm_up_head
from retention.training.machine import device_in_words, out_of_memory_explained
from retention.training.models import image_size_explained
from retention.training.optimisation import Learner, train_epoch
from retention.training.progress import say
from retention.training.tracking import Evaluation, Samples, evaluate

# What torch says of a kernel without a deterministic form; under warn_only, of attention, too.
LACKING = re.compile(
    r"(?P<kernel>.+?) (?:does not have a deterministic implementation|defaults to a non-deterministic algorithm)"
)
CUBLAS = (
    "not deterministic because it uses CuBLAS"  # another CUBLAS_WORKSPACE_CONFIG than ours was set
)
UNKNOWN = "unknown"
Result = TypeVar("Result")
FEW = 2  # samples: whether a kernel has a deterministic form does not depend on their number


def settled(learner: Learner, train: Samples, definition: Mapping) -> str:
    """Settle which kernels a run may use, by trying out on a copy of its model what it does; return as `settle` does.

    Raises `UserError` where the model does not take images of the definition's size.
    """
    with (
        out_of_memory_explained("before the first step", learner.recipe, images=FEW),
        image_size_explained(definition),
    ):
        return settle(lambda: _try_out(learner, train))


def settle(try_out: Callable[[], None]) -> str:
    """Let torch take deterministic kernels alone; where one has no such form, any. Return the lacking ones, "" for none.

    try_out: does once what is to be done; nothing may depend on its having been called. Strict mode matters
    beyond its errors: attention is deterministic under it and not where torch only warns.
    """
    torch.use_deterministic_algorithms(True)
    try:
        try_out()
        return ""
    except RuntimeError as error:
        found = [str(error)]
        if not lacking_kernel(error):
            raise
    allow_any_kernel()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try_out()
    return listed(_lacking([*found, *(str(warning.message) for warning in told)]))


def repeated_where_lacking(work: Callable[[], Result]) -> Result:
    """Return what `work` returns; where it meets a kernel without a deterministic form, do all of it again with any."""
    try:
        return work()
    except RuntimeError as error:
        if not lacking_kernel(error):
            raise
    allow_any_kernel()
    return work()


def lacking_kernel(error: RuntimeError) -> str:
    """Return the kernel that has no deterministic form, as torch's error names it; "" for any other error.

    Where any kernel is allowed, torch raises no such error, so none is taken for one.
    """
    if torch.is_deterministic_algorithms_warn_only_enabled():
        return ""
    return listed(_lacking([str(error)]))


def allow_any_kernel() -> None:
    """Let torch take kernels without a deterministic form from here on, with a warning."""
    torch.use_deterministic_algorithms(True, warn_only=True)


def _try_out(learner: Learner, train: Samples) -> None:
    """Do with a copy of the model what a run does: features, head warm-up, a training step, an evaluation.

    Model, optimiser and torch's generators stay as they are.
    """
    maker, recipe = learner.maker, learner.recipe
    few, model = train.only(slice(FEW)), copy.deepcopy(learner.model)
    twin = Learner.of(model, maker, train, recipe, learner.seed_of)
    devices = [torch.cuda.current_device()] if maker.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        features, _ = read_features(model, maker, few, FEW, keep=True)
        warm_up_head(twin, few, features, RandomSampler(FEW, ("try-out",)))
        train_epoch(twin, [(few.index, few.label)], 1)
        evaluate(model, maker, few, Evaluation(FEW, recipe["evaluation_precision"]))


def require_device(
    summaries: Sequence[Mapping],
    device: torch.device,
    on_other_device: str,
    noted_in: str = "run.yaml",
) -> None:
    """Say in a line where a run's last epoch was trained on another device than this; `UserError` if it is to stop then.

    noted_in: what tells of it afterwards.
    """
    last, here = devices_of(summaries)[-1], device_in_words(device)
    if last["device"] == here:
        return
    if last["device"] == UNKNOWN:
        say(
            "warning: the saved epochs do not say on which device they were trained; "
            f"{noted_in} will say deterministic: false"
        )
        return
    moved = f"epoch {last['last_epoch']} was trained on {last['device']}, and this is {here}"
    if on_other_device == "stop":
        raise UserError(
            f"{moved}; run the same command there, or go on here with on_other_device: go_on"
        )
    say(f"warning: {moved}; the run goes on, and {noted_in} will say deterministic: false")


def devices_of(summaries: Sequence[Mapping]) -> list[dict]:
    """Return the devices of a run's epochs in their order: `device`, `first_epoch` and `last_epoch` each.

    summaries: per epoch, with `device`; a state of version 0.1.0 does not say it, and the device is then "unknown".
    """
    found = []
    for device, group in groupby(summaries, lambda summary: summary.get("device", UNKNOWN)):
        epochs = [summary["epoch"] for summary in group]
        found.append({"device": device, "first_epoch": epochs[0], "last_epoch": epochs[-1]})
    return found


def why_not_deterministic(summaries: Sequence[Mapping]) -> list[str]:
    """Return a sentence for each reason why a run trained again on its device may give other bytes; none where it gives the same.

    summaries: per epoch, with `device` and, where a kernel had no deterministic form, `lacking`.
    """
    lacking = sorted({summary["lacking"] for summary in summaries if summary.get("lacking")})
    reasons = [repeats_not(kernels) for kernels in lacking]
    devices = devices_of(summaries)
    if len(devices) > 1:
        parts = [
            f"epochs {d['first_epoch']} to {d['last_epoch']} on {d['device']}" for d in devices
        ]
        reasons.append(f"several devices: {', '.join(parts)}")
    elif devices[0]["device"] == UNKNOWN:
        reasons.append("the epochs do not say on which device they were trained")
    return reasons


def repeats_not(lacking: str) -> str:
    """Return why a run that is trained again here may give other bytes, from what `settle` returned."""
    return f"without a deterministic form: {lacking}"


def _lacking(texts: Sequence[str]) -> list[str]:
    """Return the names of the kernels that torch's errors and warnings tell of, each once."""
    names = [match["kernel"] for text in texts if (match := LACKING.search(text))]
    if any(CUBLAS in text for text in texts):
        names.append("CuBLAS with this CUBLAS_WORKSPACE_CONFIG")
    return sorted(set(names))
