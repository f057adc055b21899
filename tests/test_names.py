"""Names are drawn and told as they are written: no formulas, nothing hidden, no boxes where a font has the letter."""

import warnings

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

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
    figure = draw(hazards(NAMES), Look())
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # axes that collapse beside long names
        save(figure, [tmp_path / f"f.{kind}" for kind in ("svg", "pdf", "png")])
    for axes in figure.axes:
        # a long name is broken where it has a blank, else within a word
        drawn = {label.removesuffix(" (n = 20)").replace("\n", "") for label in labels_of(axes)}
        assert {name.replace(" ", "") for name in drawn} == {n.replace(" ", "") for n in NAMES}
        assert not any(text.get_parse_math() for text in axes.get_yticklabels())
        assert max(len(line) for label in labels_of(axes) for line in label.split("\n")) <= 41
        assert axes.get_position().width > 0.1
    assert [axes.get_title(loc="right") for axes in figure.axes] == ["_vit", "net: a"]


@pytest.mark.parametrize("name", ["long name " * 12, "x" * 120, "Black_footed_Albatross", "cat"])
@pytest.mark.parametrize("other", ["resnet18", "vit_small_patch16_224_of_mine"])
def test_no_panel_s_title_is_cut_beside_long_names(name, other):
    rows = hazards([name, "dog"], ("deit_small", other))
    agreement = {"statistic": "kendalls_w", "estimate": 0.5, "p_corrected": 0.02}
    both = [{"comparison": a, "architecture": a} | agreement for a in ("deit_small", other)]
    figure = draw(pd.concat([rows, pd.DataFrame(both).assign(chance=0.1)]), Look())
    figure.draw_without_rendering()
    left, right = (axes._right_title.get_window_extent() for axes in figure.axes)
    assert left.x0 >= 0 and left.x1 <= right.x0 and right.x1 <= figure.bbox.x1
    titles = [axes.get_title(loc="right").replace("\n", " ") for axes in figure.axes]
    assert titles[1] == f"{other}: W 0.50 (chance 0.10, p 0.02)"


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
    text = write(findings, audit, audit, [], data)
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
        audit,
        audit,
        [run | {"seed": s} for s in seeds],
        {},
    )
    ending = f"seeds {', '.join(map(str, seeds))}" if len(seeds) > 1 else "seed 3"
    assert f"\n{told} the treatment random, {ending}.\n" in text
