"""The pages of a gallery: they say what was chosen and what runs say, and nothing of a name runs."""

import re
from html import unescape

import numpy as np
import pytest
from naive_gallery import by_hand, of_sample, taken_by_hand
from shown_runs import HOSTILE, drawn_study, options, write_cache, write_study

from retention.commands import build_gallery
from retention.common.errors import UserError
from retention.pages.gallery_plan import plan_of
from retention.pages.rasters import raster_of
from retention.pages.sheet import read_sheet
from retention.pages.strip import FILE as STRIP
from retention.reporting.look import Look

FEW = [("net", 0)]
LOOK = Look(("resnet", "vit"), {"vit": "ViT-B"})


@pytest.fixture(scope="module")
def study():
    return drawn_study(each=40)


@pytest.fixture(scope="module")
def paths(study, tmp_path_factory):
    return write_study(study, tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def sheet(paths):
    return read_sheet(paths["samples"], paths["index"][0], paths["traces"])


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
    of_all = [*plan.of_all.places, *plan.unlearned.places]
    assert shown_ids((built / "index.html").read_text()) == ids.iloc[of_all].tolist()


def test_the_overview_has_its_sections_in_order_each_with_its_number_of_images(built, sheet):
    plan, html = plan_of(sheet, LOOK), (built / "index.html").read_text()
    pairs = {(d.holder, d.loser): d.choice.of for d in plan.disagreements}
    both = sum(pairs.values())
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", html)
    assert headings == [
        "Before you look",
        f"Most forgotten of all ({plan.of_all.of} images)",
        f"Disagreements ({both} images)",
        "What became of the samples",
        "Classes",
        f"Never learned by any run ({plan.unlearned.of} image{'' if plan.unlearned.of == 1 else 's'})",
    ]
    never = np.all([run.described["never_learned"] for run in plan.sheet.runs], axis=0)
    assert plan.unlearned.of == never.sum()
    contents = html.partition('<ul class="contents"')[2].partition("</ul>")[0]
    text = " ".join(re.sub(r"<[^>]*>", "", contents.partition(">")[2]).split())
    assert f"Most forgotten: {plan.of_all.of} images" in text
    assert f"held by resnet, lost by ViT-B: {pairs['resnet', 'vit']} image" in text
    links = re.findall(r'href="#([^"]+)"', contents)
    assert links == ["most-forgotten", "classes", "never-learned"]
    assert all(f'id="{name}"' in html for name in links)


def cards_of(html: str) -> dict[str, str]:
    """Return the cards of a page by the id that they name; of a sample that is shown twice the first."""
    cards = re.findall(r"<li><img.*?</li>", html, re.S)
    return {shown_ids(card)[0]: card for card in reversed(cards)}


def test_cards_say_what_the_runs_say(built, study):
    """Hazard, trace and events of every seed, and confusions: of every card of the overview."""
    cards = cards_of((built / "index.html").read_text())
    assert len(cards) >= 24
    told = by_hand(study)
    for place, sample in study.samples.iterrows():
        if not (card := cards.get(sample["sample_id"])):
            continue
        assert f"path <bdi>images/{sample['sample_id']}.png" in card
        assert f'src="thumbnails/{sample["sample_index"]}.jpg"' in card
        text = " ".join(re.sub(r"<[^>]*>", " ", card).split())
        for architecture, title in (("resnet", "resnet"), ("vit", "ViT-B")):
            runs = [
                run
                for run in told
                if (run.architecture, run.sample_index) == (architecture, sample["sample_index"])
            ]
            hazard = f"hazard {of_sample(runs)['hazard']:.2f}"
            known = any(run.learned for run in runs)
            assert f"{hazard if known else 'never learned'} ({title})" in card
            events = ", ".join(str(run.events) if run.learned else "–" for run in runs)
            seeds = [run.seed for run in runs]
            traces = [study.correct[architecture, seed][place] for seed in seeds]
            words = raster_of(np.array(traces), np.arange(6), seeds).words
            assert f'aria-label="{words}; forgetting events: {events}"' in card
            assert taken_by_hand(study, architecture, place) in text


def test_links_and_pictures_lead_somewhere_and_each_is_there_once(built):
    linked = set()
    for page in built.glob("*.html"):
        for address in re.findall(r'(?:href|src)="([^"#]+)', page.read_text()):
            assert (built / address).is_file(), address
            linked.add(address)
    files = {path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file()}
    assert files == linked | {STRIP}  # which is for the report
    assert len(list(built.glob("class_*.html"))) == 3


def test_pages_say_what_they_rank_and_what_may_not_be_concluded(built):
    for page in built.glob("*.html"):
        html = page.read_text()
        assert "hazard of forgetting, (forgetting events + ½) / (epochs at risk + 1)" in html
        assert "All are training samples" in html and "no evidence of why" in html
        assert not re.search("https?:", html) and "<script" not in html


@pytest.fixture
def small():
    return drawn_study(["a", "b"], each=8, runs=FEW)


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
        assert "No pictures are at hand" in html and "The traces were not given" in html
        assert "<svg" not in html and "taken for <" not in html and "<img" not in html
    assert "forgetting events: " in pages["index.html"]
    most = pages["index.html"].partition('<h2 id="classes"')[0]
    assert len(shown_ids(most)) == 24


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
    study = drawn_study(["seen", "unseen"], each=5, runs=[("net", 0), ("vit", 0)])
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


def test_a_folder_that_holds_something_else_is_left_alone(small, tmp_path):
    (tmp_path / "gallery").mkdir()
    (tmp_path / "gallery" / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match=r"holds thesis\.tex, which no earlier run"):
        build(tmp_path, small)
    assert (tmp_path / "gallery" / "thesis.tex").read_text() == "years of work"
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="is a file; name a folder"):
        build(tmp_path, small, "--output", str(tmp_path / "file"))


