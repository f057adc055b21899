"""Figures of no finding: what stands on their axes is what the series say, computed here by hand."""

from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import pytest
import run_tables
from matplotlib.colors import to_hex

from retention.commands import draw_figure
from retention.common.csv_tables import write_csv
from retention.common.parts import load_part
from retention.measuring.series import Series
from retention.reporting.facets import COLUMN, TEXT
from retention.reporting.look import PALETTE, Look, look_of
from retention.reporting.style import NothingEstimable, save, width_of

NAMES = ["vit", "net"]
LOOK = look_of(NAMES, {"vit": "ViT"})
TABLES = {
    "learning_curves": run_tables.learning_curves,
    "retention_curves": run_tables.retention_curves,
    "overlap_against_fraction": run_tables.overlaps,
    "trace_raster": run_tables.raster,
}
READS = {
    "learning_curves": "curves",
    "retention_curves": "curves",
    "overlap_against_fraction": "overlaps",
    "trace_raster": "raster",
}
HOSTILE = {
    "net": "<img src=x onerror=alert(1)> $\\alpha$ {x} %d _a_ " + "y" * 150,
    "vit": "a network of a long name " * 8,
}


def drawn(name: str, table: pd.DataFrame, look: Look = LOOK):
    return load_part("retention.figures", name, f"draw_{name}").draw(table, look)


def lines_of(axes) -> list[tuple[np.ndarray, np.ndarray, float, str]]:
    """Return x, y, width and colour of every line that has points."""
    found = [
        (*map(np.asarray, line.get_data()), line.get_linewidth(), to_hex(line.get_color()))
        for line in axes.get_lines()
    ]
    return [line for line in found if len(line[0]) > 2]


def test_learning_curves_have_every_seed_thin_and_their_mean_thick():
    table = run_tables.learning_curves(NAMES)
    figure = drawn("learning_curves", table)
    assert [axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")] == [
        "ViT\n3 seeds",
        "net\n3 seeds",
    ]
    by_label = {axes.get_ylabel(): axes for axes in figure.axes if axes.get_ylabel()}
    assert set(by_label) == {"accuracy", "loss"}
    for measure, axes in by_label.items():
        vit = table[table["architecture"] == "vit"]
        wanted = [
            vit[(vit["split"] == split) & (vit["seed"] == seed)][measure].to_numpy()
            for split in ("test", "train")
            for seed in range(3)
        ]
        lines = lines_of(axes)
        assert {colour for *_, colour in lines} == {PALETTE[0].lower()}
        thin = [y for _, y, width, _ in lines if width < 1]
        assert np.allclose(thin, wanted)
        thick = [y for _, y, width, _ in lines if width > 1]
        assert np.allclose(thick, [np.mean(wanted[:3], axis=0), np.mean(wanted[3:], axis=0)])
        assert all((x == np.arange(9)).all() for x, *_ in lines)


def test_panels_of_a_measure_can_be_compared_and_show_all_of_it():
    table = run_tables.learning_curves(NAMES)
    figure = drawn("learning_curves", table)
    for measure, panels in zip(("accuracy", "loss"), np.reshape(figure.axes, (2, 2)), strict=True):
        (low, high), other = panels[0].get_ylim(), panels[1].get_ylim()
        assert (low, high) == other
        assert low <= table[measure].min() and table[measure].max() <= high


def test_without_losses_and_held_out_samples_there_is_one_panel_of_one_line():
    table = run_tables.learning_curves(["net"], 1, ("train",), loss=False)
    figure = drawn("learning_curves", table)
    (axes,) = figure.axes
    assert axes.get_ylabel() == "accuracy" and len(lines_of(axes)) == 2
    assert figure.get_supxlabel() == "" and figure.get_figwidth() == COLUMN


def test_retention_has_means_bands_and_the_mean_of_every_fit():
    table = run_tables.retention_curves(NAMES)
    figure = drawn("retention_curves", table)
    aligned = figure.axes[0]
    rows = table[(table["definition"] == "aligned") & (table["architecture"] == "vit")]
    means = rows.groupby(["statistic", "time"])["estimate"].agg(["mean", "min", "max"])
    dots, *fits = lines_of(aligned)
    assert np.allclose(dots[1], means.loc["observed", "mean"])
    assert [line.get_label() for line in aligned.get_lines()][1:] == ["exponential", "power"]
    for (_, y, _, colour), name in zip(fits, ("exponential", "power"), strict=True):
        assert np.allclose(y, means.loc[name, "mean"]) and colour == "#000000"
    corners = aligned.collections[0].get_paths()[0].vertices
    for time, found in means.loc["observed"].iterrows():
        at = corners[np.isclose(corners[:, 0], time), 1]
        assert {at.min(), at.max()} == {found["min"], found["max"]}
    assert "share right again" in {axes.get_ylabel() for axes in figure.axes}
    assert figure.axes[-1].get_xlabel() == "epochs after one that was right"


