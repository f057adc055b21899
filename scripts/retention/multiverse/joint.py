"""multiverse_joint.csv: one test per finding over all its combinations.

The statistic is fixed beforehand: the median, over the distinguishable combinations that are no fault, of the estimate less
its mean under exchanges. One exchange is applied to all combinations at once, so whatever they share is in what the median
varies by where there is nothing to find (`nulls` has what is exchanged). Such a test of a whole list of analyses is that
of Simonsohn, Simmons & Nelson, Nature Human Behaviour 4, 1208 (2020). p = (b + 1)/(m + 1); the mean is over the data and
all m exchanges, so that the data's order is treated as any other one and p is exact.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from types import ModuleType

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from retention.common.multiverse_tables import FAULT, SIGNIFICANT
from retention.common.parts import load_part
from retention.multiverse.combinations import Combination
from retention.multiverse.exchanged import NotTestable, Permuted
from retention.multiverse.frame import Frame, frame_of
from retention.multiverse.scores import Scores
from retention.multiverse.shares import distinguishable
from retention.statistics.resampling import p_value

COLUMNS = [
    "finding",
    "dataset",
    "comparison",
    "version",
    "statistic",
    "estimate",
    "combinations",
    "draws",
    "p",
    "p_corrected",
    "null_low",
    "null_high",
    "note",
]
NULL = ["null_low", "null_high"]
ROUNDING = 1e-12
ENDS = (2.5, 97.5)  # per cent
ALL = ""  # the comparison of a finding's own test

Tell = Callable[[str], None]


def joint_test(
    scores: Scores,
    table: pd.DataFrame,
    dimensions: Mapping[str, Sequence[str]],
    statistics: Mapping,
    options: Mapping,
    tell: Tell = print,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tests, and the table of `multiverse_table` with the ends of each estimate under exchanges.

    dimensions: by finding those that it has; options: the multiverse's, complete. A finding's own test has no comparison: of
    several it takes the mean in each combination. Its p is corrected over the findings (Holm); those of single comparisons are not,
    nor those of tests that can not come below the level. The tests together have the options' joint_minutes by `clock`, in
    seconds; each may take an equal share of what is left, and then draws no more exchanges.
    """
    rows: list[dict] = []
    ends: dict[tuple, tuple[float, float]] = {}
    parts = {name: _part(name) for name in dict.fromkeys(table["finding"])}
    shares = _Shares(options, sum(len(part.VERSIONS) for part in parts.values()), clock)
    for name, part in parts.items():
        frame = frame_of(scores.study, name, statistics, options)
        found = table[(table["finding"] == name) & (table["kind"] != FAULT)]
        told = found[found["estimate"].notna()]
        listed = _listed(told, dimensions[name])
        distinct = set(distinguishable(found))
        for version in part.VERSIONS:
            tell(_told(name, version, len(distinct), options["draws"]))
            first = version == part.VERSIONS[0]  # its ends are told of all combinations
            chosen = [one for one in listed if first or one.number in distinct]
            timed = replace(frame, over_time=shares.next())
            permuted, why = _permuted(part, timed, scores, chosen, version)
            permuted = _of_rows(permuted, told)
            if cut := _cut_short(part, permuted, options):
                tell(f"{name}: {cut}")
            if first:
                ends |= {(name, *target): _ends(values) for target, values in permuted.items()}
            known = {"finding": name, "version": version, "statistic": part.STATISTIC}
            tests = _tests(part, frame, permuted, distinct, version, why, cut)
            rows += [known | row for row in tests]
    joint = _corrected(pd.DataFrame(rows, columns=[*COLUMNS, "p_least"]))[COLUMNS]
    joint["dataset"] = scores.study.runs[0].dataset
    return joint, _with_ends(table, ends)


def _part(name: str) -> ModuleType:
    return load_part("retention.multiverse.nulls", name)


class _Shares:
    """The time of all tests, of which each may take an equal part of what is left."""

    def __init__(self, options: Mapping, tests: int, clock: Callable[[], float]):
        self._clock, self._tests = clock, tests
        self._end = clock() + 60 * options["joint_minutes"]

    def next(self) -> Callable[[], bool]:
        """Return the function that tells whether the next test's share, which begins now, is over."""
        until = self._clock() + (self._end - self._clock()) / self._tests
        self._tests -= 1
        return lambda: self._clock() > until


def _permuted(
    part: ModuleType, frame: Frame, scores: Scores, chosen: Sequence[Combination], version: str
) -> tuple[Permuted, str]:
    """Return the numbers under exchanges, or why there are none."""
    try:
        # under some exchange too few samples may be left, and numpy divides by 0: there is no number
        with np.errstate(divide="ignore", invalid="ignore"):
            return part.permuted(frame, scores, chosen, version, frame.draws), ""
    except NotTestable as error:
        return {}, str(error)


def _cut_short(part: ModuleType, permuted: Permuted, options: Mapping) -> str:
    """Return what to say where a test drew fewer exchanges than it was asked for, "" where it drew all."""
    made = {len(values) - 1 for values in permuted.values()}
    if not made or part.EXHAUSTIVE or max(made) >= options["draws"]:
        return ""
    return f"{max(made)} of {options['draws']} exchanges, as its share of joint_minutes was over"


def _of_rows(permuted: Permuted, told: pd.DataFrame) -> Permuted:
    """Return the numbers of the rows that have an estimate: what rests on too few samples is tested nowhere."""
    known = set(zip(told["combination"], told["comparison"], strict=True))
    return {target: values for target, values in permuted.items() if target in known}


