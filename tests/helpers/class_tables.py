"""Tables of made-up classes: what the figures of classes and of shares of variance are drawn from."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from finding_rows import rows_of

SHARES = {
    "class": 0.2,
    "sample": 0.25,
    "class_x_architecture": 0.1,
    "sample_x_architecture": 0.15,
    "seed": -0.02,
    "class_x_seed": 0.02,
    "residual": 0.3,
}
OF_ONE = ("class", "sample", "seed", "class_x_seed", "residual")


def variances(sources: Sequence[str] = tuple(SHARES), with_intervals: bool = True) -> pd.DataFrame:
    """Return F3's shares of the variance: of ranks `SHARES`, of the scores 0.01 more."""
    rows: list[dict] = []
    for prefix, more in (("variance_", 0.01), ("variance_of_ranks_", 0.0)):
        for source in sources:
            row = {
                "statistic": f"{prefix}{source}",
                "comparison": "all runs",
                "n": 1456,
                "seeds": 3,
            }
            row |= {"estimate": SHARES[source] + more, "chance": 0.0}
            row |= {"definition": "share of the variance of decay_constant"}
            if with_intervals and not more:
                row |= {"low": SHARES[source] - 0.05, "high": SHARES[source] + 0.08}
                row |= {"target": "new runs"}
            rows.append(row)
    rows.append(
        {"statistic": "spearman", "estimate": 0.5, "comparison": "net", "architecture": "net"}
    )
    return rows_of("seed_stability", *rows)


def hazards(classes: Sequence[str], names: Sequence[str], seed: int = 0) -> pd.DataFrame:
    """Return F4's hazards of classes, each with an interval, in architectures by name."""
    draws = np.random.default_rng(seed)
    rows = []
    for architecture in names:
        for name in classes:
            estimate = draws.uniform(0.05, 0.4)
            row = {"statistic": "class_hazard", "comparison": f"{architecture}: {name}"}
            row |= {"architecture": architecture, "estimate": estimate, "target": "new runs"}
            row |= {"low": estimate / 2, "high": estimate * 1.5, "n": 10, "chance": 0.2}
            rows.append(row)
    return rows_of("class_forgetting", *rows)


def most_forgotten(classes: Sequence[str], each: int = 8) -> pd.DataFrame:
    """Return the series of that name: of class k the samples 100 k, 100 k + 1, …"""
    rows = [
        {
            "class_name": name,
            "label": label,
            "place": place + 1,
            "sample_index": 100 * label + place,
        }
        for label, name in enumerate(classes)
        for place in range(each)
    ]
    return pd.DataFrame(rows).assign(samples=20, forgotten=each, events=3.0, estimate=0.3)


def confusions(
    classes: Sequence[str],
    names: Sequence[str],
    families: Sequence[str] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the series confusions_at_forgetting of counts by lot; most confusions are with the next two classes."""
    draws, number = np.random.default_rng(seed), len(classes)
    pieces = []
    for architecture in names:
        matrix = draws.poisson(0.2, (number, number))
        for step in (1, 2):
            near = np.arange(number), (np.arange(number) + step) % number
            matrix[near] += draws.poisson(6 / step, number)
        np.fill_diagonal(matrix, 0)
        events = matrix.sum(axis=1)
        of_classes = {"statistic": "events", "place": np.arange(number), "taken_for": np.nan}
        of_classes |= {"count": events, "estimate": events / 3}
        place, taken_for = np.nonzero(matrix)
        of_pairs = {"statistic": "share", "place": place, "taken_for": taken_for.astype(float)}
        of_pairs |= {"count": matrix[place, taken_for]}
        of_pairs |= {"estimate": matrix[place, taken_for] / events[place]}
        table = pd.concat([pd.DataFrame(of_classes), pd.DataFrame(of_pairs)])
        pieces.append(table.assign(architecture=architecture, seeds=3))
    table = pd.concat(pieces, ignore_index=True)
    table["class_name"] = np.array(classes, dtype=object)[table["place"]]
    table["group"] = None if families is None else np.array(families, dtype=object)[table["place"]]
    return table


def require_laid_out(figure) -> None:
    """Fail where names are cut, titles lie on each other or a panel has no room left."""
    figure.draw_without_rendering()
    titles = [axes._left_title for axes in figure.get_axes()]
    texts = [text for text in [*titles, figure._suptitle] if text.get_text()]
    titled = [text.get_window_extent() for text in texts]
    labels = [label for axes in figure.get_axes() for label in axes.get_yticklabels()]
    boxes = titled + [label.get_window_extent() for label in labels if label.get_text()]
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 + 1 for box in boxes)
    assert not any(a.overlaps(b) for k, a in enumerate(titled) for b in titled[k + 1 :])
    panels = [axes for axes in figure.get_axes() if axes.get_xlabel()]
    assert panels and all(min(axes.get_window_extent().size) > 0.8 * figure.dpi for axes in panels)
