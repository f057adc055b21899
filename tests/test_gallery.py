"""What a gallery shows: chosen as a person would by hand, said as it is, and nothing of a name runs."""

import re
from collections import Counter
from dataclasses import replace
from html import unescape
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from shown_runs import HOSTILE, drawn_study, options, write_cache, write_study

from retention.commands import build_gallery
from retention.common.errors import UserError
from retention.pages.chosen import held_and_lost, most_forgotten, never_forgotten, never_learned
from retention.pages.gallery import counts_of
from retention.pages.gallery_plan import FEWEST, LISTS, MOST, plan_of, shown_per_list
from retention.pages.rasters import ranges, raster_of
from retention.pages.sheet import read_sheet
from retention.pages.taken_for import taken_for
from retention.reporting.look import Look

LOOK = Look(("resnet", "vit"), {"vit": "ViT-B"})


def by_hand(study) -> pd.DataFrame:
    """Return what runs say of training samples, counted epoch by epoch: a row per run and sample."""
    rows = []
    for (architecture, seed), correct in study.correct.items():
        for place, sample in study.samples.iterrows():
            if sample["split"] != "train":
                continue
            trace, events, at_risk = correct[place], 0, 0
            for now, then in pairwise(trace):
                at_risk += bool(now)
                events += bool(now and not then)
            rows.append(
                {
                    "architecture": architecture,
                    "seed": seed,
                    "sample_index": sample["sample_index"],
                    "label": sample["label"],
                    "hazard": (events + 0.5) / (at_risk + 1) if at_risk else None,
                    "events": events,
                    "confidence": study.confidence[architecture, seed][place],
                    "learned": bool(any(trace)),
                }
            )
    return pd.DataFrame(rows)


def of_sample(rows: pd.DataFrame) -> dict:
    """Return what several runs say of one sample."""
    hazards = [hazard for hazard in rows["hazard"] if hazard is not None and hazard == hazard]
    return {
        "hazard": sum(hazards) / len(hazards) if hazards else float("inf"),
        "events": sum(rows["events"]),
        "confidence": sum(rows["confidence"]) / len(rows),
        "lost": sum(row.learned and row.events > 0 for row in rows.itertuples()),
        "unlearned": sum(not row.learned for row in rows.itertuples()),
        "runs": len(rows),
    }


def stated(study, architecture=None) -> dict[int, dict]:
    rows = by_hand(study)
    rows = rows if architecture is None else rows[rows["architecture"] == architecture]
    return {index: of_sample(group) for index, group in rows.groupby("sample_index")}


ORDERS = {
    "most forgotten": (
        lambda s: s["lost"] > 0,
        lambda s: (-round(s["hazard"], 9), -s["events"], round(s["confidence"], 9)),
    ),
    "never forgotten": (
        lambda s: s["lost"] == 0 and s["unlearned"] == 0,
        lambda s: (round(s["hazard"], 9), -round(s["confidence"], 9)),
    ),
    "never learned": (
        lambda s: s["unlearned"] == s["runs"],
        lambda s: (round(s["confidence"], 9),),
    ),
}


@pytest.fixture(scope="module")
def study():
    return drawn_study(each=40)


