"""Numbers at axes never touch, whatever their range and however narrow the panel."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.ticker import FixedLocator

from retention.reporting.look import PALETTE, SEVERAL, Look
from retention.reporting.style import (
    draw_intervals,
    grid_figure,
    new_figure,
    row_labels,
    rows_height,
    save,
    tallest,
)
from retention.reporting.ticks import round_ticks, thin_ticks


def numbers_of(axes) -> list:
    """Return where the numbers below axes stand, from the left."""
    axes.figure.draw_without_rendering()
    low, high = axes.get_xlim()
    labels = [
        t for t in axes.get_xticklabels() if t.get_text() and low <= t.get_position()[0] <= high
    ]
    return sorted((label.get_window_extent() for label in labels), key=lambda box: box.x0)


@pytest.mark.parametrize("panels", [1, 4])
@pytest.mark.parametrize(
    ("low", "high"), [(-0.075, -0.02), (0.9999, 1.0), (-123456.7, 98765.4), (0, 1)]
)
def test_numbers_of_narrow_panels_stand_apart(panels, low, high):
    figure, axes = new_figure(1.5, panels)
    for panel in axes:
        draw_intervals(panel, row(low, high), ["a label"], [SEVERAL])
    thin_ticks(figure)
    for panel in axes:
        boxes = numbers_of(panel)
        assert len(boxes) >= 1
        assert all(one.x1 < other.x0 for one, other in pairwise(boxes))


def row(low, high) -> pd.DataFrame:
    return pd.DataFrame(
        [{"architecture": "net", "low": low, "high": high, "estimate": (low + high) / 2}] * 1
    ).assign(chance=np.nan, ceiling=np.nan)


def test_numbers_that_have_room_stay_and_are_saved_as_they_are(tmp_path):
    figure, (axes,) = new_figure(1.5)
    draw_intervals(axes, row(0, 1), ["a"], [SEVERAL])
    before = len(numbers_of(axes))
    save(figure, [tmp_path / "f.svg"])
    assert len(numbers_of(axes)) == before >= 5


def test_labels_that_are_no_numbers_are_left_alone():
    figure, (axes,) = new_figure(1.5)
    axes.set_xticks(range(30), ["a long label"] * 30)
    thin_ticks(figure)
    assert isinstance(axes.xaxis.get_major_locator(), FixedLocator)
    assert len(axes.get_xticks()) == 30


def test_saving_thins_the_numbers(tmp_path):
    figure, axes = new_figure(1.5, 5)
    for panel in axes:
        draw_intervals(panel, row(-0.0755, -0.0201), ["a"], [SEVERAL])
    assert any(one.x1 >= other.x0 for panel in axes for one, other in pairwise(numbers_of(panel)))
    save(figure, [tmp_path / "f.png"])
    shown = [[x for x in panel.get_xticks() if -0.0799 <= x <= -0.0157] for panel in axes]
    assert all(1 <= len(places) <= 2 for places in shown)


def test_shares_are_written_as_percentages_and_epochs_whole():
    figure, (axes,) = new_figure(2)
    axes.plot([0, 13], [0.125, 0.5])
    round_ticks(axes.xaxis, 6, whole=True)
    round_ticks(axes.yaxis, percent=True)
    figure.draw_without_rendering()
    shown = {text.get_text() for text in axes.get_yticklabels()}
    assert "20 %" in shown and all(text.endswith(" %") for text in shown)
    assert all(float(tick).is_integer() for tick in axes.get_xticks())


def test_estimates_intervals_chance_and_ceiling_stand_where_the_table_says():
    rows = pd.DataFrame(
        {
            "architecture": ["net", "", "vit"],
            "comparison": ["net", "vit vs net", "vit"],
            "estimate": [0.1, 0.2, 0.3],
            "low": [0.0, np.nan, 0.25],
            "high": [0.2, np.nan, 0.35],
            "chance": [0.05, 0.06, np.nan],
            "ceiling": [np.nan, 0.4, np.nan],
        }
    )
    _, (axes,) = new_figure(2)
    look = Look(("vit", "net"))
    draw_intervals(axes, rows, list("abc"), look.colours_of(rows))
    found = {
        marker: [
            (*line.get_xdata(), *line.get_ydata())
            for line in axes.get_lines()
            if line.get_marker() == marker
        ]
        for marker in ("o", "|", ">", "None")
    }
    assert found["o"] == [(0.1, 0), (0.2, 1), (0.3, 2)]
    assert found["|"] == [(0.05, 0), (0.06, 1)]
    assert found[">"] == [(0.4, 1)]
    assert found["None"] == [(0.0, 0.2, 0, 0), (0.25, 0.35, 2, 2)]
    tints = [line.get_color() for line in axes.get_lines() if line.get_marker() == "o"]
    assert tints == [
        PALETTE[1],
        PALETTE[2],
        PALETTE[0],
    ]  # the pair has the first colour that is left


def test_long_labels_of_lines_have_room_and_do_not_lie_on_each_other():
    names = ["a network of a long name " * 6 + f"\nn = {n}" for n in range(4)]
    assert tallest(row_labels(names)) >= 4
    figure, ((above, _), (axes,)) = grid_figure(
        [2, 0.8 + rows_height(names, 0.3)], 2, whole_last=True
    )
    above.plot([0, 1], [0, 1])
    table = pd.concat([row(0, 1)] * 4, ignore_index=True)
    draw_intervals(axes, table, names, [SEVERAL] * 4)
    figure.draw_without_rendering()
    boxes = sorted((t.get_window_extent() for t in axes.get_yticklabels()), key=lambda b: -b.y0)
    assert all(one.y0 >= other.y1 - 1 for one, other in pairwise(boxes))
    assert all(box.x0 >= 0 for box in boxes) and axes.get_position().width > 0.3
