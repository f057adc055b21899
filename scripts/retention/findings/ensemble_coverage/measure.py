"""F6: do networks of different architectures hold samples that one architecture alone does not?

| comparison | statistic | chance | ceiling |
|---|---|---|---|
| "A" | member_accuracy: share of the samples that a run holds | | |
| "A + B", "A + A", … | coverage_<rule>: any, majority (> ½; of two: both), averaged probabilities | one run | independent errors |
| "A + B", "A + A", … | double_fault: both wrong; disagreement: one right; error_correlation: φ | independent errors | |
| "A + B minus same architecture" | difference_<rule>: from as many runs of A, of B, in proportion | 0 | |
| "A + B minus same architecture" | difference_<rule>_matched: from those of one architecture within half a point of accuracy; descriptive | 0 | |
| "A + B minus A + A" | difference_<rule>_from_better: from as many runs of the more accurate one | 0 | |
| all of the above | epoch_coverage_<rule>, epoch_member_accuracy: at every stored epoch | | |

A row is a mean over all ensembles of its composition; each is a set of different runs. p: the interval's, of
0, for _from_better alone, where the interval is about new runs; the majority of two apart: both must be right, in
which no mixture helps. Were all
samples that A holds held by B too, and B the more accurate, A + B would still exceed the mean of A + A and B + B
by half the difference of their accuracies: difference_<rule>, though its members are as accurate on average, shows
no complementarity. Nor does _matched: its partners may be A + A and B + B in one, and are not quite as accurate;
`imbalance` is mixed minus partners, in mean member accuracy.
Double fault, disagreement: Kuncheva & Whitaker, Machine Learning 51, 181 (2003).
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from retention.findings.ensemble_coverage.estimates import (
    CALIPER,
    held_shares,
    imbalances,
    matching,
    mixed_compositions,
    of_one_architecture,
)
from retention.findings.ensemble_coverage.rules import (
    RULES,
    Ensembles,
    all_ensembles,
    held_sums,
    members_right,
)
from retention.measuring.table import finish, row
from retention.runs.members import (
    Members,
    check_last_epoch,
    read_members,
)
from retention.statistics.resampling import SHARE, Interval

NAME = "ensemble_coverage"
MORE = ("split", "size", "epoch", "imbalance")
UNEQUAL = "equal mean member accuracy, but members of unequal accuracy gain by that alone"
DEFINITIONS = {
    "any": "a member is right",
    "majority": "more than half of the members are right",
    "average": "the averaged probabilities are right",
}


def read(samples: Sequence[Path], probabilities: Sequence[Path]) -> dict[str, object]:
    """Return what `measure` takes, from samples.parquet and probabilities.npy of the same runs."""
    return {"members": read_members(samples, probabilities)}


def measure(members: Members, statistics: Mapping) -> pd.DataFrame:
    """Return the finding's table."""
    ensembles = all_ensembles(members.architectures, members.seeds)
    rows = []
    for split, place, samples in members.splits():
        labels = samples["label"].to_numpy()
        columns = {"split": split, "n": len(labels), "seeds": len(set(members.seeds))}
        of_split = _rows_of_split(members, ensembles, place, samples)
        rows += [found | columns for found in of_split]
        if members.epochs > 1:
            rows += [r | columns for r in _epoch_rows(members, ensembles, place, labels)]
    for found in rows:
        found["treatment"] = members.treatment
    return finish(rows, NAME, members.dataset, statistics["correction"], MORE)


def _rows_of_split(
    members: Members, ensembles: Ensembles, place: slice, samples: pd.DataFrame
) -> Iterator[dict]:
    labels, probabilities = samples["label"].to_numpy(), members.at(-1, place)
    right = members_right(probabilities, labels)
    check_last_epoch(members, probabilities, right, place)
    accuracy = right.mean(axis=0)
    pairing = matching(ensembles, accuracy)
    shares = ensembles.shares()
    weights = np.vstack([np.nan_to_num(shares).reshape(-1, len(ensembles.sizes)), pairing])
    lacking = np.isnan(shares).any(axis=2)

    def sums_of(rule: str) -> tuple[np.ndarray, np.ndarray]:
        return held_sums(rule, probabilities, labels, right, ensembles, weights)

    # one after the other: each is as large as all samples by all compositions and seeds
    sums = {rule: sums_of(rule) for rule in ("any", "majority")}
    sums["split_votes"] = tuple(a - b for a, b in zip(sums["any"], sums["majority"], strict=True))
    held = {name: held_shares(*sums.pop(name), ensembles, lacking, samples) for name in list(sums)}
    held["average"] = held_shares(*sums_of("average"), ensembles, lacking, samples)
    yield from _coverage_rows(held, ensembles, accuracy)
    yield from _diversity_rows(held, ensembles, accuracy, right)
    yield from _difference_rows(held, ensembles, accuracy, pairing)


def _coverage_rows(held: Mapping, ensembles: Ensembles, accuracy: np.ndarray) -> Iterator[dict]:
    for kind in ensembles.compositions:
        columns = _columns(ensembles, kind)
        if len(kind) == 1:
            interval = held["any"].interval({kind: 1.0}, SHARE)
            yield row("member_accuracy", interval, definition="a single run", **columns)
            continue
        rates = accuracy[ensembles.members[ensembles.of(kind)][:, : len(kind)]]
        independent = {"any": 1 - (1 - rates).prod(axis=1), "majority": _majority(rates)}
        for rule in RULES:
            yield row(
                f"coverage_{rule}",
                held[rule].interval({kind: 1.0}, SHARE),
                chance=float(rates.mean()),
                ceiling=float(np.mean(independent[rule])) if rule in independent else np.nan,
                definition=f"share of the samples on which {DEFINITIONS[rule]}",
                **columns,
            )


