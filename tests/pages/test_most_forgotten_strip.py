"""The row of most forgotten samples that the report takes from a gallery: those of its overview, and nothing of a name runs."""

import base64
from collections import Counter
from html import unescape
from io import BytesIO

import numpy as np
import pytest
from naive_gallery import by_hand, of_sample
from PIL import Image
from shown_runs import HOSTILE, drawn_study, options, write_cache, write_study

from retention.commands import build_gallery
from retention.common.errors import UserError
from retention.pages.strip import COUNT, FILE, read_strip


def built(folder, study, cache=True, traces=True):
    paths = write_study(study, folder)
    if cache:
        paths["cache"] = write_cache(study, folder)
    if not traces:
        paths.pop("traces")
    build_gallery.main([*options(paths), "--output", str(folder / "gallery")])
    return read_strip(folder / "gallery" / FILE), folder / "gallery"


def taken(study, place):
    """Return the classes that all runs took a sample for most often when they lost it."""
    said = Counter(
        int(study.predicted[run][place, epoch])
        for run, correct in study.correct.items()
        for epoch in range(1, correct.shape[1])
        if correct[place, epoch - 1] and not correct[place, epoch]
    )
    names = study.samples.groupby("label")["class_name"].first()
    most = max(said.values(), default=0)
    return tuple(names[label] for label in sorted(said) if said[label] == most)


def test_the_row_has_the_first_of_the_overview_with_what_runs_say(tmp_path):
    study = drawn_study(each=40)
    shown, gallery = built(tmp_path, study)
    overview = (gallery / "index.html").read_text()
    ids = [part.split('"')[0] for part in overview.split('<div class="id clamped" title="')[1:]]
    assert [one.sample_id for one in shown] == [unescape(name) for name in ids[:COUNT]]
    assert len(shown) == COUNT
    places = {name: place for place, name in enumerate(study.samples["sample_id"])}
    for one in shown:
        sample = study.samples.iloc[places[one.sample_id]]
        assert one.class_title == sample["class_name"]
        assert one.page == f"class_{sample['label']}.html" and (gallery / one.page).is_file()
        assert one.taken_for == taken(study, places[one.sample_id])
        kind, _, content = one.picture.partition(",")
        assert kind == "data:image/jpeg;base64"
        picture = Image.open(BytesIO(base64.b64decode(content)))
        assert picture.size == (one.width, one.height)
        grey = sample["sample_index"] * 7 % 256
        assert abs(float(np.asarray(picture).mean()) - grey) < 4
    hazards = [
        of_sample([run for run in by_hand(study) if run.sample_index == index])["hazard"]
        for index in (study.samples["sample_index"].iloc[places[one.sample_id]] for one in shown)
    ]
    assert hazards == sorted(hazards, reverse=True)


def test_without_a_cache_or_anything_forgotten_the_row_is_empty(tmp_path):
    study = drawn_study(["a", "b"], each=8, runs=[("net", 0)])
    assert built(tmp_path / "no_cache", study, cache=False)[0] == []
    held = {run: np.ones_like(correct) for run, correct in study.correct.items()}
    study.correct = held
    assert built(tmp_path / "held", study)[0] == []


def test_without_traces_nothing_is_said_of_what_it_was_taken_for(tmp_path):
    study = drawn_study(["a"], each=12, runs=[("net", 0)])
    shown, _ = built(tmp_path, study, traces=False)
    assert shown and all(one.taken_for == () for one in shown)


def test_hostile_names_are_kept_as_they_are(tmp_path):
    study = drawn_study(HOSTILE, each=12, runs=[("net", 0)])
    shown, _ = built(tmp_path, study)
    names = {name.strip() for name in HOSTILE}
    titled = {one.class_title for one in shown if not one.class_title.startswith("(no name")}
    assert titled and titled <= names


def test_another_file_is_refused_in_one_line(tmp_path):
    for text in ("[", "{}x", '[{"sample_id": 1}]', "[1]"):
        (tmp_path / FILE).write_text(text)
        with pytest.raises(UserError, match=r"most_forgotten\.json: .*build the gallery anew"):
            read_strip(tmp_path / FILE)