@pytest.fixture(scope="module")
def paths(study, tmp_path_factory):
    return write_study(study, tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def sheet(paths):
    return read_sheet(paths["samples"], paths["index"][0], paths["traces"])


def indices(plan, choice) -> list[int]:
    return plan.sheet.samples["sample_index"].iloc[choice.places].tolist()


def assert_chosen(plan, choice, members: dict[int, dict], order, count: int) -> None:
    """Assert that a choice has the first of some samples by an order, and says what it leaves out."""
    ranked = sorted(members, key=lambda index: (order(members[index]), index))
    assert indices(plan, choice) == ranked[:count]
    assert choice.of == len(ranked)
    last = order(members[ranked[:count][-1]])[0] if ranked else None
    assert choice.tied == sum(order(members[index])[0] == last for index in ranked[count:])


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("architecture", ["resnet", "vit"])
def test_lists_of_classes_are_chosen_as_by_hand(sheet, study, kind, architecture):
    plan, (belongs, order) = plan_of(sheet, LOOK), ORDERS[kind]
    found = stated(study, architecture)
    labels = dict(zip(study.samples["sample_index"], study.samples["label"], strict=True))
    for of_class in plan.classes:
        members = {i: s for i, s in found.items() if labels[i] == of_class.label and belongs(s)}
        assert_chosen(plan, of_class.lists[kind][architecture], members, order, MOST)
        hazards = [s["hazard"] for i, s in found.items() if labels[i] == of_class.label]
        known = [hazard for hazard in hazards if hazard < float("inf")]
        assert of_class.hazards[architecture] == pytest.approx(sum(known) / len(known))
        assert of_class.samples == len(hazards)


@pytest.mark.parametrize("count", [1, 5, 500])
def test_what_is_left_out_though_it_ranks_equal_is_counted(sheet, study, count):
    """The lots have many equal hazards: the cut goes through them."""
    plan = plan_of(sheet, LOOK)
    for kind, choose in LISTS.items():
        belongs, order = ORDERS[kind]
        members = {i: s for i, s in stated(study, "vit").items() if belongs(s)}
        choice = choose(plan.standings["vit"], count)
        assert_chosen(plan, choice, members, order, count)
    for choose in (most_forgotten, never_forgotten):
        assert any(choose(plan.standings["vit"], cut).tied for cut in range(1, 20))


def test_the_most_forgotten_of_all_average_over_all_runs(sheet, study):
    plan, (belongs, order) = plan_of(sheet, LOOK), ORDERS["most forgotten"]
    members = {i: s for i, s in stated(study).items() if belongs(s)}
    assert_chosen(plan, plan.of_all, members, order, 24)


def test_disagreements_are_held_by_one_and_lost_by_the_other(sheet, study):
    plan = plan_of(sheet, LOOK)
    assert [(d.holder, d.loser) for d in plan.disagreements] == [
        ("resnet", "vit"),
        ("vit", "resnet"),
    ]
    for found in plan.disagreements:
        holder, loser = stated(study, found.holder), stated(study, found.loser)
        members = {
            i: {**loser[i], "difference": holder[i]["hazard"] - loser[i]["hazard"]}
            for i in holder
            if holder[i]["lost"] == holder[i]["unlearned"] == 0 and loser[i]["lost"] > 1.5
        }
        assert len(members) > 0
        assert_chosen(
            plan,
            found.choice,
            members,
            lambda s: (round(s["difference"], 9), -s["events"], round(s["confidence"], 9)),
            24,
        )


def test_half_of_the_seeds_are_not_most(tmp_path):
    """Of two seeds both must lose a sample, of one this one."""
    runs = [("a", 0), ("b", 0), ("b", 1)]
    study = drawn_study(["x"], each=2, epochs=4, runs=runs, held_out=0)
    held, lost = [1, 1, 1, 1], [1, 0, 1, 1]
    study.correct.update(
        {("a", 0): np.array([held, held]) == 1, ("b", 0): np.array([lost, lost]) == 1}
    )
    study.correct["b", 1] = np.array([held, lost]) == 1
    plan = plan_of(read_sheet(write_study(study, tmp_path)["samples"]), LOOK)
    choice = held_and_lost(plan.standings["a"], plan.standings["b"], 9)
    assert indices(plan, choice) == [study.samples["sample_index"][1]]


def test_the_counts_add_up_to_the_training_samples(sheet, study):
    for architecture, counts in counts_of(plan_of(sheet, LOOK)).items():
        found = stated(study, architecture).values()
        never_forgotten, forgotten, never_learned_ = (
            sum(ORDERS[kind][0](s) for s in found)
            for kind in ("never forgotten", "most forgotten", "never learned")
        )
        assert (counts.never_forgotten, counts.forgotten) == (never_forgotten, forgotten)
        assert counts.never_learned == never_learned_
        rest = len(found) - never_forgotten - forgotten - never_learned_
        assert counts.otherwise == rest


def test_without_confidences_equals_stay_in_the_order_of_samples(study, tmp_path):
    bare = replace(study, confidence={})
    plan = plan_of(read_sheet(write_study(bare, tmp_path)["samples"]), LOOK)
    choice = never_learned(plan.standings["vit"], 3)
    assert choice.of > 3 and choice.tied == choice.of - 3
    assert indices(plan, choice) == sorted(indices(plan, choice))


def cells(path: str) -> set[tuple[int, float]]:
    """Return the rows and left edges of the cells that an SVG path of horizontal lines goes through."""
    found = set()
    for left, row, length in re.findall(r"M([\d.]+) (\d+)\.5h(\d+)", path):
        found |= {(int(row), round(float(left) + step, 3)) for step in range(int(length))}
    assert re.fullmatch(r"(M[\d.]+ \d+\.5h\d+)*", path)
    return found


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("number", [3, 9, 130])
def test_rasters_draw_every_epoch_of_every_seed(first, number):
    correct = np.random.default_rng(number).random((4, number)) < 0.6
    raster = raster_of(correct, np.arange(first, first + number), (0, 1, 2, 7))
    left = [e + (0.7 if first == 0 and e > 0 else 0) for e in range(number)]  # epoch 0 stands apart
    for drawn, expected in ((raster.right, correct), (raster.wrong, ~correct)):
        assert cells(drawn) == {
            (run, round(left[e], 3)) for run in range(4) for e in range(number) if expected[run, e]
        }
    assert (raster.width, raster.rows) == (pytest.approx(left[-1] + 1), 4)
    assert raster.separate == (number <= 60)


def test_rasters_are_said_in_words():
    correct = np.array([[1, 0, 0, 0, 1, 0], [1] * 6, [0] * 6, [1, 1, 1, 1, 0, 1]]) == 1
    assert raster_of(correct, np.arange(6), (0, 1, 5, 9)).words == (
        "seed 0: wrong at epochs 1 to 3, 5; seed 1: right at every epoch; seed 5: wrong at every epoch; "
        "seed 9: wrong at epoch 4"
    )
    assert (
        ranges([]) == "" and ranges([3]) == "3" and ranges([3, 4, 6, 8, 9]) == "3 to 4, 6, 8 to 9"
    )


def test_what_a_sample_is_taken_for_is_counted_at_its_forgetting_events():
    names = {0: "a", 1: "b", 2: "c"}
    correct = np.array([[0, 1, 0, 0, 1, 0], [1, 0, 1, 1, 1, 0]]) == 1
    predicted = np.array([[2, 0, 1, 2, 0, 1], [0, 1, 0, 0, 0, 2]])
    found = taken_for(correct, predicted, names)
    assert (found.classes, found.count, found.of, found.lost) == (("b",), 3, 4, True)
    predicted[0, 2] = 2
    assert taken_for(correct, predicted, names).classes == ("b", "c")
    assert taken_for(correct, None, names) is None
    assert taken_for(np.ones((2, 4), bool), np.zeros((2, 4), int), names) is None
    never = taken_for(np.zeros((1, 3), bool), np.array([[1, 7, 7]]), names)
    assert (never.classes, never.count, never.of, never.lost) == (("label 7",), 2, 3, False)


def test_the_more_classes_the_fewer_samples_of_each():
    numbers = [shown_per_list(classes, 2) for classes in (1, 7, 10, 100, 200, 1000, 20000)]
    assert numbers[0] == numbers[2] == MOST and numbers[-1] == numbers[-2] == FEWEST
    assert numbers == sorted(numbers, reverse=True) and numbers[4] == 6  # as docs/gallery.md says
    assert 200 * 2 * len(LISTS) * numbers[4] <= 8000


@pytest.fixture(scope="module")
def built(study, paths, tmp_path_factory):
    """The folder of a gallery with pictures."""
    folder = tmp_path_factory.mktemp("built")
    cache = {"cache": write_cache(study, folder), "output": [folder / "gallery"]}
    build_gallery.main([*options({**paths, **cache}), "--titles", '{"vit": "ViT-B"}'])
    return folder / "gallery"


def shown_ids(html: str) -> list[str]:
    return [unescape(name) for name in re.findall(r'<div class="id clamped" title="([^"]*)"', html)]


def test_pages_show_what_was_chosen_in_its_order(built, sheet):
    plan = plan_of(sheet, LOOK)
    ids = plan.sheet.samples["sample_id"]
    for found in plan.classes:
        html = (built / found.page).read_text()
        expected = [
            ids[place]
            for by_architecture in found.lists.values()
            for choice in by_architecture.values()
            for place in choice.places
        ]
        assert shown_ids(html) == expected
        for choice in found.lists["most forgotten"].values():
            assert f"{len(choice)} of {choice.of} are shown" in html or f"All {choice.of}" in html
    disagreements = [place for d in plan.disagreements for place in d.choice.places]
    html = (built / "disagreements.html").read_text()
    assert shown_ids(html) == ids.iloc[disagreements].tolist()
    assert shown_ids((built / "index.html").read_text()) == ids.iloc[plan.of_all.places].tolist()


def cards_of(html: str) -> dict[str, str]:
    """Return the cards of a page by the id that they name; of a sample that is shown twice the first."""
    cards = re.findall(r"<li><img.*?</li>", html, re.S)
    return {shown_ids(card)[0]: card for card in reversed(cards)}


def taken_by_hand(study, architecture: str, place: int) -> str:
    """Return in words what an architecture's runs took a sample for when they lost it."""
    said, classes = Counter(), study.samples.groupby("label")["class_name"].first()
    for (name, seed), correct in study.correct.items():
        if name == architecture:
            known = any(
                found[place].any() for run, found in study.correct.items() if run[0] == name
            )
            for epoch, right in enumerate(correct[place]):
                if not right and (not known or (epoch and correct[place][epoch - 1])):
                    said[study.predicted[name, seed][place][epoch]] += 1
    most = sorted(label for label, count in said.items() if count == max(said.values()))
    if not most:
        return ""
    names = " or ".join(classes[label] for label in most)
    names = names if len(most) <= 2 else f"{len(most)} classes"
    of = f"at {said[most[0]]} of {said.total()}"
    return f"taken for {names} {'each ' if len(most) > 1 else ''}{of}"


def test_cards_say_what_the_runs_say(built, study):
    """Hazard, trace and events of every seed, and confusions: of every card of the overview."""
    cards = cards_of((built / "index.html").read_text())
    assert len(cards) == 24
    rows = by_hand(study)
    for place, sample in study.samples.iterrows():
        if not (card := cards.get(sample["sample_id"])):
            continue
        assert f"path <bdi>images/{sample['sample_id']}.png" in card
        assert f'src="thumbnails/{sample["sample_index"]}.jpg"' in card
        text = " ".join(re.sub(r"<[^>]*>", " ", card).split())
        of_sample_ = rows[rows["sample_index"] == sample["sample_index"]]
        for architecture, title in (("resnet", "resnet"), ("vit", "ViT-B")):
            runs = of_sample_[of_sample_["architecture"] == architecture]
            hazard = of_sample(runs)["hazard"]
            told = f"hazard {hazard:.2f}" if runs["learned"].any() else "never learned"
            assert f"{told} ({title})" in card
            events = ", ".join(str(run.events) if run.learned else "–" for run in runs.itertuples())
            traces = [study.correct[architecture, seed][place] for seed in runs["seed"]]
            words = raster_of(np.array(traces), np.arange(6), list(runs["seed"])).words
            assert f'aria-label="{words}; forgetting events: {events}"' in card
            assert taken_by_hand(study, architecture, place) in text


def test_links_and_pictures_lead_somewhere_and_each_is_there_once(built):
    linked = set()
    for page in built.glob("*.html"):
        for address in re.findall(r'(?:href|src)="([^"#]+)', page.read_text()):
            assert (built / address).is_file(), address
            linked.add(address)
    files = {path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file()}
    assert files == linked
    assert len(list(built.glob("class_*.html"))) == 3


def test_pages_say_what_they_rank_and_what_may_not_be_concluded(built):
    for page in built.glob("*.html"):
        html = page.read_text()
        assert "hazard of forgetting, (forgetting events + ½) / (epochs at risk + 1)" in html
        assert "All are training samples" in html and "no evidence of why" in html
        assert "http" not in html and "<script" not in html


def build(folder, study, *more, traces=True, cache=False):
    paths = write_study(study, folder)
    if not traces:
        paths.pop("traces")
    if cache:
        paths["cache"] = write_cache(study, folder)
    build_gallery.main([*options(paths), "--output", str(folder / "gallery"), *more])
    return {page.name: page.read_text() for page in (folder / "gallery").glob("*.html")}


def test_without_traces_and_cache_there_are_ids_and_events(study, tmp_path):
    pages = build(tmp_path, study, traces=False)
    assert not (tmp_path / "gallery" / "thumbnails").exists()
    for html in pages.values():
        assert "No image cache was given" in html and "The traces were not given" in html
        assert "<svg" not in html and "taken for <" not in html and "<img" not in html
    assert "forgetting events: " in pages["index.html"]
    assert len(shown_ids(pages["index.html"])) == 24


def test_architectures_may_have_epochs_of_their_own(tmp_path):
    """A recipe of an architecture may train it longer than another."""
    study = drawn_study(["a", "b"], each=10)
    for seed in range(3):
        for of_run in (study.correct, study.predicted):
            of_run["vit", seed] = of_run["vit", seed][:, :4]
    pages = build(tmp_path, study)
    assert "(3 seeds, epochs 0 to 5)" in pages["index.html"]
    assert "(3 seeds, epochs 0 to 3)" in pages["index.html"]
    widths = set(re.findall(r'viewBox="0 0 ([\d.]+) 3"', pages["index.html"]))
    assert widths == {"6.7", "4.7"}


def test_samples_that_half_of_the_seeds_hold_and_half_never_learn_are_in_no_list(tmp_path):
    study = drawn_study(["a"], each=4, runs=[("net", 0), ("net", 1)], held_out=0)
    study.correct.update({("net", 0): np.ones((4, 6), bool), ("net", 1): np.zeros((4, 6), bool)})
    pages = build(tmp_path, study, cache=True)
    assert "otherwise: some seeds held it, the others never learned it" in pages["index.html"]
    assert "4 (100 %)" in pages["index.html"]
    assert shown_ids("".join(pages.values())) == []


def test_one_run_that_forgets_nothing_says_so(tmp_path):
    study = drawn_study(["only"], each=6, runs=[("net", 3)], held_out=0)
    study.correct["net", 3] = np.zeros((6, 6), bool)
    study.correct["net", 3][:, 2:] = True
    study.correct["net", 3][0] = False
    pages = build(tmp_path, study)
    assert {*pages} == {"index.html", "disagreements.html", "class_0.html"}
    assert "No run forgot any sample." in pages["index.html"]
    assert (
        "has one architecture, <bdi>net</bdi>, so no two can disagree"
        in pages["disagreements.html"]
    )
    assert "No seed forgot an image of this class." in pages["class_0.html"]
    assert "There is one." in pages["class_0.html"]  # never learned
    assert "trained once: which samples another seed would forget is unknown" in pages["index.html"]
    assert "1 (17 %)" in pages["index.html"] and "5 (83 %)" in pages["index.html"]


def test_a_class_that_is_never_learned_has_no_hazard(tmp_path):
    study = drawn_study(["seen", "unseen"], each=5)
    for correct in study.correct.values():
        correct[study.samples["label"] == 1] = False
    pages = build(tmp_path, study)
    assert "no hazard, 0 forgotten" in pages["index.html"]
    assert "nan" not in re.sub(r"<[^>]*>", "", pages["index.html"])
    assert "Each image was learned" not in pages["class_1.html"]


def test_a_sample_that_was_right_at_the_last_epoch_alone_was_never_at_risk(tmp_path):
    study = drawn_study(["only"], each=1, runs=[("net", 0)], held_out=0)
    study.correct["net", 0] = np.array([[0, 0, 0, 0, 0, 1]]) == 1
    assert "<div>never at risk</div>" in build(tmp_path, study)["class_0.html"]


def test_hostile_names_are_text(tmp_path):
    study = drawn_study(HOSTILE, each=8, runs=[(HOSTILE[0], 0), (HOSTILE[1], 0)])
    study.dataset = HOSTILE[0]
    study.samples["sample_id"] += HOSTILE[1]
    pages = build(tmp_path, study, cache=True)
    for html in pages.values():
        assert "<img src=x" not in html and "<script" not in html and "\u202e" not in html
        assert "&lt;img src=x onerror=alert(1)&gt;" in html
    everything = "".join(pages.values())
    assert "{{ 7 * 7 }}{% raw %}" in everything
    assert "(no name, label 8)" in pages["index.html"]


def test_a_folder_that_holds_something_else_is_left_alone(study, tmp_path):
    (tmp_path / "gallery").mkdir()
    (tmp_path / "gallery" / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match=r"holds thesis\.tex, which no earlier run"):
        build(tmp_path, study)
    assert (tmp_path / "gallery" / "thesis.tex").read_text() == "years of work"
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file; name a folder"):
        build(tmp_path, study, "--output", str(tmp_path / "file"))


def test_the_folder_that_the_command_runs_in_is_not_replaced(study, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(UserError, match="is where the command runs; name a folder in it"):
        build(tmp_path, study, "--output", ".")
    assert not list((tmp_path / "here").iterdir())


def test_a_full_disk_is_told_and_leaves_the_earlier_gallery(study, tmp_path, monkeypatch):
    before = build(tmp_path, study)

    def refuse(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("retention.pages.cards.Path.write_bytes", refuse)
    with pytest.raises(UserError, match=r"gallery: cannot be written \(No space left on device\)"):
        build(tmp_path, study, cache=True)
    assert {path.name for path in (tmp_path / "gallery").iterdir()} == {*before}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("none.npy", "layout.parquet"), r"none\.npy: cannot be read \(No such file"),
        (("layout.parquet", "pixels.npy"), r"layout\.parquet: holds no pixels of an image cache"),
        (("pixels.npy", "pixels.npy"), r"pixels\.npy: is not a Parquet file"),
        (("short.npy", "layout.parquet"), r"layout\.parquet: has no image of sample_index"),
    ],
)
def test_a_cache_that_is_none_is_told(study, tmp_path, names, said):
    files = write_study(study, tmp_path)
    write_cache(study, tmp_path)
    np.save(tmp_path / "short.npy", np.zeros(5000, np.uint8))
    files["cache"] = [tmp_path / name for name in names]
    with pytest.raises(UserError, match=said) as error:
        build_gallery.main([*options(files), "--output", str(tmp_path / "gallery")])
    assert "\n" not in str(error.value)


def test_a_gallery_is_made_anew_whole_or_stays_as_it_is(study, tmp_path):
    build(tmp_path, drawn_study(["a", "b", "c", "d"]))
    assert (tmp_path / "gallery" / "class_3.html").exists()
    (tmp_path / "gallery" / ".snakemake_timestamp").touch()
    pages = build(tmp_path, drawn_study(["a", "b"]))
    assert {*pages} == {"index.html", "disagreements.html", "class_0.html", "class_1.html"}
    paths = write_study(drawn_study(["a"]), tmp_path)
    cache = write_cache(drawn_study(["a"], each=5), tmp_path)  # of a quarter of the images
    with pytest.raises(UserError, match=r"layout\.parquet: has no image of sample_index \d+; give"):
        build_gallery.main(
            [*options({**paths, "cache": cache}), "--output", str(tmp_path / "gallery")]
        )
    assert {path.name for path in (tmp_path / "gallery").iterdir()} == {*pages}
    assert not list(tmp_path.glob(".gallery*"))


def test_runs_without_training_samples_are_refused(tmp_path):
    study = drawn_study(["a"], each=4, held_out=4)
    with pytest.raises(UserError, match="no sample of the split train, which a gallery shows; its"):
        build(tmp_path, study)