def test_an_architecture_without_fits_of_a_trace_says_so():
    table = run_tables.retention_curves(NAMES)
    table = table[(table["definition"] != "lag") | (table["architecture"] == "vit")]
    figure = drawn("retention_curves", table)
    assert [text.get_text() for text in figure.axes[-1].texts] == ["no fit"]


def test_overlaps_have_every_pair_their_mean_and_chance():
    table = run_tables.overlaps(NAMES)
    figure = drawn("overlap_against_fraction", table)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "ViT\nbetween seeds, 3 pairs",
        "net\nbetween seeds, 3 pairs",
        "ViT – net\nbetween architectures, 9 pairs",
    ]
    colours = [colour.lower() for colour in PALETTE[:3]]  # of a pair the first that is left
    kinds = ("vit vs vit", "net vs net", "vit vs net")
    for axes, kind, colour in zip(figure.axes, kinds, colours, strict=True):
        rows = table[table["comparison"] == kind]
        pairs = [pair["estimate"].to_numpy() for _, pair in rows.groupby(["seed", "other_seed"])]
        lines = [line for line in lines_of(axes) if line[3] == colour]
        assert np.allclose([y for _, y, width, _ in lines if width < 1], pairs)
        told, by_lot = (y for _, y, width, _ in lines if width > 1)
        mean = np.mean(pairs, axis=0)
        assert np.isnan(told[0]) and np.allclose(told[1:], mean[1:])
        assert np.allclose(by_lot[:2], mean[:2]) and np.isnan(by_lot[2:]).all()
        (chance,) = [y for _, y, _, tint in lines_of(axes) if tint == "#777777"]
        assert np.allclose(chance, rows.groupby("fraction")["chance"].mean())
        upright = [line.get_xdata() for line in axes.get_lines() if len(line.get_xdata()) == 2]
        assert [list(x) for x in upright] == [[0.1, 0.1]]


def test_many_architectures_share_two_panels():
    names = list("abcd")
    table = run_tables.overlaps(names, 2)
    figure = drawn("overlap_against_fraction", table, look_of(names, {"a": "A network"}))
    within, between = figure.axes
    means = table.groupby(["comparison", "fraction"])["estimate"].mean()
    solid = {line.get_label(): line for line in within.get_lines() if line.get_linestyle() == "-"}
    for name, title in zip(names, ("A network", "b", "c", "d"), strict=True):
        line = solid[title]
        assert to_hex(line.get_color()) == PALETTE[names.index(name)].lower()
        assert np.allclose(line.get_ydata()[1:], means[f"{name} vs {name}"].to_numpy()[1:])
    assert [text.get_text() for text in within.get_legend().get_texts()] == [
        "A network",
        "b",
        "c",
        "d",
    ]
    # six pairs would share the four colours that are left, so no legend could tell them apart
    assert {line[3] for line in lines_of(between)} == {"#777777"}
    assert between.get_legend() is None
    thick = [line for line in between.get_lines() if len(line.get_xdata()) > 2]
    pairs = [f"{one} vs {other}" for one, other in combinations(names, 2)]
    for pair in pairs:
        assert any(np.allclose(line.get_ydata()[1:], means[pair].to_numpy()[1:]) for line in thick)


def test_the_raster_draws_every_line_where_and_as_high_as_its_samples():
    table = run_tables.raster(NAMES, each=3)
    figure = drawn("trace_raster", table)
    for axes, name in zip(figure.axes, NAMES, strict=False):
        rows = table[table["architecture"] == name]
        (mesh,) = [found for found in axes.collections if hasattr(found, "get_coordinates")]
        wanted = rows.pivot(index="row", columns="epoch", values="estimate").to_numpy()
        assert np.array_equal(mesh.get_array(), wanted)
        assert list(mesh.get_coordinates()[:, 0, 1]) == list(range(0, 3 * 164 + 1, 3))
        assert list(mesh.get_coordinates()[0, :, 0]) == list(np.arange(10) - 0.5)
        assert [line.get_ydata()[0] for line in axes.get_lines()] == [12, 192]
        assert [text.get_text() for text in axes.texts] == [
            "never learned\n12",
            "forgotten\n180",
            "forgotten by no seed\n300",
        ]
        assert axes.get_ylim() == (492, 0)
    assert "mean of up to 3 neighbours" in figure.get_supxlabel()


