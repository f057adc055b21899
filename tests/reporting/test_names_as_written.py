"""Names are drawn and told as they are written: no formulas, nothing hidden, no boxes where a font has the letter."""

import warnings

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from no_paper import NO_PAPER

from retention.commands import draw_figure, split_dataset
from retention.common.csv_tables import write_csv
from retention.findings.class_forgetting.draw_class_forgetting import draw
from retention.reporting.fonts import OWN, use_fonts_for
from retention.reporting.look import Look
from retention.reporting.style import as_label, legend, new_figure, save
from retention.reporting.summary import write
from retention.reporting.words import as_text

NAMES = [
    "Ba$$in",
    "$5 to $10",
    "_hidden",
    "100 %",
    r"a\nb",
    "{x}",
    "a: b",
    "x" * 60,
    "two words " * 6,
]


def hazards(names, architectures=("net: a", "_vit")) -> pd.DataFrame:
    """Return F4's rows of classes."""
    rows = [
        {"comparison": f"{a}: {name}", "architecture": a, "estimate": 0.1 + place / 100}
        for a in architectures
        for place, name in enumerate(names)
    ]
    more = {"statistic": "class_hazard", "low": 0.1, "high": 0.2, "target": "new runs", "n": 20}
    return pd.DataFrame(rows).assign(
        chance=0.15, ceiling=np.nan, finding="class_forgetting", **more
    )


def labels_of(axes) -> list[str]:
    return [text.get_text() for text in axes.get_yticklabels()]


def test_classes_stand_in_the_figure_as_they_are_written(tmp_path):
    figure = draw(hazards(NAMES), Look(titles={"net: a": "A network"}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # axes that collapse beside long names
        save(figure, [tmp_path / f"f.{kind}" for kind in ("svg", "pdf", "png")])
    first, second = figure.axes
    # a long name is broken where it has a blank, else within a word
    drawn = {label.replace("\n", "") for label in labels_of(first)}
    assert {name.replace(" ", "") for name in drawn} == {n.replace(" ", "") for n in NAMES}
    assert not any(text.get_parse_math() for text in first.get_yticklabels())
    for axes in figure.axes:
        assert axes.get_position().width > 0.1
        assert [text.get_text() for text in axes.texts] == ["20"] * len(NAMES)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["_vit", "A network"]
    # classes are named once
    assert first.yaxis.get_tick_params()["labelleft"]
    assert not second.yaxis.get_tick_params()["labelleft"]


def test_hazards_stand_beside_their_classes_in_one_order_and_on_one_scale():
    table = hazards([f"class {n}" for n in range(7)])
    table["estimate"] = np.random.default_rng(0).random(len(table))
    table["low"], table["high"] = table["estimate"] - 0.1, table["estimate"] + 0.1
    figure = draw(table, Look(("net: a", "_vit")))
    means = table.assign(name=table["comparison"].str.split(": ").str[-1])
    order = list(means.groupby("name")["estimate"].mean().sort_values(ascending=False).index)
    assert [labels_of(axes) for axes in figure.axes] == [order, []]
    for axes, name in zip(figure.axes, ("net: a", "_vit"), strict=True):
        dots = [line.get_data() for line in axes.get_lines() if line.get_marker() == "o"]
        of_name = means[means["architecture"] == name].set_index("name")["estimate"]
        assert [float(x[0]) for x, _ in dots] == list(of_name[order])
        heights = [float(y[0]) for _, y in dots]
        assert heights == sorted(heights) and heights == list(axes.get_yticks())
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()


def test_a_class_of_one_architecture_alone_keeps_its_place_in_the_other():
    table = hazards(["a", "b", "c"])
    table = table[table["comparison"] != "_vit: b"]
    figure = draw(table, Look())
    dots = [
        len([x for x in a.get_lines() if x.get_marker() == "o" and np.isfinite(x.get_xdata()[0])])
        for a in figure.axes
    ]
    assert dots == [2, 3]
    assert [[text.get_text() for text in axes.texts] for axes in figure.axes] == [
        ["20"] * 2,
        ["20"] * 3,
    ]
    assert list(figure.axes[0].get_yticks()) == list(figure.axes[1].get_yticks())


def test_a_break_or_a_tab_in_a_class_name_is_written_out():
    figure = draw(hazards(["one\nline", "a\ttab"]), Look())
    assert {*labels_of(figure.axes[0])} == {"one\\nline", "a\\ttab"}


@pytest.mark.parametrize("many", [31, 100])
def test_of_many_classes_the_two_ends_are_shown_and_parted(many):
    table = hazards([f"{n:03d}" for n in range(many)])
    order = np.random.default_rng(1).permutation(many)
    table["estimate"] = np.r_[order, order] / many
    figure = draw(table, Look())
    ranked = sorted(range(many), key=lambda n: -order[n])
    assert labels_of(figure.axes[0]) == [f"{n:03d}" for n in ranked[:15] + ranked[-15:]]
    places = figure.axes[0].get_yticks()
    for axes in figure.axes:
        (mark,) = [
            line.get_ydata()[0]
            for line in axes.get_lines()
            if len(line.get_xdata()) == 2 and line.get_linestyle() == "--"
        ]
        assert places[14] < mark < places[15]
    assert f"{many - 30} classes between " in [text.get_text() for text in figure.axes[0].texts]
    assert places[15] - places[14] > 2 * (places[1] - places[0])


def test_thirty_classes_are_shown_without_a_gap():
    figure = draw(hazards([f"{n:03d}" for n in range(30)]), Look())
    assert np.allclose(np.diff(figure.axes[0].get_yticks()), 1)
    assert not any("between" in text.get_text() for text in figure.axes[0].texts)


def test_names_are_cut_only_where_the_figure_would_be_longer_than_a_page():
    name = "A class whose name goes on and on, with commas, and with words that nobody needs, " * 2
    few, many = (draw(hazards([f"{n} {name}" for n in range(k)]), Look()) for k in (4, 60))
    assert not any("…" in label for label in labels_of(few.axes[0]))
    assert all(label.endswith(" …") for label in labels_of(many.axes[0]))
    assert "names are cut" in many.get_supxlabel().replace("\n", " ")
    assert "names are cut" not in few.get_supxlabel().replace("\n", " ")
    assert many.get_figheight() < 11 and few.get_figheight() < 11


@pytest.mark.parametrize("name", ["long name " * 12, "x" * 120, "Black_footed_Albatross", "cat"])
@pytest.mark.parametrize("other", ["resnet18", "vit_small_patch16_224_of_mine"])
def test_no_panel_s_title_is_cut_beside_long_names(name, other):
    rows = hazards([name, "dog"], ("deit_small", other))
    agreement = {"statistic": "kendalls_w", "estimate": 0.5, "p_corrected": 0.02}
    both = [{"comparison": a, "architecture": a} | agreement for a in ("deit_small", other)]
    figure = draw(pd.concat([rows, pd.DataFrame(both).assign(chance=0.1)]), Look())
    figure.draw_without_rendering()
    left, right = (axes._left_title.get_window_extent() for axes in figure.axes)
    assert left.x0 >= 0 and left.x1 <= right.x0 and right.x1 <= figure.bbox.x1
    titles = [axes.get_title(loc="left").split("\n", 1) for axes in figure.axes]
    said = "Kendall's W 0.50 (chance 0.10, p = 0.02)"
    text = " ".join(" ".join(titles[1]).split())
    assert text.replace(" ", "") == (other + said).replace(" ", "")


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        ("a\nb\tc", r"a\nb\tc"),
        ("  ", "'  '"),
        ("", "''"),
        ("cat", "cat"),
        ("日本", "日本"),
        # joiners are part of how a word is spelt, and draw nothing
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("soft\u00adly", "soft\u00adly"),
        ("\u200b", r"'\u200b'"),
    ],
)
def test_letters_that_draw_nothing_are_written_out(name, drawn):
    assert as_label(name) == drawn


