"""Which share of the forgetting events lies between epoch 0 and epoch 1, a step that no other protocol has."""

from collections.abc import Iterator, Sequence

import pandas as pd

from retention.reporting.words import as_text, percent, series_of

# A table of one run's epoch_counts.csv, with the data set and the architecture that it is of.
Counts = tuple[str, str, pd.DataFrame]


def first_step(counts: Sequence[Counts], dataset: str, elsewhere: bool = False) -> Iterator[str]:
    """Yield the sentence for a data set, by architecture over its runs; nothing where no run has an epoch 0 or an event.

    counts: of runs of `random`; dataset: as the summary writes it; elsewhere: whether some runs were not trained by this
    workflow, so that nothing is known of what came before epoch 0.
    """
    shares = _shares(counts, dataset)
    if shares and elsewhere:
        yield f"- Of the forgetting events of these training samples, {series_of(shares)} lie between epochs 0 and 1, the first two evaluations."
    elif shares:
        yield (
            f"- Of the forgetting events of these training samples, {series_of(shares)} lie between epoch 0, before "
            "fine-tuning, and epoch 1. Other protocols do not have this step."
        )


def first_step_in_brief(counts: Sequence[Counts], elsewhere: bool = False) -> Iterator[str]:
    """Yield for each data set, in a sentence for a newcomer, how much of the forgetting is of the first epoch.

    elsewhere: as of `first_step`.
    """
    before = "." if elsewhere else ": before it at most the last layer had been trained."
    datasets = list(dict.fromkeys(as_text(place) for place, _, _ in counts))
    for dataset in datasets:
        if shares := _shares(counts, dataset):
            place = f" on {dataset}" if len(datasets) > 1 else ""
            yield f"Of all forgetting events of training images{place}, {series_of(shares)} came with the first epoch{before}"


def _shares(counts: Sequence[Counts], dataset: str) -> list[str]:
    """Return for each architecture which share of its events lies between epochs 0 and 1, in words."""
    lost: dict[str, list[float]] = {}
    for place, architecture, table in counts:
        training = table[(table["split"] == "train")].sort_values("epoch")
        if as_text(place) != dataset or training["epoch"].min() != 0:
            continue
        first, every = lost.setdefault(as_text(architecture), [0, 0])
        at_1 = training.loc[training["epoch"] == 1, "forgotten"].sum()
        lost[as_text(architecture)] = [first + at_1, every + training["forgotten"].sum()]
    return [f"{percent(first / every)} ({name})" for name, (first, every) in lost.items() if every]
