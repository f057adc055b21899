"""The figure of shares of variance: what stands on its axes is what the finding says."""

import class_tables
import numpy as np
import pandas as pd
import pytest

from retention.commands import draw_figure
from retention.common.csv_tables import write_csv
from retention.common.parts import load_part
from retention.reporting.look import look_of
from retention.reporting.style import NothingEstimable

NAMES = ["vit", "net"]
LOOK = look_of(NAMES, {"vit": "ViT"})


def drawn(table: pd.DataFrame):
    return load_part("retention.figures", "variance_shares", "draw_variance_shares").draw(
        table, LOOK
    )


def test_every_source_has_its_share_its_interval_and_its_share_of_the_scores():
    figure = drawn(class_tables.variances())
    _, axes = figure.get_axes()
    values = list(class_tables.SHARES.values())
    points = sorted(
        (line.get_ydata()[0], line.get_xdata()[0])
        for line in axes.get_lines()
        if line.get_marker() == "o"
    )
    assert [x for _, x in points] == pytest.approx(values)
    ends = [line.get_xdata() for line in axes.get_lines() if len(line.get_xdata()) == 2]
    ends = [end for end in ends if end[0] != end[1]]
    assert np.allclose(ends, [[x - 0.05, x + 0.08] for x in values])
    diamonds = [line.get_xdata()[0] for line in axes.get_lines() if line.get_marker() == "D"]
    assert diamonds == pytest.approx([x + 0.01 for x in values])
    assert axes.texts[0].get_text() == "20 % (15 to 28)"
    assert axes.texts[4].get_text() == "−2 % (−7 to 6)"
    assert [label.get_text() for label in axes.get_yticklabels()][:2] == [
        "the class",
        "the image within its class",
    ]
    assert "decay constant" in figure._suptitle.get_text()


def test_the_bar_has_all_shares_and_says_who_shares_how_much():
    figure = drawn(class_tables.variances())
    bar = figure.get_axes()[0]
    widths = sorted(patch.get_width() for patch in bar.patches)
    assert widths == pytest.approx(sorted(class_tables.SHARES.values()))
    left = sorted(patch.get_x() for patch in bar.patches if patch.get_width() > 0)
    positive = [share for share in class_tables.SHARES.values() if share > 0]
    assert left == pytest.approx([0, *np.cumsum(positive)[:-1]])
    assert [text.get_text() for text in bar.get_legend().get_texts()] == [
        "shared by all runs: 45 %",
        "by the runs of one architecture: 25 %",
        "one run's alone: 30 %",
    ]
    assert sorted(text.get_text() for text in bar.texts) == ["10 %", "15 %", "20 %", "25 %", "30 %"]


def test_one_architecture_has_no_share_of_architectures():
    figure = drawn(class_tables.variances(class_tables.OF_ONE))
    bar, axes = figure.get_axes()
    assert len(axes.get_yticks()) == 5
    assert len(bar.get_legend().get_texts()) == 2


def test_shares_without_intervals_say_why():
    figure = drawn(class_tables.variances(with_intervals=False))
    assert "too few samples were forgotten for intervals" in figure.get_supxlabel()
    assert figure.get_axes()[1].texts[0].get_text() == "20 %"


def test_a_table_without_shares_is_a_figure_that_says_what_they_need(tmp_path):
    table = class_tables.variances(())
    with pytest.raises(NothingEstimable, match="two seeds or more of every architecture"):
        drawn(table)
    write_csv(tmp_path / "t.csv", table)
    words = ["--finding", str(tmp_path / "t.csv"), "--output", str(tmp_path / "f.svg")]
    draw_figure.main(["variance_shares", *words])
    assert (tmp_path / "f.svg").stat().st_size > 1000