@pytest.mark.parametrize("width", range(11, 40))
def test_no_line_is_broken_within_a_count_or_a_percentage(width):
    lines = as_label("loss and decay in different seeds (n = 1584), 66 % of all", width).split("\n")
    assert any("n = 1584" in line for line in lines) and any("66 %" in line for line in lines)


def test_a_legend_hides_no_name():
    _, (axes,) = new_figure(2)
    axes.plot([0, 1], label="_vit")
    axes.plot([1, 2])
    axes.plot([2, 3], label="net")
    legend(axes)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["_vit", "net"]


@pytest.fixture
def han(tmp_path, monkeypatch):
    """A font of two letters that was installed after matplotlib had listed those that it knows."""
    builder = FontBuilder(1000)
    names = [".notdef", "sun", "root"]
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord("日"): "sun", ord("本"): "root"})
    pen = TTGlyphPen(None)
    for number, place in enumerate([(0, 0), (800, 0), (800, 800)]):
        (pen.lineTo if number else pen.moveTo)(place)
    pen.closePath()
    builder.setupGlyf(dict.fromkeys(names, pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (900, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Two Letters", "styleName": "Regular"})
    builder.setupOS2(usWeightClass=400)
    builder.setupPost()
    builder.save(tmp_path / "two.ttf")
    bundled = [e for e in font_manager.fontManager.ttflist if "mpl-data" in e.fname]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", bundled)
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [str(tmp_path / "two.ttf")])
    monkeypatch.setitem(mpl.rcParams, "font.family", mpl.rcParams["font.family"])


def test_letters_that_the_font_lacks_come_from_an_installed_one(han, capsys, tmp_path):
    use_fonts_for(["cat", "日本"])
    assert mpl.rcParams["font.family"] == [OWN, "Two Letters"]
    assert capsys.readouterr().err == ""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of a letter that it lacks
        draw(hazards(["日本", "cat"]), Look()).savefig(tmp_path / "f.svg")
    use_fonts_for(["cat"])
    assert mpl.rcParams["font.family"] == mpl.rcParamsDefault["font.family"]


def test_letters_that_no_font_has_are_said_in_one_line(han, capsys, tmp_path):
    write_csv(tmp_path / "f.csv", hazards(["日本", "한국", "cat"]))
    words = ["class_forgetting", "--finding", tmp_path / "f.csv", "--output", tmp_path / "f.pdf"]
    draw_figure.main([str(word) for word in words])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("fonts: no installed font has 국, 한")
    assert "net: a: 한국" in line and "cat" not in line and "日本" not in line
    assert "install one that has them" in line


@pytest.mark.parametrize(
    ("label", "told"),
    [("日本", ""), ("Кот", ""), ("chat né", ""), ("한국", "own: no installed font has 국, 한")],
)
def test_letters_that_no_font_has_are_noted_where_the_data_are_split(han, tmp_path, label, told):
    names = np.array(["cat", label])[np.arange(40) % 2]
    index = {"sample_index": np.arange(40), "sample_id": [f"{i}.png" for i in range(40)]}
    index |= {"label": np.arange(40) % 2, "class_name": names, "group": np.arange(40)}
    index |= {"digest": [f"{i:064d}" for i in range(40)]}
    pd.DataFrame(index).to_parquet(tmp_path / "images.parquet")
    options = ["--dataset", "own", "--images", tmp_path / "images.parquet"]
    options += ["--split", '{"strategy": "stratified_group", "test_fraction": 0.2, "seed": 0}']
    for name in ("output", "classes", "duplicates", "notes"):
        options += [f"--{name}", tmp_path / name]
    split_dataset.main([str(word) for word in options])
    noted = (tmp_path / "notes").read_text()
    assert noted.startswith(told) if told else "font" not in noted
    assert ("fonts-noto-cjk" in noted) == bool(told)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("deit_small", "deit_small"),
        ("日_本", "日_本"),
        ("_x_", r"\_x\_"),
        ("x__y", r"x\_\_y"),
        ("a|b*c*", r"a\|b\*c\*"),
        ("<b>`c`", r"\<b>\`c\`"),
        ("$5 to $10", r"\$5 to \$10"),
        ("[a](b)", r"\[a](b)"),
        ("&amp; AT&T", r"\&amp; AT&T"),
        (r"a\*b ~~c~~", r"a\\\*b \~\~c\~\~"),
        ("two\nlines", "two lines"),
    ],
)
def test_markdown_shows_a_name_as_it_is_written(name, told):
    assert as_text(name) == told


