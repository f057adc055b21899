"""Figures of findings say titles and never raw names, paint architectures alike, and cut no label, whatever the titles."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from retention.common.parts import load_part
from retention.measuring.figures import figure_homes
from retention.reporting.look import PALETTE, look_of
from retention.reporting.ticks import thin_ticks

RAW = {"net": "Net-18", "keep_50_next_seed": "50 % kept", "spaced_repetition": "Spaced repetition"}
RAW |= {"random": "Random order", "vit_b_16": "ViT-B/16", "keep_50_random": "50 % by lot"}
HOSTILE = {
    name: f"<img src=x onerror=alert({k})> $\\alpha$ {{x}} %d _a_ "
    + ("word " * 20 + "y" * 60)[: 120 + k]
    for k, name in enumerate(RAW)
}
BOTH = ("vit_b_16", "net")


def row(architecture="", **columns) -> dict:
    known = {"low": 0.1, "high": 0.3, "estimate": 0.2, "chance": 0.05, "ceiling": np.nan, "n": 500}
    known |= {"target": "new runs", "architecture": architecture, "comparison": architecture}
    return known | {"margin": 0.01, "low_90": 0.12, "high_90": 0.28, "verdict": "better"} | columns


def overlap() -> list[dict]:
    rows = [row(name, statistic="jaccard", comparison=f"{name} vs {name}") for name in BOTH]
    return [*rows, row(statistic="jaccard_same_seed", comparison="net vs vit_b_16")]


def fit_quality() -> list[dict]:
    rows = [row(name, statistic="mean_r_squared") for name in BOTH]
    rows += [row(name, statistic="constant_fraction") for name in BOTH]
    return [*rows, row(statistic="difference_r_squared", comparison="net minus vit_b_16")]


def seed_stability() -> list[dict]:
    return [row(name, statistic="spearman") for name in BOTH] + [
        row(statistic="variance_of_ranks_class")
    ]


def early_loss() -> list[dict]:
    return [row(name, statistic="spearman_partial_class") for name in BOTH]


def treatment_comparison() -> list[dict]:
    more = {"statistic": "difference", "treatment": "spaced_repetition", "baseline": "random"}
    return [row(name, metric="balanced_accuracy", n=3, **more) for name in BOTH]


def pruning_transfer() -> list[dict]:
    more = {
        "metric": "balanced_accuracy",
        "score": "decay_constant",
        "keep": "most_forgotten",
        "n": 3,
    }
    rows = []
    arms = ((0.5, "next_seed", "keep_50_next_seed"), (0.5, "random pruning", "keep_50_random"))
    for name in BOTH:
        for share, source, treatment in (*arms, (1.0, np.nan, "random")):
            levels = more | {"score": "random"} if source == "random pruning" else more
            rows.append(
                row(
                    name,
                    statistic="balanced_accuracy",
                    keep_fraction=share,
                    source=source,
                    treatment=treatment,
                    dataset="d",
                    **levels,
                )
            )
        rows.append(
            row(name, statistic="gain_over_random", keep_fraction=0.5, source="next_seed", **more)
            | {"comparison": f"{name}: … minus …", "treatment": "keep_50_next_seed", "dataset": "d"}
        )
    return rows


TABLES = {
    "architecture_overlap": overlap,
    "fit_quality": fit_quality,
    "seed_stability": seed_stability,
    "early_loss": early_loss,
    "treatment_comparison": treatment_comparison,
    "pruning_transfer": pruning_transfer,
}


def drawn(name, titles):
    home, part = figure_homes()[name]
    module = load_part(home, part, f"draw_{name}")
    return module.draw(pd.DataFrame(TABLES[name]()), look_of(BOTH, titles))


def words_of(figure) -> str:
    texts = [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]
    return " ".join(" ".join(texts).split())


@pytest.mark.parametrize("name", TABLES)
def test_figures_say_titles_and_no_raw_name(name):
    words = words_of(drawn(name, RAW))
    assert "Net-18" in words and "ViT-B/16" in words
    assert not [raw for raw in ("net", "vit_b_16") if raw in words.split()]
    assert "_" not in words


@pytest.mark.parametrize("name", TABLES)
def test_dots_have_the_colour_of_their_architecture(name):
    figure = drawn(name, RAW)
    axes = figure.axes[0] if name == "seed_stability" else figure.axes[-1]
    tints = [to_hex(line.get_color()) for line in axes.get_lines() if line.get_marker() == "o"]
    assert tints[:2] == [PALETTE[0].lower(), PALETTE[1].lower()]
    assert {*tints[2:]} <= {colour.lower() for colour in PALETTE[:3]}  # of both: the pair's own
    if name in ("architecture_overlap", "fit_quality"):
        assert PALETTE[2].lower() in tints


@pytest.mark.parametrize("name", TABLES)
def test_no_label_is_cut_or_lies_on_another_whatever_the_titles(name):
    figure = drawn(name, HOSTILE)
    thin_ticks(figure)
    figure.draw_without_rendering()
    right = figure.bbox.x1 + 2
    assert figure._suptitle.get_window_extent().x1 <= right
    for axes in figure.axes:
        labels = [label for label in axes.get_yticklabels() if label.get_text()]
        boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: -box.y0)
        assert all(one.y0 >= other.y1 - 2 for one, other in pairwise(boxes))
        assert all(box.x0 >= -2 for box in boxes)
        title = axes._left_title.get_window_extent()
        assert title.x1 <= right
        assert axes.get_position().width > 0.2


def test_pruning_tells_sources_apart_by_marks_and_draws_what_the_table_says():
    figure = drawn("pruning_transfer", RAW)
    for axes, colour in zip(figure.axes[:2], PALETTE, strict=False):
        lines = {" ".join(str(line.get_label()).split()): line for line in axes.get_lines()}
        own, lot, whole = (
            lines[name] for name in ("50 % kept", "50 % by lot", "Random order: all samples")
        )
        assert to_hex(own.get_color()) == colour.lower()
        assert len({line.get_marker() for line in (own, lot, whole)}) == 3
        assert own.get_linestyle() != lot.get_linestyle()
        assert own.get_xdata() == pytest.approx([0.5 - 0.025 / 4, 1.0])
        assert list(own.get_ydata()) == [0.2, 0.2] and own.get_markevery() == [0]
        assert list(whole.get_xdata()) == [1.0] and list(whole.get_ydata()) == [0.2]
        assert len(axes.get_xlabel()) and axes.get_ylabel() in ("", figure.axes[0].get_ylabel())
        assert [label.get_text() for label in axes.get_xticklabels()] == ["50 %", "100 %"]


def test_a_line_of_several_shares_is_named_by_what_their_titles_share():
    table = pd.DataFrame(TABLES["pruning_transfer"]())
    of_arms = table["keep_fraction"] == 0.5
    more = table[of_arms].assign(keep_fraction=0.25)
    more["treatment"] = more["treatment"].str.replace("50", "25")
    arms = ["keep_25_next_seed", "keep_50_next_seed", "keep_25_random", "keep_50_random"]
    titles = ["25 % kept by another", "50 % kept by another", "a quarter", "one half"]
    titles = dict(zip(arms, titles, strict=True))
    draw = load_part("retention.findings", "pruning_transfer", "draw_pruning_transfer").draw
    figure = draw(pd.concat([table, more], ignore_index=True), look_of(BOTH, titles))
    named = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert [" ".join(name.split()) for name in named] == [
        "kept by another",
        "a quarter, one half",
        "random: all samples",
    ]
    labels = [label.get_text().split(", n")[0] for label in figure.axes[-1].get_yticklabels()]
    assert labels[0] == "vit_b_16: 50 % kept by another\nminus one half"


@pytest.mark.parametrize("name", TABLES)
def test_every_axis_along_the_page_says_what_its_numbers_are(name):
    for axes in drawn(name, RAW).axes:
        if axes.xaxis.get_visible() and axes.axison:
            assert axes.get_xlabel(), axes.get_title(loc="left")