def test_words_of_thin_groups_stand_apart():
    groups = (("never_learned", 1), ("forgotten", 1), ("never_forgotten", 400))
    figure = drawn("trace_raster", run_tables.raster(["net"], groups))
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert all(one.y0 >= other.y1 - 1 for one, other in pairwise(boxes))


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize(
    "architectures", [NAMES, pytest.param([*"abc", "net", "vit"], marks=pytest.mark.slow)]
)
def test_nothing_is_cut_or_lies_on_another_whatever_the_names(name, architectures, tmp_path):
    table = TABLES[name](architectures, seeds=2)
    figure = drawn(name, table, look_of(architectures, HOSTILE))
    save(figure, [tmp_path / "f.svg"])
    assert figure.get_figwidth() in (COLUMN, TEXT)
    figure.draw_without_rendering()
    titles = [axes.title if axes.title.get_text() else axes._left_title for axes in figure.axes]
    boxes = [title.get_window_extent() for title in titles if title.get_text()]
    boxes.append(figure._suptitle.get_window_extent())
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 + 1 for box in boxes)
    assert not any(one.overlaps(other) for k, one in enumerate(boxes) for other in boxes[k + 1 :])
    panels = [
        axes for axes in figure.axes if axes.get_ylabel() != "share of the seeds that are right"
    ]
    assert all(min(axes.get_position().size) > 0.03 for axes in panels)
    assert "<img" not in (tmp_path / "f.svg").read_text(encoding="utf-8").replace("&lt;img", "")


@pytest.mark.parametrize("name", TABLES)
def test_an_empty_series_is_a_figure_that_says_why(name, tmp_path):
    table = TABLES[name](NAMES, seeds=2).head(0)
    with pytest.raises(NothingEstimable):
        drawn(name, table)
    write_csv(tmp_path / "series.csv", table)
    words = [name, f"--{READS[name]}", tmp_path / "series.csv", "--output", tmp_path / "f.svg"]
    draw_figure.main([str(word) for word in words])
    assert (tmp_path / "f.svg").stat().st_size > 1000


@pytest.mark.parametrize("name", TABLES)
def test_the_command_draws_what_the_series_holds(name, tmp_path):
    write_csv(tmp_path / "series.csv", TABLES[name](NAMES, seeds=2))
    words = [name, f"--{READS[name]}", tmp_path / "series.csv", "--architectures", "vit", "net"]
    words += ["--titles", '{"vit": "ViT"}', "--output", tmp_path / "f.pdf"]
    draw_figure.main([str(word) for word in words])
    first = (tmp_path / "f.pdf").read_bytes()
    assert b"/FontFile2" in first  # fonts are embedded
    if name == "trace_raster":
        draw_figure.main([str(word) for word in words])
        assert (tmp_path / "f.pdf").read_bytes() == first


@pytest.mark.parametrize("name", TABLES)
def test_a_figure_is_declared_with_the_series_that_it_reads(name):
    declared = load_part("retention.figures", name).FIGURE
    (files,) = declared.reads.values()
    assert [*declared.reads] == [READS[name]] and files.name == f"series/{name}.csv"
    assert isinstance(load_part("retention.series", name).SERIES, Series)
    sentences = declared.caption.replace("e.g.", "").split(". ")
    assert all(len(sentence.split()) <= 40 for sentence in sentences)


def test_the_width_of_a_line_is_that_of_its_letters():
    assert width_of("iiii", 8) < width_of("mmmm", 8) < width_of("mmmm", 9) < 1


def test_fits_that_lie_upon_each_other_are_told_apart():
    kinds = ("exponential", "exponential_floor", "power", "scaled_exponential")
    table = run_tables.retention_curves(NAMES, fits=[("aligned", kind) for kind in kinds])
    fits = [
        line
        for line in drawn("retention_curves", table).axes[0].get_lines()
        if line.get_label()[0] != "_"
    ]
    assert len(fits) == len(kinds)
    assert len({line.get_marker() for line in fits}) == len(kinds)
    assert len({(line.get_linestyle(), line.get_linewidth() > 2) for line in fits}) == len(kinds)
    starts = [line.get_markevery() for line in fits]
    assert starts == [(place, len(kinds)) for place in range(len(kinds))]  # no mark upon another
    wide = [line for line in fits if line.get_linewidth() > 2]
    assert max(line.zorder for line in wide) < min(line.zorder for line in fits if line not in wide)