def test_the_folder_that_the_command_runs_in_is_not_replaced(small, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(UserError, match="is where the command runs; name a folder in it"):
        build(tmp_path, small, "--output", ".")
    assert not list((tmp_path / "here").iterdir())


def test_a_full_disk_is_told_and_leaves_the_earlier_gallery(small, tmp_path, monkeypatch):
    before = build(tmp_path, small)

    def refuse(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("retention.pages.cards.Path.write_bytes", refuse)
    with pytest.raises(UserError, match=r"gallery: cannot be written \(No space left on device\)"):
        build(tmp_path, small, cache=True)
    assert {path.name for path in (tmp_path / "gallery").iterdir()} == {*before, STRIP}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("none.npy", "layout.parquet"), r"none\.npy: cannot be read \(No such file"),
        (("layout.parquet", "pixels.npy"), r"layout\.parquet: holds no pixels of an image cache"),
        (("pixels.npy", "pixels.npy"), r"pixels\.npy: is not a Parquet file"),
        (("short.npy", "layout.parquet"), r"layout\.parquet: has no image of sample_index"),
    ],
)
def test_a_cache_that_is_none_is_told(small, tmp_path, names, said):
    files = write_study(small, tmp_path)
    write_cache(small, tmp_path)
    np.save(tmp_path / "short.npy", np.zeros(5000, np.uint8))
    files["cache"] = [tmp_path / name for name in names]
    with pytest.raises(UserError, match=said) as error:
        build_gallery.main([*options(files), "--output", str(tmp_path / "gallery")])
    assert "\n" not in str(error.value)


def test_a_gallery_is_made_anew_whole_or_stays_as_it_is(small, tmp_path):
    build(tmp_path, drawn_study(["a", "b", "c", "d"], runs=FEW))
    assert (tmp_path / "gallery" / "class_3.html").exists()
    (tmp_path / "gallery" / ".snakemake_timestamp").touch()
    pages = build(tmp_path, drawn_study(["a", "b"], runs=FEW))
    assert {*pages} == {"index.html", "disagreements.html", "class_0.html", "class_1.html"}
    paths = write_study(drawn_study(["a"], runs=FEW), tmp_path)
    cache = write_cache(
        drawn_study(["a"], each=5, runs=FEW), tmp_path
    )  # of a quarter of the images
    with pytest.raises(UserError, match=r"layout\.parquet: has no image of sample_index \d+; give"):
        build_gallery.main(
            [*options({**paths, "cache": cache}), "--output", str(tmp_path / "gallery")]
        )
    assert {path.name for path in (tmp_path / "gallery").iterdir()} == {*pages, STRIP}
    assert not list(tmp_path.glob(".gallery*"))


def test_runs_without_training_samples_are_refused(tmp_path):
    study = drawn_study(["a"], each=4, runs=FEW, held_out=4)
    with pytest.raises(UserError, match="no sample of the split train, which a gallery shows; its"):
        build(tmp_path, study)