def _columns(ensembles: Ensembles, kind: tuple[str, ...]) -> dict:
    number = int(ensembles.of(kind).sum())
    return {
        "comparison": " + ".join(kind),
        "architecture": kind[0] if len(set(kind)) == 1 else "",
        "size": len(kind),
        "note": f"{number} ensembles" if len(kind) > 1 else f"{number} runs",
    }


def _majority(rates: np.ndarray) -> np.ndarray:
    """Return how often more than half of two or three independent members are right, [I]."""
    both = rates.prod(axis=1)
    if rates.shape[1] == 2:
        return both
    return sum(np.delete(rates, m, axis=1).prod(axis=1) for m in range(3)) - 2 * both


def _diversity_rows(
    held: Mapping, ensembles: Ensembles, accuracy: np.ndarray, right: np.ndarray
) -> Iterator[dict]:
    either = _shares_of_pairs(right)
    for kind in ensembles.compositions:
        if len(kind) != 2:
            continue
        first, second = ensembles.members[ensembles.of(kind)][:, :2].T
        wrong = 1 - accuracy
        by_luck = wrong[first] * wrong[second]
        spread = np.sqrt(wrong * accuracy)
        with np.errstate(invalid="ignore", divide="ignore"):
            phi = (either[first, second] - by_luck) / (spread[first] * spread[second])
        columns = _columns(ensembles, kind)
        one = wrong[first] + wrong[second] - 2 * by_luck
        covered = held["any"].interval({kind: 1.0}, SHARE)
        fault = Interval(1 - covered.estimate, *_rest(covered))
        alike = float(np.nanmean(phi)) if np.isfinite(phi).any() else np.nan
        for statistic, estimate, chance, definition in (
            ("double_fault", fault, by_luck.mean(), "both members are wrong"),
            (
                "disagreement",
                held["split_votes"].interval({kind: 1.0}, SHARE),
                one.mean(),
                "one of the two is right",
            ),
            ("error_correlation", alike, 0.0, "φ of the members' errors"),
        ):
            yield row(statistic, estimate, chance=chance, definition=definition, **columns)


def _shares_of_pairs(right: np.ndarray) -> np.ndarray:
    """Return the share of samples on which both of two runs are wrong, float [R, R]."""
    wrong = (~right).astype(np.float32)
    return wrong.T @ wrong / len(wrong)


def _rest(interval: Interval) -> tuple:
    return interval.standard_error, interval.degrees, interval.target, interval.scale


def _difference_rows(
    held: Mapping, ensembles: Ensembles, accuracy: np.ndarray, pairing: np.ndarray
) -> Iterator[dict]:
    of_architecture = {
        kind[0]: float(accuracy[ensembles.members[ensembles.of(kind)][:, 0]].mean())
        for kind in ensembles.compositions
        if len(kind) == 1
    }
    imbalance = imbalances(ensembles, accuracy, pairing)
    for place, kind in enumerate(mixed_compositions(ensembles)):
        mixed = " + ".join(kind)
        better = max(dict.fromkeys(kind), key=of_architecture.__getitem__)
        total = int(ensembles.of(kind).sum())
        used = int((pairing[place, ensembles.of(kind)] > 0).sum())
        shared = {"architecture": "", "size": len(kind), "chance": 0.0}
        best = (better,) * len(kind)
        unmixed = {kind: 1.0} | {k: -w for k, w in of_one_architecture(kind).items()}
        for rule in RULES:
            yield row(
                f"difference_{rule}",
                held[rule].difference(unmixed),
                comparison=f"{mixed} minus same architecture",
                definition=f"{DEFINITIONS[rule]}; {UNEQUAL}",
                note=f"{total} mixed ensembles",
                **shared,
            )
            yield row(
                f"difference_{rule}_matched",
                held[rule].matched_interval(place, unmixed) if used else np.nan,
                comparison=f"{mixed} minus same architecture",
                imbalance=imbalance[place] if used else np.nan,
                definition=f"{DEFINITIONS[rule]}; mean member accuracies within {CALIPER:g}, not tested",
                note=f"{used} of {total} mixed ensembles have a match",
                **shared,
            )
            from_better = held[rule].difference({kind: 1.0, best: -1.0})
            yield row(
                f"difference_{rule}_from_better",
                from_better,
                comparison=f"{mixed} minus {' + '.join(best)}",
                p=from_better.p_of(0.0) if _is_tested(from_better, rule, kind) else np.nan,
                definition=f"{DEFINITIONS[rule]}; {better} is the more accurate",
                note=f"{total} mixed ensembles",
                **shared,
            )


def _is_tested(interval: Interval, rule: str, kind: tuple[str, ...]) -> bool:
    """Return whether a difference from the more accurate architecture has a p.

    Of two, the majority is both: no mixture helps. What is about these runs alone differs anyway, as runs do.
    """
    return interval.target == "new runs" and (rule, len(kind)) != ("majority", 2)


def _epoch_rows(
    members: Members, ensembles: Ensembles, place: slice, labels: np.ndarray
) -> Iterator[dict]:
    weights = ensembles.shares()[:, 0]
    for epoch in range(members.epochs):
        probabilities = members.at(epoch, place)
        right = members_right(probabilities, labels)
        for rule in RULES:
            _, means = held_sums(rule, probabilities, labels, right, ensembles, weights)
            for kind, share in zip(ensembles.compositions, means, strict=True):
                name = f"epoch_coverage_{rule}" if len(kind) > 1 else "epoch_member_accuracy"
                if len(kind) > 1 or rule == RULES[0]:
                    columns = _columns(ensembles, kind)
                    yield row(name, float(share), epoch=epoch, **columns)