def test_the_summary_holds_names_that_markdown_would_read(tmp_path):
    findings = hazards(["a|b", "*c*", "d: e"], ["<net>"]).assign(dataset="$x$", p_corrected=0.5)
    classes = pd.DataFrame({"class_name": ["a|b"], "train": [3], "test": [1]})
    data = {"$x$": (classes, pd.DataFrame({"across_splits": [True]}))}
    audit = pd.DataFrame({"architecture": ["a|b", None], "value": [0.5, np.nan]})
    text = write(findings, NO_PAPER, audit, [], data)
    assert r"## F4. Which classes are forgotten? (\$x\$)" in text
    assert r"- **\<net>**: most forgotten of 3 classes is d: e, n = 20 (hazard 0.12" in text
    assert r"least a\|b, n = 20" in text
    assert r"| \$x\$ | 1 | 3 | 1 | 1 : 1 | 1 |" in text
    assert "| a\\|b | 0.50 |\n|  | not estimable |" in text


@pytest.mark.parametrize(("seeds", "told"), [([3], "1 run of"), ([0, 1], "2 runs of")])
def test_the_summary_counts_one_run_as_one(seeds, told):
    run = {"study": "s", "dataset": "d", "architecture": "net", "treatment": "random"}
    run |= {"pretrained": True, "initial_train_accuracy": 0.5, "final_train_accuracy": 0.9}
    run |= dict.fromkeys(("initial_test_accuracy", "final_test_accuracy"), 0.7)
    run |= {"final_test_balanced_accuracy": 0.7, "treatment_definition": {}}
    audit = pd.DataFrame({"architecture": ["net"], "value": [0.5]})
    text = write(
        hazards(["a"]).assign(dataset="d", p_corrected=0.5),
        NO_PAPER,
        audit,
        [run | {"seed": s} for s in seeds],
        {},
    )
    ending = f"seeds {', '.join(map(str, seeds))}" if len(seeds) > 1 else "seed 3"
    assert f"\n{told} the treatment random, {ending}.\n" in text
