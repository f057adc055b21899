"""A gallery in Chromium, opened from disk: links, widths, dark and print, the keyboard, hostile names."""

from itertools import pairwise

import pytest
from conftest import PHONE, WIDE
from shown_runs import HOSTILE, drawn_study, options, write_cache, write_study

from retention.commands import build_gallery


def build(study, folder, cache=True):
    files = write_study(study, folder)
    if cache:
        files["cache"] = write_cache(study, folder)
    build_gallery.main([*options(files), "--output", str(folder / "gallery")])
    return folder / "gallery"


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return build(drawn_study(each=30), tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A gallery in which all that data name is hostile."""
    runs = [(name, seed) for name in HOSTILE[:2] for seed in (0, 1)]
    study = drawn_study(HOSTILE, each=10, runs=runs)
    study.dataset = HOSTILE[0]
    study.samples["sample_id"] += [HOSTILE[i % len(HOSTILE)] for i in range(len(study.samples))]
    return build(study, tmp_path_factory.mktemp("hostile"))


def show_all(page) -> None:
    """Wait until every picture is loaded."""
    page.wait_for_function("[...document.images].every(image => image.complete)")


def test_every_link_leads_to_a_page_and_every_picture_is_seen(plain, open_page):
    page, seen, waiting = open_page(plain / "index.html"), set(), ["index.html"]
    while waiting:
        name = waiting.pop()
        seen.add(name)
        page.goto((plain / name).as_uri())
        show_all(page)
        broken = "[...document.images].filter(image => !image.naturalWidth || !image.alt).length"
        assert page.evaluate(broken) == 0
        links = page.eval_on_selector_all("a", "all => all.map(a => a.getAttribute('href'))")
        pages = {link.partition("#")[0] for link in links} - {""}
        waiting += pages - seen - {*waiting}
    assert seen == {path.name for path in plain.glob("*.html")}


def test_from_the_overview_to_a_class_and_on(plain, open_page):
    page = open_page(plain / "index.html")
    classes = page.locator(".classes a").all_inner_texts()
    page.locator(".classes a").first.click()
    assert page.locator("h1").inner_text() == f"Class {classes[0]} of birds"
    page.get_by_role("link", name="Class after").click()
    assert page.locator("h1").inner_text() == f"Class {classes[1]} of birds"
    page.get_by_role("link", name="Class before").click()
    page.get_by_role("link", name="Disagreements").click()
    assert page.get_by_role("heading", name="Held by resnet, lost by vit").count() == 1


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("which", ["plain", "hostile"])
def test_no_page_is_wider_than_the_window(which, size, request, open_page):
    folder = request.getfixturevalue(which)
    page = open_page(folder / "index.html", size)
    for file in sorted(folder.glob("*.html")):
        page.goto(file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], file.name
        outside = page.evaluate(
            "[...document.querySelectorAll('.cards > li *')].filter(part => "
            "part.getBoundingClientRect().right > part.closest('li').getBoundingClientRect().right + 1).length"
        )
        assert outside == 0, file.name
    assert page.locator(".cards").first.evaluate(
        "list => getComputedStyle(list).gridTemplateColumns.split(' ').length"
    ) == (2 if size is PHONE else 6)


def test_rasters_are_as_long_as_the_epochs(plain, open_page):
    """Full blocks and thin lines are drawn apart, and take up the whole drawing."""
    page = open_page(plain / "index.html")
    trace = page.locator(".cards .trace").first
    width, right, wrong = trace.evaluate(
        "trace => [trace.querySelector('svg').viewBox.baseVal.width,"
        " ...['right', 'wrong'].map(kind => trace.querySelector('.' + kind).getTotalLength())]"
    )
    assert right + wrong == pytest.approx(3 * 6)  # three seeds, six epochs
    assert width == pytest.approx(6.7)
    thick, thin = (
        page.locator(f".cards .trace .{kind}").first.evaluate(
            "path => parseFloat(getComputedStyle(path).strokeWidth)"
        )
        for kind in ("right", "wrong")
    )
    assert thick > 3 * thin > 0


def test_hostile_names_are_text_that_can_be_read(hostile, open_page):
    page = open_page(hostile / "index.html")
    for file in sorted(hostile.glob("*.html")):
        page.goto(file.as_uri())
        show_all(page)
        assert page.locator("script").count() == 0
        assert page.locator("img:not([src^='thumbnails/'])").count() == 0
        assert HOSTILE[0] in page.locator("h1").inner_text()
    page.goto((hostile / "index.html").as_uri())
    names = page.locator(".classes a").all_inner_texts()
    shown = {name.replace("\u202e", "\\u202e").strip() or "(no name, label 8)" for name in HOSTILE}
    assert {*names} == {" ".join(name.split()) for name in shown}
    page.locator(".classes a", has_text="x" * 200).click()
    assert page.locator("h1").inner_text() == f"Class {'x' * 200} of {HOSTILE[0]}"


def test_what_is_cut_unfolds_by_keyboard(hostile, open_page):
    page, told = open_page(hostile / "index.html"), []
    for name in ("index.html", "class_6.html"):
        page.goto((hostile / name).as_uri())
        folds = page.locator(".cards details")
        assert folds.count() > 3
        for fold in folds.all()[:8]:
            fold.locator("summary").focus()
            page.keyboard.press("Enter")
            whole = fold.locator(":scope > bdi")
            assert all(one.is_visible() for one in whole.all())
            summary = fold.locator("summary").inner_text()
            if "…" in summary:
                head, tail = summary.strip().split("…")
                assert whole.count() == 1
                text = whole.text_content().strip()
                assert len(text) > 45 and text.startswith(head) and text.endswith(tail)
            else:
                assert summary == f"taken for several classes ({whole.count()})"
            told.append("…" in summary)
    assert any(told)
    several = page.locator("summary", has_text="several classes")
    for name in sorted(path.name for path in hostile.glob("class_*.html")):
        page.goto((hostile / name).as_uri())
        told += [False] * several.count()
    assert not all(told)


def test_every_link_is_reached_by_the_keyboard(plain, open_page):
    page = open_page(plain / "index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#content"
    page.goto((plain / "index.html").as_uri())
    reached = []
    for _ in range(page.locator("a").count()):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.getAttribute('href')"))
    links = page.eval_on_selector_all("a", "all => all.map(a => a.getAttribute('href'))")
    assert reached == links
    while page.evaluate("document.activeElement.closest('.classes') === null"):
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/class_*.html")


def test_pages_are_told_in_words(plain, open_page):
    """Headings in order, a name for every picture and drawing, and colour never alone."""
    page = open_page(plain / "index.html")
    for file in sorted(plain.glob("*.html")):
        page.goto(file.as_uri())
        levels = page.eval_on_selector_all(
            "h1, h2, h3, h4", "all => all.map(heading => Number(heading.tagName[1]))"
        )
        assert levels[0] == 1 and levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))
        drawings = page.eval_on_selector_all(
            ".trace", "all => all.map(one => [one.getAttribute('role'), one.ariaLabel])"
        )
        assert drawings and all(role == "img" and "seed" in words for role, words in drawings)
        pictures = page.eval_on_selector_all("img", "all => all.map(image => image.alt)")
        words = ("hazard", "never learned", "never at risk")
        assert all(", sample " in alt and any(word in alt for word in words) for alt in pictures)


def test_dark_and_printed_pages_can_be_read(plain, open_page):
    def ink(page):
        return [
            sum(int(part) for part in colour.strip("rgba()").split(",")[:3])
            for colour in page.evaluate(
                "[getComputedStyle(document.documentElement).backgroundColor, getComputedStyle(document.body).color]"
            )
        ]

    paper, text = ink(open_page(plain / "class_0.html", color_scheme="dark"))
    assert paper < 150 and text > 600
    page = open_page(plain / "class_0.html", color_scheme="light")
    paper, text = ink(page)
    assert paper > 700 and text < 150
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert page.locator(".cards img").first.is_visible()


def test_without_pictures_and_with_one_run(tmp_path, open_page):
    study = drawn_study(["only"], each=8, runs=[("net", 0)], held_out=0)
    page = open_page(build(study, tmp_path, cache=False) / "class_0.html", PHONE)
    assert page.locator("img").count() == 0
    assert page.locator(".cards .id").first.is_visible()
    page.get_by_role("link", name="Disagreements").click()
    assert "no two can disagree" in page.locator("main").inner_text()
