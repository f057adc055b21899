"""The figure of confusions at forgetting events: what stands on its axes is what the series says."""

from itertools import pairwise

import class_tables
import numpy as np
import pandas as pd
import pytest
from class_tables import require_laid_out
from figure_names import CLASSES, FIVE, LONG, LOOK, MANY, NAMES
from finding_rows import rows_of

from retention.commands import draw_figure
from retention.common.csv_tables import write_csv
from retention.common.parts import load_part
from retention.reporting.look import look_of
from retention.reporting.style import NothingEstimable, save


def drawn(name: str, *tables: object, look=LOOK):
    return load_part("retention.figures", name, f"draw_{name}").draw(*tables, look)


def confused(table: pd.DataFrame, look=LOOK, within: float = np.nan):
    """Return the figure of confusions; within: the share that stays within a family."""
    rows = [
        {"statistic": "family_share_forgetting", "comparison": name, "architecture": name}
        | {"estimate": within, "chance": 0.12}
        for name in table["architecture"].unique()
    ]
    finding = rows_of("class_forgetting", *(rows if np.isfinite(within) else rows[:0]))
    return drawn("confusions_at_forgetting", table, finding, look=look)


def matrix_of(table: pd.DataFrame, name: str) -> np.ndarray:
    """Return the shares of an architecture, row by row."""
    rows = table[(table["architecture"] == name) & (table["statistic"] == "share")]
    number = int(table["place"].max()) + 1
    matrix = np.zeros((number, number))
    for row in rows.itertuples():
        matrix[row.place, int(row.taken_for)] = row.estimate
    return matrix


def panels_of(figure) -> list:
    return [axes for axes in figure.get_axes() if axes.get_xlabel() == "taken for"]


def test_the_matrix_has_the_share_of_every_pair_and_the_events_of_every_class():
    table = class_tables.confusions(FIVE, NAMES)
    table = table[
        (table["architecture"] != "net") | (table["place"] != 3) | (table["statistic"] == "events")
    ]
    lost = (table["architecture"] == "net") & (table["place"] == 3)
    table.loc[lost, ["count", "estimate"]] = 0
    panels = panels_of(confused(table))
    for axes, name in zip(panels, NAMES, strict=True):
        wanted = matrix_of(table, name)
        (mesh,) = [found for found in axes.collections if hasattr(found, "get_coordinates")]
        drawn_shares = mesh.get_array()
        hidden = np.eye(5, dtype=bool) | ~wanted.any(axis=1)[:, None]
        assert (np.ma.getmaskarray(np.ma.masked_invalid(drawn_shares)) == hidden).all()
        assert np.allclose(np.asarray(drawn_shares)[~hidden], wanted[~hidden])
        rows = table[(table["architecture"] == name) & (table["statistic"] == "events")]
        beside = [text for text in axes.texts if text.get_position()[0] == 1.03]
        assert [text.get_text() for text in beside] == [f"{n}" for n in rows["count"]]
        written = {
            (round(text.get_position()[1]), round(text.get_position()[0])): text.get_text()
            for text in axes.texts
            if text not in beside
        }
        assert set(written) == set(zip(*np.nonzero(wanted), strict=True))
        assert axes.get_ylim() == (4.5, -0.5)
    assert [label.get_text() for label in panels[0].get_yticklabels()] == FIVE
    assert [label.get_text() for label in panels[1].get_xticklabels()] == FIVE
    assert panels[0].get_title(loc="left").startswith("ViT\n")


@pytest.mark.parametrize(("number", "names"), [(20, NAMES), (40, ["net"])])
def test_every_class_is_named_where_there_is_room(number, names):
    classes = [f"a bird of the kind {k}" for k in range(number)]
    figure = confused(class_tables.confusions(classes, names))
    figure.draw_without_rendering()
    for axes in panels_of(figure):
        labels = axes.get_xticklabels()
        boxes = [label.get_window_extent() for label in labels]
        assert len(labels) == number
        assert all(b.x0 - a.x0 >= 0.08 * figure.dpi for a, b in pairwise(boxes))


def test_families_are_framed_and_of_many_classes_they_are_named():
    classes = [f"bird {k:03d}" for k in range(100)]
    families = [f"family {k // 10}" for k in range(100)]
    figure = confused(class_tables.confusions(classes, NAMES, families), within=0.615)
    axes, _ = panels_of(figure)
    frames = [(*patch.get_xy(), patch.get_width()) for patch in axes.patches]
    assert frames == [(10 * k - 0.5, 10 * k - 0.5, 10) for k in range(10)]
    assert {label.get_text() for label in axes.get_yticklabels()} <= set(families)
    assert len(axes.get_yticks()) == 10
    assert axes.get_title(loc="left").split("\n")[2] == "62 % within a family (chance 12 %)"
    assert "framed: families" in figure.get_supxlabel()


@pytest.mark.parametrize("number", [100, pytest.param(200, marks=pytest.mark.slow)])
def test_of_many_classes_the_pairs_of_most_events_are_named(number):
    classes = [f"bird {k:03d}" for k in range(number)]
    table = class_tables.confusions(classes, NAMES)
    figure = confused(table)
    (pairs,) = [
        axes for axes in figure.get_axes() if axes.get_title(loc="left").startswith("Most frequent")
    ]
    shares = table[table["statistic"] == "share"].copy()
    totals = shares.groupby("architecture")["count"].sum()
    shares["of_all"] = shares["count"] / shares["architecture"].map(totals)
    by_pair = shares.groupby(["place", "taken_for"])["of_all"].sum().sort_values(ascending=False)
    labels = [label.get_text() for label in pairs.get_yticklabels()]
    assert len(labels) == 15
    top = {
        f"{classes[a]} → {classes[int(b)]}" for a, b in by_pair.index[by_pair > by_pair.iloc[15]]
    }
    assert top and top <= set(labels)
    for name, line in zip(NAMES, pairs.get_lines(), strict=True):
        of_name = shares[shares["architecture"] == name]
        wanted = {
            f"{classes[row.place]} → {classes[int(row.taken_for)]}": row.of_all
            for row in of_name.itertuples()
        }
        assert list(line.get_xdata()) == pytest.approx([wanted.get(label, 0.0) for label in labels])
    assert len(panels_of(figure)[0].get_xticks()) < number


def test_nothing_forgotten_is_a_figure_that_says_so(tmp_path):
    table = class_tables.confusions(FIVE, NAMES)
    table = table[table["statistic"] == "events"].assign(count=0, estimate=0.0)
    with pytest.raises(NothingEstimable, match="No training sample was forgotten"):
        confused(table)
    write_csv(tmp_path / "t.csv", table)
    write_csv(tmp_path / "f.csv", class_tables.hazards(FIVE, NAMES))
    words = ["--confusions", str(tmp_path / "t.csv"), "--finding", str(tmp_path / "f.csv")]
    words += ["--output", str(tmp_path / "f.svg")]
    draw_figure.main(["confusions_at_forgetting", *words])
    assert (tmp_path / "f.svg").stat().st_size > 1000


@pytest.mark.parametrize("architectures", [NAMES, ["net"], MANY])
def test_nothing_is_cut_or_lies_on_another_whatever_the_names(architectures, tmp_path):
    look = look_of(architectures, LONG)
    figure = confused(class_tables.confusions(CLASSES, architectures), look=look)
    save(figure, [tmp_path / "f.svg"])
    require_laid_out(figure)
    assert "<img" not in (tmp_path / "f.svg").read_text(encoding="utf-8").replace("&lt;img", "")
