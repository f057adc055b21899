"""Hazards of classes beside their most-forgotten images: what is drawn is what the tables say, the samples are the runs' own."""

from pathlib import Path

import class_tables
import numpy as np
import pandas as pd
import pytest
import shown_runs
from class_tables import require_laid_out
from described_study import command
from figure_names import CLASSES, FIVE, LONG, LOOK, MANY, NAMES
from matplotlib.colors import to_hex
from matplotlib.offsetbox import AnnotationBbox
from PIL import Image

from retention.commands import draw_figure, measure_series
from retention.common.csv_tables import read_csv, write_csv
from retention.common.errors import UserError
from retention.common.parquet_tables import write_parquet
from retention.common.parts import load_part
from retention.reporting.lacking import not_drawn
from retention.reporting.look import PALETTE, look_of
from retention.reporting.style import save


def grey(index: int) -> Image.Image:
    """Return a picture by whose grey its sample is known."""
    return Image.new("RGB", (30, 20), (index % 256, index // 256, 7))


def with_images(classes, forgotten=None, hazards=None, look=LOOK):
    """Return the figure of class hazards with the images that `grey` gives."""
    part = load_part(
        "retention.figures", "class_hazards_with_images", "draw_class_hazards_with_images"
    )
    hazards = class_tables.hazards(classes, NAMES) if hazards is None else hazards
    forgotten = class_tables.most_forgotten(classes) if forgotten is None else forgotten
    return part.draw(hazards, forgotten, look, grey)


def dots(axes, colour: str, marker: str = "o") -> list[tuple[float, float]]:
    """Return the single points of a colour, from the top."""
    found = [
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
        for line in axes.get_lines()
        if line.get_marker() == marker and to_hex(line.get_color()) == colour.lower()
    ]
    return sorted(found, key=lambda point: point[1])


def test_classes_stand_by_their_mean_hazard_with_a_dot_and_an_interval_an_architecture():
    table = class_tables.hazards(FIVE, NAMES)
    (axes,) = with_images(FIVE, hazards=table).axes
    hazard = table.assign(name=table["comparison"].str.split(": ").str[1])
    order = list(hazard.groupby("name")["estimate"].mean().sort_values(ascending=False).index)
    assert [label.get_text() for label in axes.get_yticklabels()] == order
    for name, colour in zip(NAMES, PALETTE, strict=False):
        rows = hazard[hazard["architecture"] == name].set_index("name").loc[order]
        points = dots(axes, colour)
        assert [x for x, _ in points] == pytest.approx(list(rows["estimate"]))
        assert np.abs([y for _, y in points] - np.arange(5)).max() < 0.5
        ends = [
            line.get_xdata()
            for line in axes.get_lines()
            if to_hex(line.get_color()) == colour.lower()
            and len(line.get_xdata()) == 2
            and line.get_linestyle() == "-"
        ]
        assert np.allclose(ends, rows[["low", "high"]])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["ViT", "net"]


def images_of(axes) -> dict[float, list[int]]:
    """Return the samples whose images stand at each height, from the left."""
    found: dict[float, list[tuple[float, int]]] = {}
    for box in axes.get_children():
        if isinstance(box, AnnotationBbox):
            red, green, _ = box.offsetbox.get_data()[0, 0]
            found.setdefault(box.xy[1], []).append((box.xybox[0], int(red) + 256 * int(green)))
    return {place: [index for _, index in sorted(boxes)] for place, boxes in found.items()}


def test_beside_a_class_stand_its_own_images_the_most_forgotten_first():
    (axes,) = with_images(FIVE).axes
    shown = images_of(axes)
    for place, label in enumerate(axes.get_yticklabels()):
        first = 100 * FIVE.index(label.get_text())
        assert shown[place] == list(range(first, first + 5))


def test_images_keep_their_shape_and_no_two_lie_on_each_other(tmp_path):
    figure = with_images(FIVE)
    save(figure, [tmp_path / "f.png"])
    figure.draw_without_rendering()
    (axes,) = figure.axes
    boxes = [
        box.offsetbox.get_window_extent()
        for box in axes.get_children()
        if isinstance(box, AnnotationBbox)
    ]
    assert len(boxes) == 25
    assert all(box.width / box.height == pytest.approx(30 / 20, rel=0.05) for box in boxes)
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[k + 1 :])
    assert all(box.x0 >= axes.bbox.x1 and box.x1 <= figure.bbox.x1 + 1 for box in boxes)


def test_a_class_of_which_nothing_was_forgotten_says_so():
    forgotten = class_tables.most_forgotten(FIVE[1:])
    nothing = pd.DataFrame({"class_name": ["crow"], "label": 9, "samples": 20, "forgotten": 0})
    (axes,) = with_images(FIVE, pd.concat([forgotten, nothing])).axes
    (place,) = [k for k, one in enumerate(axes.get_yticklabels()) if one.get_text() == "crow"]
    assert place not in images_of(axes) and len(images_of(axes)) == 4
    assert [t.xy for t in axes.texts if t.get_text() == "none forgotten"] == [(1, place)]


def test_of_many_classes_the_ends_stand_with_a_mark_between_them():
    classes = [f"class {k:03d} of a long name" for k in range(100)]
    table = class_tables.hazards(classes, NAMES)
    (axes,) = with_images(classes, hazards=table).axes
    means = table.assign(name=table["comparison"].str.split(": ").str[1])
    order = list(means.groupby("name")["estimate"].mean().sort_values(ascending=False).index)
    shown = [label.get_text().replace("\n", " ") for label in axes.get_yticklabels()]
    assert shown == order[:8] + order[-8:]
    places = axes.get_yticks()
    assert places[8] - places[7] > 1.5 > places[7] - places[6]
    assert "84 classes between " in [text.get_text() for text in axes.texts]
    part = "draw_class_hazards_with_images"
    alone = load_part("retention.figures", "class_hazards_with_images", part).draw(
        table, class_tables.most_forgotten(classes), LOOK
    )
    assert len(alone.axes[0].get_yticks()) == 30 and not images_of(alone.axes[0])


def test_classes_without_an_estimate_are_told():
    table = class_tables.hazards(FIVE, NAMES)
    table.loc[table["comparison"].str.endswith("owl"), "estimate"] = np.nan
    figure = with_images(FIVE, hazards=table)
    assert "owl" not in [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert "not shown: class owl, which some run never learned" in " ".join(
        figure.get_supxlabel().split()
    )


def test_a_class_that_one_architecture_never_learned_has_one_dot():
    table = class_tables.hazards(FIVE, NAMES)
    table.loc[table["comparison"] == "net: owl", "estimate"] = np.nan
    figure = with_images(FIVE, hazards=table)
    (axes,) = figure.axes
    assert len(dots(axes, PALETTE[0])) == 5 and len(dots(axes, PALETTE[1])) == 4
    foot = " ".join(figure.get_supxlabel().split())
    assert "no dot: some run of the architecture never learned the class" in foot


@pytest.mark.parametrize(
    "name", ["variance_shares", "class_hazards_with_images", "confusions_at_forgetting"]
)
def test_captions_have_short_sentences(name):
    caption = load_part("retention.figures", name).FIGURE.caption
    assert all(len(sentence.split()) <= 32 for sentence in caption.split(". "))


def cache_in(folder, samples) -> list[str]:
    """Write a cache of images that `grey` gives; return the words of the command."""
    pixels = np.concatenate([np.asarray(grey(index)).ravel() for index in samples])
    np.save(folder / "pixels.npy", pixels)
    layout = pd.DataFrame({"sample_index": samples, "offset": np.arange(len(samples)) * 1800})
    write_parquet(folder / "layout.parquet", layout.assign(height=20, width=30))
    return ["--cache", str(folder / "pixels.npy"), str(folder / "layout.parquet")]


def test_the_command_takes_the_images_from_a_cache_and_does_without(tmp_path):
    write_csv(tmp_path / "h.csv", class_tables.hazards(FIVE, NAMES))
    forgotten = class_tables.most_forgotten(FIVE)
    write_csv(tmp_path / "m.csv", forgotten)
    words = ["class_hazards_with_images", "--finding", str(tmp_path / "h.csv")]
    words += ["--forgotten", str(tmp_path / "m.csv"), "--output", str(tmp_path / "f.svg")]
    draw_figure.main(words)
    alone = (tmp_path / "f.svg").read_text(encoding="utf-8")
    assert "<image" not in alone
    draw_figure.main(words + cache_in(tmp_path, sorted(forgotten["sample_index"])))
    assert (tmp_path / "f.svg").read_text(encoding="utf-8").count("<image") == 25
    with pytest.raises(UserError, match=r"layout\.parquet: has no image of sample_index 400; give"):
        draw_figure.main(words + cache_in(tmp_path, sorted(forgotten["sample_index"])[:32]))


@pytest.mark.parametrize("architectures", [NAMES, ["net"], MANY])
def test_nothing_is_cut_or_lies_on_another_whatever_the_names(architectures, tmp_path):
    look = look_of(architectures, LONG)
    figure = with_images(CLASSES, hazards=class_tables.hazards(CLASSES, architectures), look=look)
    save(figure, [tmp_path / "f.svg"])
    require_laid_out(figure)
    assert "<img" not in (tmp_path / "f.svg").read_text(encoding="utf-8").replace("&lt;img", "")


def series(files: dict, tmp_path: Path, *more: object) -> pd.DataFrame:
    """Return a series that the command measures, as the figure reads it."""
    reads = load_part("retention.series", "most_forgotten").SERIES.reads
    words = [word for option in reads for word in (f"--{option}", *files[option])]
    command(measure_series, "most_forgotten", *words, *more, "--output", tmp_path / "series.csv")
    return read_csv(tmp_path / "series.csv")


@pytest.fixture(scope="module")
def study():
    return shown_runs.drawn_study(each=24, epochs=7)


@pytest.fixture(scope="module")
def files(study, tmp_path_factory):
    return shown_runs.write_study(study, tmp_path_factory.mktemp("shown"))


def naively_forgotten(files) -> dict[str, list[tuple[int, float, int]]]:
    """Return of each class sample_index, mean hazard and events of what some run lost, the most forgotten first."""
    tables = [pd.read_parquet(path).set_index("sample_index") for path in files["samples"]]
    found: dict[str, list] = {}
    for index, row in tables[0].iterrows():
        if row["split"] != "train":
            continue
        of_runs = [table.loc[index] for table in tables]
        learned = [one for one in of_runs if not one["never_learned"]]
        events = sum(one["forgetting_events"] for one in of_runs)
        if not any(one["forgetting_events"] for one in learned):
            continue
        hazard = np.mean([one["hazard"] for one in learned if np.isfinite(one["hazard"])])
        confidence = np.mean([one["confidence"] for one in of_runs])
        key = (-round(hazard, 12), -events, round(confidence, 12), index)
        found.setdefault(row["class_name"], []).append((key, (index, hazard, int(events))))
    return {name: [told for _, told in sorted(rows)] for name, rows in found.items()}


def test_the_most_forgotten_of_a_class_are_those_of_the_highest_mean_hazard(files, tmp_path):
    table = series(files, tmp_path)
    wanted = naively_forgotten(files)
    assert set(table["class_name"]) == set(wanted) == {"crow", "duck", "owl"}
    for name, rows in table.groupby("class_name"):
        assert list(rows["place"]) == list(range(1, min(8, len(wanted[name])) + 1))
        told = list(zip(rows["sample_index"], rows["estimate"], rows["events"], strict=True))
        for (index, hazard, events), (known, mean, count) in zip(
            told, wanted[name][:8], strict=True
        ):
            assert (index, events) == (known, count) and hazard == pytest.approx(mean)
        assert set(rows["forgotten"]) == {len(wanted[name])} and set(rows["samples"]) == {20}


def test_a_class_of_which_nothing_is_forgotten_has_a_row_without_a_sample(study, tmp_path):
    held = (study.samples["class_name"] == "duck").to_numpy()
    correct = {run: right | held[:, None] for run, right in study.correct.items()}
    kept = shown_runs.Study(study.samples, correct, confidence=study.confidence)
    table = series(shown_runs.write_study(kept, tmp_path), tmp_path)
    (duck,) = table[table["class_name"] == "duck"].to_dict("records")
    assert duck["forgotten"] == 0 and duck["samples"] == 20 and np.isnan(duck["place"])


def test_runs_without_training_samples_are_refused(study, tmp_path):
    samples = study.samples.assign(split="test")
    files = shown_runs.write_study(shown_runs.Study(samples, study.correct), tmp_path)
    with pytest.raises(UserError, match=r"has no sample of the split train, .*; its splits: test"):
        series(files, tmp_path)


def test_classes_that_can_not_be_drawn_are_named_where_they_are_few():
    table = class_tables.hazards(FIVE, NAMES)
    assert not_drawn(table) == ""
    is_last = table["comparison"].str.endswith(tuple(FIVE[-2:]))
    two = table.assign(estimate=table["estimate"].mask(is_last))
    assert not_drawn(two) == f"classes {', '.join(sorted(FIVE[-2:]))}"
    assert not_drawn(table.assign(estimate=np.nan)) == "5 classes"
