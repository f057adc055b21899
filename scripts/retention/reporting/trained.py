"""What a study trained, in a few plain sentences from its runs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import pandas as pd

from retention.common.lists import plural
from retention.common.measured import MEASURED, WHILE_TRAINING
from retention.common.treatment_names import RANDOM
from retention.reporting.collapsed import collapsed
from retention.reporting.words import architectures_of, as_text, series_of

OF_IMAGES = {"train_samples", "test_samples", "classes"}  # runs of version 0.1.0 may lack them


def trained(
    findings: pd.DataFrame,
    runs: Sequence[Mapping],
    controls: Sequence[str] = (),
) -> str:
    """Return the sentences; of what findings alone tell, with their names as text, where there are no run.yaml.

    runs: run.yaml of each, as it is read. controls: architectures that are in no finding.
    """
    if not runs:
        return _of_tables(findings)
    compared = [run for run in runs if run["architecture"] not in controls] or list(runs)
    names = _names(compared)
    told = [
        f"{series_of(names)} {'was' if len(names) == 1 else 'were'} {_how(compared)} on {series_of(_places(runs))}.",
        *_counted(runs),
        *_measured(runs),
        *_beside(runs, controls),
    ]
    return " ".join(told)


def any_elsewhere(runs: Iterable[Mapping]) -> bool:
    """Tell whether some of the runs (run.yaml) were trained elsewhere and recorded."""
    return any("own_traces" in run for run in runs)


def _of_tables(findings: pd.DataFrame) -> str:
    names = series_of([f"**{name}**" for name in architectures_of(findings)])
    places = series_of(sorted(findings["dataset"].unique()))
    return (
        f"These are findings on runs of {names or 'no architecture'} on {places or 'no data set'}."
    )


def _names(runs: Iterable[Mapping]) -> list[str]:
    names = dict.fromkeys(run["architecture"] for run in runs)
    return [f"**{as_text(name)}**" for name in names]


def _how(runs: Iterable[Mapping]) -> str:
    runs = list(runs)
    pretrained = {run["pretrained"] for run in runs if "pretrained" in run}
    if any_elsewhere(runs):
        all_elsewhere = all("own_traces" in run for run in runs)
        return (
            "trained elsewhere and recorded"
            if all_elsewhere
            else "trained, some runs elsewhere and some by this workflow,"
        )
    if len(pretrained) == 2:
        return "trained, some from random weights,"
    return "trained from random weights" if pretrained == {False} else "fine-tuned"


def _places(runs: Iterable[Mapping]) -> list[str]:
    """Return each data set with its images, where the runs say how many there are."""
    places = {}
    for run in runs:
        name = f"**{as_text(run['dataset'])}**"
        if run.keys() >= OF_IMAGES and run["treatment"] == RANDOM:
            images = (
                f"{run['train_samples']:,} training and {run['test_samples']:,} held-out images"
            )
            places[name] = f"{name} ({images} of {plural(run['classes'], 'class', 'classes')})"
        places.setdefault(name, name)
    return list(places.values())


def _counted(runs: Sequence[Mapping]) -> Iterator[str]:
    """Yield how many runs there are, of how many epochs and of which seeds; then the treatments beside `random`."""
    usual = [run for run in runs if run["treatment"] == RANDOM]
    others = [run for run in runs if run["treatment"] != RANDOM]
    if usual:
        show = "shows" if len(usual) == 1 else "show"
        seeds = sorted({run["seed"] for run in usual})
        named = f"{'seed' if len(seeds) == 1 else 'seeds'} {span(seeds)}"
        are = "is described" if len(usual) == 1 else "are compared"
        told = are if any_elsewhere(usual) else f"{show} the images in random order"
        yield f"{plural(len(usual), 'run')}{_epochs(usual)}, {named}, {told}."
    if others:
        treatments = len({run["treatment"] for run in others})
        follow = "follows" if len(others) == 1 else "follow"
        which = "one other treatment" if treatments == 1 else f"{treatments} other treatments"
        yield f"{plural(len(others), 'further run')} {follow} {which}."


def _epochs(runs: Iterable[Mapping]) -> str:
    """Return ` of 8 epochs`, or from how many to how many; "" where the runs do not say."""
    recipes = (run.get("recipe", {}) for run in runs)
    epochs = sorted({recipe["epochs"] for recipe in recipes if "epochs" in recipe})
    if not epochs:
        return ""
    if len(epochs) == 1:
        return f" of {plural(epochs[0], 'epoch')}"
    return f" of {epochs[0]} to {epochs[-1]} epochs"


def _measured(runs: Sequence[Mapping]) -> Iterator[str]:
    """Yield which runs were measured while they trained: such traces are about another thing than evaluations."""
    if names := _names(run for run in runs if run.get(MEASURED) == WHILE_TRAINING):
        yield (
            f"{series_of(names)} {'was' if len(names) == 1 else 'were'} measured while training, of weights that change within "
            "the epoch, with augmentation and dropout where there were any: do not compare that with evaluations between epochs."
        )


def _beside(runs: Sequence[Mapping], controls: Sequence[str]) -> Iterator[str]:
    """Yield what a reader must know before the findings: controls, and runs that went wrong."""
    if beside := _names(run for run in runs if run["architecture"] in controls):
        is_one = len(beside) == 1
        yield f"{series_of(beside)} {'is a control' if is_one else 'are controls'}, of which no finding tells."
    if wrong := collapsed(runs):
        yield f"**Of {plural(len(runs), 'run')} {len(wrong)} went wrong; nothing that rests on them is told as found.**"


def span(numbers: Sequence[int]) -> str:
    """Return sorted whole numbers as `0, 1 and 2`, or as `0 to 9` where they are more than three in a row."""
    if len(numbers) > 3 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]} to {numbers[-1]}"
    return series_of([str(one) for one in numbers])
