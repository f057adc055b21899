"""Ticks at round numbers, as many as have room."""

from collections.abc import Iterable
from itertools import pairwise

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator
from matplotlib.transforms import Bbox

MOST = 6  # intervals between the ticks of an axis whose numbers touched
APART = 0.4  # of a label's height: nearer to each other numbers read as one


def round_ticks(axis: Axis, most: int = 5, whole: bool = False, percent: bool = False) -> None:
    """Give an axis a few ticks at round numbers; whole: no fractions; percent: shares are written so."""
    steps = [1, 2, 3, 4, 5, 6, 10] if whole else [1, 2, 2.5, 5, 10]
    axis.set_major_locator(MaxNLocator(most, steps=steps, integer=whole))
    if percent:
        axis.set_major_formatter(
            FuncFormatter(lambda share, _: f"{100 * share:.10g} %".replace("-", "−"))
        )


def thin_ticks(figure: Figure) -> None:
    """Take ticks away from the axes along the page whose numbers would touch each other: in the end all but the outer two."""
    axes: list[Axis] = [axes.xaxis for axes in figure.axes]
    numeric = [axis for axis in axes if isinstance(axis.get_major_locator(), MaxNLocator)]
    for intervals in range(MOST, 1, -1):
        crowded = _crowded(figure, numeric)
        if not crowded:
            return
        for axis in crowded:
            locator = axis.get_major_locator()
            assert isinstance(locator, MaxNLocator)
            locator.set_params(nbins=intervals)
    for keep_first in (True, False):
        for axis in _crowded(figure, numeric):
            places = [float(label.get_position()[0]) for label in _labels(axis)]
            axis.set_major_locator(FixedLocator(places[:keep_first] + places[-1:]))


def _crowded(figure: Figure, axes: Iterable[Axis]) -> list[Axis]:
    """Return the axes whose numbers touch, once the figure is laid out."""
    if layout := figure.get_layout_engine():
        layout.execute(figure)
    return [
        axis for axis in axes if any(_touch(left, right) for left, right in pairwise(_boxes(axis)))
    ]


def _touch(left: Bbox, right: Bbox) -> bool:
    return bool(right.x0 - left.x1 < APART * left.height)


def _boxes(axis: Axis) -> list[Bbox]:
    return [label.get_window_extent() for label in _labels(axis)]


def _labels(axis: Axis) -> list[Text]:
    """Return the numbers of an axis that are shown, from the left."""
    low, high = sorted(axis.get_view_interval())
    shown = [
        label
        for label in axis.get_ticklabels()
        if label.get_visible() and label.get_text() and low <= label.get_position()[0] <= high
    ]
    return sorted(shown, key=lambda label: float(label.get_window_extent().x0))