def _listed(found: pd.DataFrame, dimensions: Sequence[str]) -> list[Combination]:
    """Return the combinations of a finding's rows, each once."""
    once = found.drop_duplicates("combination")
    return [
        Combination(row["combination"], row["kind"], {name: row[name] for name in dimensions})
        for row in once.to_dict("records")
    ]


def _told(name: str, version: str, combinations: int, draws: int) -> str:
    of = f", {version}" if version else ""
    return f"{name}: joint test{of} of {combinations} combinations, {draws} exchanges"


def _tests(
    part: ModuleType,
    frame: Frame,
    permuted: Permuted,
    distinct: Collection[int],
    version: str,
    why_not: str,
    cut: str,
) -> list[dict]:
    """Return the row of the finding's test, then those of its comparisons where there are several."""
    excesses = {name: one for name, one in _excesses(permuted, distinct).items() if one.shape[1]}
    known = {"combinations": len(distinct), "draws": 0}
    if not excesses:
        why_not = why_not or "no combination has an estimate"
        return [{"comparison": ALL, **known, "note": f"not testable: {why_not}"}]
    said = "; ".join(filter(None, (part.said(frame, version), cut)))
    single = {name: median_test(one, part.TWO_SIDED) for name, one in excesses.items()}
    if len(single) == 1:
        return [{"comparison": ALL} | test | _note(test, said) for test in single.values()]
    if part.AVERAGED:
        whole = median_test(mean_of(list(excesses.values())), part.TWO_SIDED)
        of_finding = whole | _note(whole, said)
    else:
        said = f"the smallest p of {len(single)} comparisons, times their number"
        of_finding = known | {
            name: min(len(single) * min(test[name] for test in single.values()), 1.0)
            for name in ("p", "p_least")
        }
        of_finding |= _note(of_finding, said)
    rows = [{"comparison": name} | test | _note(test, said) for name, test in single.items()]
    return [{"comparison": ALL} | of_finding, *rows]


def _excesses(permuted: Permuted, distinct: Collection[int]) -> dict[str, pd.DataFrame]:
    """Return by comparison the estimates less their means, a column per combination that has one in the data."""
    found: dict[str, dict[int, np.ndarray]] = {}
    for (number, comparison), values in permuted.items():
        if number in distinct and np.isfinite(values[0]):
            found.setdefault(comparison, {})[number] = values
    return {name: excess(pd.DataFrame(of)) for name, of in found.items()}


def excess(values: pd.DataFrame) -> pd.DataFrame:
    """Return numbers less their means over all orders, the data's in row 0 among them; a column per combination."""
    return values - values.mean()


def mean_of(excesses: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the mean over comparisons of each combination, of those that have a number."""
    return pd.concat(excesses).groupby(level=0).mean()


def median_test(excesses: pd.DataFrame, two_sided: bool) -> dict:
    """Return the columns of a test of the median over combinations, from what they exceed their means by.

    excesses: row 0 the data, the others an exchange each. An exchange under which nothing has a number counts against the
    finding. p: (b + 1)/(m + 1).
    """
    medians = excesses.median(axis=1).to_numpy()
    null = medians[1:]
    size = np.abs(medians) if two_sided else medians
    low, high = _ends(medians)
    return {
        "estimate": float(medians[0]),
        "combinations": excesses.shape[1],
        "draws": len(null),
        "p": p_value(size[0], np.where(np.isfinite(null), size[1:], np.inf)),
        "p_least": float(np.mean(size >= np.nanmax(size) - ROUNDING)),  # were the data the largest
        "null_low": low,
        "null_high": high,
    }


def _note(test: Mapping, said: str) -> dict:
    """Return what to say of a test, its smallest possible p where that is above the level."""
    least = f"no p below {test['p_least']:.3g} is possible" if test["p_least"] > SIGNIFICANT else ""
    return {"note": "; ".join(one for one in (said, least) if one)}


def _ends(values: np.ndarray) -> tuple[float, float]:
    """Return the 2.5 and 97.5 % points of numbers under exchanges; row 0, the data's, is none of them."""
    null = values[1:][np.isfinite(values[1:])]
    if not len(null):
        return float("nan"), float("nan")
    low, high = np.percentile(null, ENDS)
    return float(low), float(high)


def _corrected(joint: pd.DataFrame) -> pd.DataFrame:
    """Return the tests with Holm's p over the findings: a second version stands in the place of its finding's first.

    A test whose smallest possible p is above the level can reject nothing, so it costs the others nothing (Tarone, Biometrics
    46, 515, 1990): it is in no family, and its p stays as it is.
    """
    tested = (joint["comparison"] == ALL) & joint["p"].notna()
    idle = joint["p_least"] > SIGNIFICANT
    joint["p_corrected"] = joint["p"].where(tested & idle)
    whole = joint[tested & ~idle]
    for version in reversed(list(dict.fromkeys(whole["version"]))):
        family = [
            (of[of["version"] == version] if (of["version"] == version).any() else of).index[0]
            for _, of in whole.groupby("finding", sort=False)
        ]
        corrected = pd.Series(multipletests(whole.loc[family, "p"], method="holm")[1], family)
        own = [place for place in family if whole.loc[place, "version"] == version]
        joint.loc[own, "p_corrected"] = corrected[own]
    return joint


def _with_ends(table: pd.DataFrame, ends: Mapping[tuple, tuple[float, float]]) -> pd.DataFrame:
    """Return the table with the ends, before its last column."""
    keys = zip(table["finding"], table["combination"], table["comparison"], strict=True)
    found = [ends.get(key, (np.nan, np.nan)) for key in keys]
    columns = pd.DataFrame(found, index=table.index, columns=NULL)
    return pd.concat([table[table.columns[:-1]], columns, table[table.columns[-1:]]], axis=1)
