"""Which of the paper's numbers can hold together: arithmetic on the numbers alone, without any data.

| claim | what is held against it |
|---|---|
| early loss predicts decay, with its p, in one run or pooled over seeds | samples that the test needs (`samples_needed`) |
| early loss predicts decay, and has no ties | samples whose decay constant is not tied (`untied_needed`) |
| early loss predicts decay in one run; seeds hardly agree | ρ² q, a floor under a model (`stability_of_own_loss`) |
| early loss predicts decay across seeds; seeds hardly agree | ρ², a theorem (`implied_stability`) |
| seeds hardly agree, and their mean is used | reliability of the mean (Spearman–Brown) |
| top fractions of two networks overlap; seeds hardly agree | rank correlation of the overlap (`implied_rank_correlation`) |
| fits have such a mean R² | share of traces that are not flat |

A line rests on choices that the abstract does not tell. It is left out where one of them is known to be otherwise, and
says which ones would settle it. It says what follows from numbers, never what anybody did.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from retention.common.lists import plural
from retention.common.paper import slots
from retention.statistics.implications import (
    implied_rank_correlation,
    implied_stability,
    p_by_fisher,
    p_by_t,
    samples_needed,
    shared_top_correlation,
    stability_of_own_loss,
    untied_needed,
)
from retention.statistics.reliability import spearman_brown

COLUMNS = ["claim", "numbers", "implies", "value", "bound", "verdict", "resolved_by", "explanation"]
NEEDED = ("early_loss", "seed_stability", "numbers", "images", "loss_agreement", "choices")
CAN, CANNOT, SAYS = "can hold together", "can't hold together under", "says that"
TESTS = {"student_t": p_by_t, "fisher_z": p_by_fisher}
ONCE, POOLED = ("same_seed", "other_seeds", "averaged"), ("pooled",)  # levels of pairs
ROUNDING = 0.005  # reported numbers have two digits
# Traces of ones for all samples that are never lost.
CONSTANT_IF_KEPT = ("aligned", "cumulative", "lag", "survival", "cumulative_events")
LEVELLED = ("exact", "log_linear")  # estimators that give all flat traces one decay constant


def check(paper: Mapping, seeds: int) -> pd.DataFrame:
    """Return a row per claim, columns `COLUMNS`, of at most ten claims.

    paper: that of `common.paper.read_paper`; seeds: the paper's number of seeds. verdict: "can hold together", "can't
    hold together under …" what it names, or "says that …". value is the reported number, or what there is of it, and
    bound what the others ask of it.
    """
    rows = [
        *_of_tests(paper, seeds),
        _of_ties(paper),
        _of_own_loss(paper),
        _of_other_loss(paper),
        _of_mean(paper, seeds),
        *_of_overlaps(paper),
        _of_fits(paper),
    ]
    return pd.DataFrame([row for row in rows if row], columns=COLUMNS)


def _row(
    paper: Mapping,
    *cells: object,
    assumes: Mapping[str, Sequence[str]],
    asks: Sequence[str] = (),
    also: str = "",
) -> dict | None:
    """Return a row, or None where a choice that it assumes is known to be another.

    cells: claim, numbers, implies, value, bound, verdict, explanation; assumes: levels of choices under which the row
    holds; asks: further choices that would settle it; also: what would that is no choice.
    """
    known = {name: slot for name, slot in paper["choices"].items() if slot["state"] == "known"}
    if any(known[name]["value"] not in assumes[name] for name in set(assumes) & set(known)):
        return None
    descriptions = slots()
    told = [
        f"{name} is {known[name]['value']} ({known[name]['source']})"
        if name in known
        else f"{descriptions[name]['description']} ({name})"
        for name in (*assumes, *asks)
    ]
    resolved_by = "; ".join(filter(None, (also, *told)))
    return dict(zip(COLUMNS, (*cells[:-1], resolved_by, cells[-1]), strict=True))


def _known(paper: Mapping, name: str) -> object:
    slot = paper["choices"][name]
    return slot["value"] if slot["state"] == "known" else None


def _of_tests(paper: Mapping, seeds: int) -> Iterator[dict | None]:
    """Yield a row per data set for a test in one run, and one pooled over seeds where a run is too small."""
    for dataset, images in paper["images"].items():
        most = images["most"]
        once = f"a test that has each image of {dataset} once"
        yield _of_test(paper, once, most, images, ONCE)
        if most < _least_needed(paper) and seeds > 1:
            pooled = f"a test that pools {seeds} runs on {dataset}"
            yield _of_test(paper, pooled, most * seeds, images, POOLED, ("seeds",))


def _of_test(
    paper: Mapping,
    where: str,
    most: int,
    images: Mapping,
    pairs: Sequence[str],
    asks: Sequence[str] = (),
) -> dict | None:
    rho, high, p = (paper["early_loss"][key] for key in ("low", "high", "p_below"))
    by = {name: samples_needed(rho, p, test) for name, test in TESTS.items()}
    rounded, greater = samples_needed(rho + ROUNDING, p), samples_needed(high, p)
    bound = _least_needed(paper)
    counted = " Pooled, each image counts once per seed." if pairs == POOLED else ""
    return _row(
        paper,
        f"early loss predicts decay at ρ = {rho:.2f} with p < {p:g}, in {where}",
        f"ρ = {rho:.2f}; p < {p:g}; {most:,} images",
        f"the test has {bound:,} samples or more ({_each(by)})",
        most,
        bound,
        CAN if most >= bound else f"{CANNOT} {where}",
        f"A two-sided p by Student's t needs {rounded:,} samples at ρ = {rho + ROUNDING:.3f}, which is about {rho:.2f} "
        f"too, and {greater:,} at ρ = {high:.2f}. {images['most']:,} are {images['what']}.{counted}",
        assumes={"pairs": pairs},
        asks=("test", *asks),
        also=f"which data set ρ = {rho:.2f} is of",
    )


def _each(by: Mapping[str, int]) -> str:
    return f"{by['student_t']:,} by Student's t, {by['fisher_z']:,} by Fisher's z"


def _least_needed(paper: Mapping) -> int:
    """Return the samples that the known test needs, or that of the two which needs fewer."""
    rho, p = paper["early_loss"]["low"], paper["early_loss"]["p_below"]
    test = _known(paper, "test")
    tests = [TESTS[str(test)]] if test else TESTS.values()
    return min(samples_needed(rho, p, one) for one in tests)


def _of_ties(paper: Mapping) -> dict | None:
    low, high = paper["early_loss"]["low"], paper["early_loss"]["high"]
    least, more = untied_needed(low), untied_needed(high)
    return _row(
        paper,
        f"early loss, in which no samples are tied, predicts decay at ρ = {low:.2f} to {high:.2f}",
        f"ρ = {low:.2f} to {high:.2f}",
        f"{_percent(least)} of the samples or more have a decay constant of their own; {_percent(more)} at "
        f"ρ = {high:.2f}",
        low,
        least,
        f"{SAYS} {_percent(least)} of the samples or more were lost at least once, if those that never were share one decay "
        "constant",
        "Where a share m of decay constants differ and all others are 0, |ρ| is √(1 − (1 − m)³) at most; where there "
        "are two values alone, √(3m(1 − m)). An optimiser, confidences, a trace from epoch 0 on and hazards may give samples "
        "that were never lost different values: then nothing follows.",
        assumes={
            "score": ("decay_constant",),
            "trace": CONSTANT_IF_KEPT,
            "estimator": LEVELLED,
            "never_learned": ("left_out",),
        },
    )


def _of_own_loss(paper: Mapping) -> dict | None:
    rho, stability = paper["early_loss"]["low"], paper["seed_stability"]["value"]
    agreement, source = (paper["loss_agreement"][key] for key in ("value", "source"))
    floor = stability_of_own_loss(rho, agreement)
    return _row(
        paper,
        f"early loss predicts decay of the same run at ρ = {rho:.2f}; decay agrees between seeds at {stability:.2f}",
        f"ρ = {rho:.2f}; {stability:.2f}",
        f"losses agree between seeds at {stability / rho**2:.2f} or less, or the part of a loss that is its run's own "
        "tells more than the rest",
        stability,
        floor,
        _held(stability, floor, f"a loss that tells as one number and agrees at {agreement:.2f}"),
        f"Where the loss tells as one number, seeds agree at ρ² times the agreement of losses or more: {floor:.3f} if "
        f"that is {agreement:.2f}, as on {source}. A floor under a model and no theorem: where the run's own part "
        "of the loss alone tells, seeds need not agree.",
        assumes={"pairs": ("same_seed",)},
        asks=("head_warmup_epochs",),
        also="how far the losses of the paper's seeds agree",
    )


def _of_other_loss(paper: Mapping) -> dict | None:
    rho, stability = paper["early_loss"]["low"], paper["seed_stability"]["value"]
    agreement = paper["loss_agreement"]["value"]
    floor = implied_stability(rho)
    return _row(
        paper,
        f"early loss predicts decay of another seed at ρ = {rho:.2f}; decay agrees between seeds at {stability:.2f}",
        f"ρ = {rho:.2f}; {stability:.2f}",
        f"decay agrees between seeds at {floor:.2f} or more",
        stability,
        floor,
        _held(stability, floor, "a loss and a decay of different seeds, on average over all seeds"),
        "ρ² is no greater than the agreement of losses times that of decay (Cauchy and Schwarz), and losses agree at 1 "
        f"at most. Losses that agree at {agreement:.2f} ask for {implied_stability(rho, agreement):.2f}. That is about the mean over all "
        "seeds: a few may lie below by chance.",
        assumes={"pairs": ("other_seeds",)},
    )


def _of_mean(paper: Mapping, seeds: int) -> dict | None:
    low, high = paper["early_loss"]["low"], paper["early_loss"]["high"]
    stability = paper["seed_stability"]["value"]
    reliability = float(spearman_brown(stability, seeds))
    ceiling = float(np.sqrt(reliability))
    return _row(
        paper,
        f"decay agrees between seeds at {stability:.2f}; reviews spaced by the decay of other runs do not beat random",
        f"{stability:.2f}; {plural(seeds, 'seed')}",
        f"the mean decay of {plural(seeds, 'seed')} has a reliability of {reliability:.2f}, and correlates with nothing "
        f"outside their runs at more than {ceiling:.2f}",
        reliability,
        ceiling,
        f"{CAN}: reviews by the decay of other seeds are nearly reviews by lot",
        f"Spearman–Brown: {seeds} ρ/(1 + {seeds - 1} ρ); the root is the greatest correlation with anything that these "
        f"runs did not make. ρ = {low:.2f} to {high:.2f} with a loss of the same run is none such. Nothing follows "
        "for reviews by the decay of the run itself.",
        assumes={},
        asks=("seeds",),
        also="which runs the reviews are spaced by",
    )


def _of_overlaps(paper: Mapping) -> Iterator[dict | None]:
    stability = paper["seed_stability"]["value"]
    for number in paper["numbers"]:
        if number["finding"] != "architecture_overlap":
            continue
        overlap, fraction = number["low"], number["top_fraction"]
        bound = implied_rank_correlation(overlap, fraction)
        shared, least = shared_top_correlation(overlap, fraction)
        yield _row(
            paper,
            f"the most-forgotten {_percent(fraction, 0)} of two networks overlap by {overlap:.2f} on {number['dataset']}; decay "
            f"agrees between seeds at {stability:.2f}",
            f"Jaccard {overlap:.2f}; {stability:.2f}",
            f"the rankings of the two networks correlate at {bound:.2f}, if scores are like normal ones",
            stability,
            bound,
            _held(stability, bound, "runs of different seeds and scores like normal ones"),
            "On average over all seeds, rankings of two networks agree no better than the root of how far each agrees with "
            "itself between seeds. "
            f"Other scores share as much with less: {_percent(shared)} of the samples first in both and all others at "
            f"random overlap so at ρ = {least:.2f}.",
            assumes={"pairs": ("other_seeds",), "score": ("decay_constant",)},
            asks=("ties",),
        )


def _of_fits(paper: Mapping) -> dict | None:
    fits = [number for number in paper["numbers"] if number["finding"] == "fit_quality"]
    means = " and ".join(f"{number['low']:.2f} ({number['architecture']})" for number in fits)
    lost = " and ".join(_percent(number["low"], 0) for number in fits)
    least = min(number["low"] for number in fits)
    of_zero = f"{lost} of the traces or more are not flat"
    verdicts: dict[object, str] = {
        "zero": of_zero,
        "one": "it can be reached however many traces are flat",
        "dropped": "it is about the traces that are not flat, however few",
        None: f"{of_zero} where flat ones count 0, and nothing of how many where they count 1 or are left out",
    }
    return _row(
        paper,
        f"exponential fits have a mean R² of {means}",
        means,
        "the mean depends on what flat traces count as, which have no R²",
        least,
        least,
        f"{SAYS} {verdicts[_known(paper, 'flat')]}",
        "No R² exceeds 1, and a trace that never changes has none: it is left out, or counted 0 or 1 by convention. Counted "
        "1, flat traces alone give any mean. A trace from first learned on is not flat where the sample was lost again.",
        assumes={},
        asks=("flat", "r_squared", "trace"),
    )


def _held(value: float, bound: float, assumption: str) -> str:
    return CAN if value >= bound else f"{CANNOT} {assumption}"


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f} %"
