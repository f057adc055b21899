"""The explorer's plot: marks, axes and tools without data, which the page's script gives them."""

from typing import Any

from bokeh.embed import json_item
from bokeh.models import (
    BoxSelectTool,
    ColumnDataSource,
    HoverTool,
    LassoSelectTool,
    Range1d,
    TapTool,
)
from bokeh.plotting import figure

COLUMNS = ("x", "y", "row", "colour", "marker", "size")
TOOLS = "box_select,lasso_select,tap,hover,pan,box_zoom,wheel_zoom,zoom_in,zoom_out,reset,save"
HEIGHT = 520  # pixels
HERE = "#555555"  # the ring about one sample, until the page gives it the colour of its text


def scatter() -> dict[str, Any]:
    """Return an empty scatter plot as Bokeh's JSON; `plot`, `source`, `here` and `ring` are found by name.

    `source` has a row per mark, `here` the place of the sample whose details are shown, `ring` its mark.
    """
    source = ColumnDataSource({name: [] for name in COLUMNS}, name="source")
    here = ColumnDataSource({"x": [], "y": []}, name="here")
    plot = figure(
        name="plot",
        height=HEIGHT,
        sizing_mode="stretch_width",
        x_range=Range1d(start=0, end=1),
        y_range=Range1d(start=0, end=1),
        tools=TOOLS,
        active_drag="box_select",
        active_scroll=None,  # the wheel scrolls the page
        toolbar_location="above",
        border_fill_color=None,  # of the page, light or dark
        background_fill_color=None,
    )
    plot.toolbar.logo = None
    plot.axis.axis_label_text_font_style = "normal"
    plot.axis.minor_tick_line_color = None
    marks = plot.scatter(
        "x",
        "y",
        source=source,
        marker="marker",
        size="size",
        fill_color="colour",
        line_color="colour",
        fill_alpha=0.55,
        line_alpha=0.9,
        nonselection_fill_alpha=0.08,
        nonselection_line_alpha=0.15,
    )
    ring: dict[str, Any] = {"fill_alpha": 0, "line_width": 2.5, "line_color": HERE}
    plot.scatter("x", "y", source=here, size=18, name="ring", **ring)
    for tool in plot.tools:  # the ring is nothing to select
        if isinstance(tool, BoxSelectTool | LassoSelectTool | TapTool | HoverTool):
            tool.renderers = [marks]
        if isinstance(tool, HoverTool):
            tool.tooltips = None
    return dict(json_item(plot))
