"""What a ranking finds of labels that were planted wrong: how many of them are among the first so many that are reviewed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from retention.common.errors import UserError
from retention.common.lists import listed, plural
from retention.reporting.recovered import AS_PLANTED, OF_DRAWS, OF_SAMPLES, TOO_FEW
from retention.statistics.clustered_shares import FEWEST_DRAWS, interval_of_draws

DEPTHS = (0.01, 0.02, 0.05, 0.1, 0.2)  # shares of the training samples that are reviewed
# By what samples are reviewed, and whether the highest or the lowest comes first.
RANKINGS = {
    "rank": -1,
    "error_norm": 1,
    "confidence": -1,
    "aum": -1,
    "runs_in_worst_share": 1,
    "label_not_predicted": 1,
    "never_learned_share": 1,
    "correct_epochs": -1,
}
ENOUGH = 50  # distinct groups of planted labels, below which there is no interval
NEEDED = ("sample_index", "planted_label", "kind", "draw")
RANKED = ("rank", "sample_index", "sample_id", "group", "label", "runs")


@dataclass(frozen=True)
class Draw:
    """One copy of a data set: planted, its rows of planted.csv; suspects, the ranking of its N training samples."""

    planted: pd.DataFrame
    suspects: pd.DataFrame

    @property
    def kind(self) -> str:
        """Return which wrong labels were planted."""
        return str(self.planted["kind"].iloc[0])

    @property
    def is_planted(self) -> np.ndarray:
        """Return which of the ranked samples have a planted label, bool [N]."""
        return self.suspects["sample_index"].isin(self.planted["sample_index"]).to_numpy()

    @property
    def groups(self) -> np.ndarray:
        """Return the groups of the planted samples in the order of the ranking, str [P]; without one its own id."""
        rows = self.suspects[self.is_planted]
        group = rows["group"].fillna("").astype(str)
        return group.where(group != "", rows["sample_id"].astype(str)).to_numpy(dtype=str)


def recovery(dataset: str, draws: Sequence[Draw]) -> pd.DataFrame:
    """Return planted_recovery.csv: one row per kind, ranking and depth.

    draws: of one data set, of all kinds. Columns: docs/suspects.md. Raises `UserError` where a ranking is not of the samples
    that labels were planted in.
    """
    for draw in draws:
        _require_ranked(dataset, draw)
    rows: list[dict[str, object]] = []
    for kind in dict.fromkeys(draw.kind for draw in draws):
        ours = [draw for draw in draws if draw.kind == kind]
        for name, sign in RANKINGS.items():
            if all(_is_known(draw.suspects, name) for draw in ours):
                known = {"dataset": dataset, "kind": kind, "ranking": name}
                rows += [known | row for row in _at_each_depth(ours, name, sign)]
    return pd.DataFrame(rows)


def reviewed_first(values: np.ndarray, reviewed: int) -> np.ndarray:
    """Return the chance of each sample to be among the first `reviewed`, float [N].

    values: float [N], highest first, NaN last. Samples of equal value share the places that are left for them.
    """
    values = np.where(np.isnan(values), -np.inf, values)
    ordered = np.sort(values)
    before = len(values) - np.searchsorted(ordered, values, side="right")
    equal = len(values) - np.searchsorted(ordered, values, side="left") - before
    return np.clip((reviewed - before) / equal, 0.0, 1.0)


def _at_each_depth(draws: Sequence[Draw], name: str, sign: int) -> Iterator[dict[str, object]]:
    """Yield a row per depth: what reviewing so many samples of every draw finds."""
    groups = [draw.groups for draw in draws]
    distinct = len(np.unique(np.concatenate(groups)))
    about = {
        "draws": len(draws),
        "runs": int(max(draw.suspects["runs"].max() for draw in draws)),
        "planted": sum(len(draw.planted) for draw in draws),
        "planted_groups": distinct,
    }
    for depth in (*DEPTHS, None):
        found, reviewed = [], []
        for draw in draws:
            count = len(draw.suspects)
            reviewed.append(len(draw.planted) if depth is None else max(1, round(depth * count)))
            values = sign * draw.suspects[name].to_numpy(dtype=float)
            found.append(reviewed_first(values, reviewed[-1])[draw.is_planted])
        yield {
            "depth": AS_PLANTED if depth is None else f"{100 * depth:.0f} %",
            "reviewed": float(np.mean(reviewed)),
            "reviewed_share": sum(reviewed) / sum(len(draw.suspects) for draw in draws),
            **about,
            **_recall(found, groups, distinct),
            **_precision(found, reviewed),
        }


def _recall(
    found: Sequence[np.ndarray], groups: Sequence[np.ndarray], distinct: int
) -> dict[str, object]:
    enough = distinct >= ENOUGH
    low, high = interval_of_draws(found, groups) if enough else (np.nan, np.nan)
    counted = OF_DRAWS if len(found) >= FEWEST_DRAWS else OF_SAMPLES
    return {
        "recall": float(np.concatenate(found).mean()),
        "low": low,
        "high": high,
        "interval": counted if enough else TOO_FEW,
    }


def _precision(found: Sequence[np.ndarray], reviewed: Sequence[int]) -> dict[str, float]:
    """Return the share of the reviewed samples that is wrong: were all others right, and were all of them wrong."""
    return {
        "precision_low": float(np.concatenate(found).sum() / sum(reviewed)),
        "precision_high": 1.0,
    }


def _is_known(suspects: pd.DataFrame, name: str) -> bool:
    return name in suspects and bool(suspects[name].notna().any())


def _require_ranked(dataset: str, draw: Draw) -> None:
    """Raise `UserError` where planted samples are not ranked, or were ranked with other labels."""
    ranked = draw.suspects.set_index("sample_index")["label"]
    planted = draw.planted.set_index("sample_index")["planted_label"]
    lacking = planted.index.difference(ranked.index)
    other = planted.index[ranked.reindex(planted.index) != planted].difference(lacking)
    place = f"{dataset}, {draw.kind}, draw {draw.planted['draw'].iloc[0]}"
    if len(lacking):
        raise UserError(
            f"{place}: {plural(len(lacking), 'planted sample')} (sample_index {listed(lacking)}) are not among those "
            "ranked; give --suspects in the order of --planted"
        )
    if len(other):
        raise UserError(
            f"{place}: {plural(len(other), 'planted sample')} (sample_index {listed(other)}) were ranked with another label "
            "than the planted one; train and rank with the index that plant_labels wrote"
        )
