"""What the explorer knows of suspects: their rank, how many runs agree, what they are taken for."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from retention.pages.sheet import KEYS

FIRST = 200  # samples of each ranking that are on a page however few it shows


def with_first(places: np.ndarray, suspected: pd.DataFrame, at_most: int) -> np.ndarray:
    """Return places, int [K], ascending, in which the first of both rankings take those of others; at most as many.

    places: int [K], ascending, of the samples that a page shows otherwise; of these the last ones give way.
    """
    first = suspected.loc[suspected["rank"] <= FIRST].sort_values("rank")["place"]
    first = first.to_numpy(dtype=int)[:at_most]
    others = np.setdiff1d(places, first)
    room = max(len(places) - len(first), 0)
    kept = others[np.linspace(0, len(others) - 1, room).round().astype(int)] if room else others[:0]
    return np.sort(np.concatenate([first, kept]))


def review_data(samples: pd.DataFrame, suspected: pd.DataFrame, data: Mapping) -> dict:
    """Return `review` of a page's data, and `classes` and `labels` with all that are suggested.

    samples: [N] rows of the page's sheet. rank: 0 where a sample has none; agree: k of n as text; suggested: place in
    `classes`, -1 for none; group as text.
    """
    keys = pd.MultiIndex.from_frame(samples[KEYS])
    ranked = suspected.set_index(KEYS).reindex(keys)
    labels, classes = list(data["labels"]), list(data["classes"])
    suggested = ranked["suggested_label"]
    for label, name in zip(suggested, ranked["suggested_class_name"], strict=True):
        if not np.isnan(label) and int(label) not in labels:
            labels.append(int(label))
            classes.append(name)
    is_ranked = ranked["rank"].notna()
    agree = [
        f"{int(row.runs_in_worst_share)} of {int(row.runs)}" if known else ""
        for row, known in zip(ranked.itertuples(), is_ranked, strict=True)
    ]
    return {
        "labels": labels,
        "classes": classes,
        "review": {
            "rank": ranked["rank"].fillna(0).astype(int).tolist(),
            "agree": agree,
            "suggested": [
                -1 if np.isnan(label) else labels.index(int(label)) for label in suggested
            ],
            "group": samples["group"].tolist(),
        },
    }
