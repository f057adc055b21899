"""multiverse.csv: a row per finding, combination and comparison."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from types import ModuleType

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from retention.common.errors import UserError
from retention.common.parts import load_part
from retention.multiverse.choices import DEFINITION, SCORE, Choices, Levels, Plan
from retention.multiverse.combinations import CROSSED, Combination, combinations_of, counts
from retention.multiverse.estimable import why_not
from retention.multiverse.frame import Estimate, Frame, frame_of, nothing
from retention.multiverse.scores import Scores
from retention.multiverse.study import CONFIDENCE, Study

FIRST = [
    "finding",
    "dataset",
    "comparison",
    "architecture",
    "statistic",
    "combination",
    "kind",
    "own",
    "named",
]
INTERVAL = ["estimate", "low", "high", "target"]
LAST = [*INTERVAL, "p", "n", "chance", "residue", "note"]
# What a combination's scores hold; the other dimensions say how they are compared.
SCORED = {SCORE, "samples", "never_learned", *DEFINITION}
RUN_BY_RUN = ("", "other_seeds", "same_seed")  # pairs that compare runs as they are
NONE = "no estimate: "
PROGRESS = 100  # combinations from one line of progress to the next

Tell = Callable[[str], None]


def multiverse_table(
    study: Study,
    choices: Choices,
    plans: Mapping[str, Plan],
    statistics: Mapping,
    options: Mapping,
    tell: Tell = print,
    place: str = "multiverse",
    scores: Scores | None = None,
) -> pd.DataFrame:
    """Return the table; `tell` is told how far it is, and what is left out.

    plans: by finding, of `plans_of`; options: the multiverse's, complete; scores: of the study, where others use them, too.
    Raises `UserError`, which begins with `place`, where nothing can be evaluated.
    """
    scores = scores or Scores(study)
    rows: list[dict] = []
    for name, plan in plans.items():
        part = load_part("retention.multiverse.estimates", name)
        if reason := part.lacking(study):
            tell(f"{name}: left out: {reason}")
            continue
        listed = combinations_of(choices, plan, options["most"], place)
        evaluated = _with_traces(study, listed, name, tell, place)
        frame = frame_of(study, name, statistics, options)
        rows += _rows(part, frame, scores, evaluated, name, tell)
    if not rows:
        raise UserError(f"{place}: of {', '.join(plans)} none can be made of these runs")
    columns = [*FIRST, *choices.dimensions, *LAST]
    table = pd.DataFrame(rows).reindex(columns=columns)
    table["dataset"] = study.runs[0].dataset
    for dimension in choices.dimensions:  # those of other findings are empty
        table[dimension] = table[dimension].astype(object).where(table[dimension].notna(), "")
    table["p"] = table["p"].where(table["estimate"].notna())  # no estimate, nothing to test
    return table


def _with_traces(
    study: Study, listed: Sequence[Combination], name: str, tell: Tell, place: str
) -> list[Combination]:
    """Return the combinations whose traces there are, and tell which ones there are not."""
    if study.confidence is not None:
        return list(listed)
    kept = [one for one in listed if one.levels.get("trace") != CONFIDENCE]
    if not any(one.kind == CROSSED for one in kept):
        raise UserError(
            f"{place}: trace {CONFIDENCE} needs the column {CONFIDENCE}, which the traces lack; fix another trace"
        )
    if len(kept) < len(listed):
        tell(
            f"{name}: {len(listed) - len(kept)} combinations are left out, as the traces lack the column {CONFIDENCE}"
        )
    return kept


def _rows(
    part: ModuleType,
    frame: Frame,
    scores: Scores,
    evaluated: Sequence[Combination],
    name: str,
    tell: Tell,
) -> Iterator[dict]:
    found = ", ".join(f"{number} {kind}" for kind, number in counts(evaluated).items())
    tell(f"{name}: {len(evaluated)} combinations ({found})")
    own: list[Estimate] = []
    known: dict[tuple, list[Estimate]] = {}
    for place, one in enumerate(evaluated, start=1):
        try:
            # where too few samples are left numpy divides by 0: there is no estimate, and the row says so
            with np.errstate(divide="ignore", invalid="ignore"):
                estimates = _evaluated(part, frame, scores, one.levels, known)
            residues = _residues(part, scores, one.levels, estimates)
        except UserError as error:  # too few epochs are left, say
            estimates = [
                nothing(e.comparison, e.architecture, e.statistic, e.rows, str(error)) for e in own
            ]
            residues = [np.nan] * len(own)
        rows = [_row(e, r, one.levels) for e, r in zip(estimates, residues, strict=True)]
        if one.own:
            own = estimates
            rows = _as_measured(rows, part.measured(frame.study.runs, frame.statistics))
        of_all = {"finding": name, "combination": one.number, "kind": one.kind}
        of_all |= {"own": one.own, "named": one.named, **one.levels}
        yield from (of_all | row for row in rows)
        if place % PROGRESS == 0 and place < len(evaluated):
            tell(f"{name}: {place} of {len(evaluated)} done")


def _evaluated(
    part: ModuleType,
    frame: Frame,
    scores: Scores,
    levels: Levels,
    known: dict[tuple, list[Estimate]],
) -> list[Estimate]:
    """Return the estimates of a combination; of those that score, or rank, all samples alike they are made once.

    known: what was made, to which it adds.
    """
    values = part.values(scores, levels)
    if values is None:
        return list(part.estimates(frame, scores, levels))
    rest = tuple(level for name, level in levels.items() if name not in SCORED)
    if part.RANKED and levels.get("pairs", "") in RUN_BY_RUN:
        values = rankdata(values, axis=1, method="dense", nan_policy="omit")
    key = (rest, sha256(np.asarray(values).tobytes()).digest())
    if key not in known:
        known[key] = list(part.estimates(frame, scores, levels))
    return known[key]


def _row(one: Estimate, residue: float, levels: Levels) -> dict:
    names = ("comparison", "architecture", "statistic", "p", "n", "chance", "note")
    found = {name: getattr(one, name) for name in names}
    found |= {name: getattr(one.interval, name) for name in INTERVAL}
    if reason := why_not(one, levels):
        found |= {"estimate": np.nan, "low": np.nan, "high": np.nan, "note": f"{NONE}{reason}"}
    return found | {"residue": residue}


def _as_measured(rows: Sequence[dict], table: pd.DataFrame) -> list[dict]:
    """Return the rows of the study's own combination with the numbers of the finding's own table, where it has them.

    There they rest on more resamples, and an overlap on the finding's own lots.
    """
    found = table.set_index(["comparison", "statistic"])
    names = (*INTERVAL, "p", "n", "chance")
    whole = []
    for row in rows:
        key = row["comparison"], row["statistic"]
        if key in found.index:
            row = row | dict(found.loc[key, list(names)])
        if np.isfinite(row["estimate"]):  # the finding tells a number that rests on little
            row["note"] = row["note"].removeprefix(NONE)
        whole.append(row)
    return whole


def _residues(
    part: ModuleType, scores: Scores, levels: Levels, estimates: Sequence[Estimate]
) -> list[float]:
    """Return for each comparison the share of the scored samples whose λ is the optimiser's residue, NaN without a fit."""
    values, residue = part.values(scores, levels), scores.residue(levels)
    if values is None or residue is None:
        return [float("nan")] * len(estimates)
    scored = np.isfinite(values)
    found = []
    for one in estimates:
        rows = list(one.rows)
        number = scored[rows].sum()
        found.append(float((scored & residue)[rows].sum() / number) if number else float("nan"))
    return found
