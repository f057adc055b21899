"""The report's first page in a browser: opened from disk, on a phone, in the dark, by keyboard; its names are text."""

import zipfile

import pytest
from conftest import PHONE, WIDE
from report_study import HOSTILE, write_results

from retention.commands import build_report


@pytest.fixture(scope="module")
def page_of_report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    results = folder / "results" / "mine"
    words = ["--study", "mine", "--results", results, "--files", *write_results(results)]
    build_report.main([*map(str, words), "--output", str(folder / "report.zip")])
    with zipfile.ZipFile(folder / "report.zip") as report:
        report.extractall(folder)
    return folder / "mine" / "index.html"


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_read(page_of_report, open_page, size, scheme):
    page = open_page(page_of_report, size, color_scheme=scheme)
    widest = page.evaluate("document.documentElement.scrollWidth")
    assert widest <= size["width"]
    ink, paper = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.documentElement).backgroundColor]"
    )
    bright = [sum(map(int, colour[4:-1].split(", "))) for colour in (ink, paper)]
    assert (bright[0] < bright[1]) == (scheme == "light") and abs(bright[0] - bright[1]) > 450
    page.evaluate("document.querySelectorAll('img').forEach(image => image.loading = 'eager')")
    page.wait_for_function("[...document.images].every(image => image.complete)")
    assert page.evaluate("[...document.images].filter(image => !image.naturalWidth).length") == 0


def test_figures_scroll_in_their_own_frames_and_are_never_scaled(page_of_report, open_page):
    for size in (WIDE, PHONE):
        page = open_page(page_of_report, size)
        page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
        shown = page.eval_on_selector_all(
            ".frame img",
            "all => all.map(i => [parseFloat(getComputedStyle(i).width), +i.getAttribute('width'), i.closest('.frame').clientWidth])",
        )
        assert shown
        for width, natural, frame in shown:
            assert abs(width - natural) < 1 and frame <= size["width"]
        assert max(width for width, _, _ in shown) >= 600


def test_a_phone_is_told_of_figures_that_scroll_and_print_has_them_whole(page_of_report, open_page):
    page = open_page(page_of_report, PHONE)
    assert page.locator(".sideways").first.is_visible()
    assert not open_page(page_of_report, WIDE).locator(".sideways").first.is_visible()
    page = open_page(page_of_report, {"width": 700, "height": 1000})
    page.emulate_media(media="print")
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    cut = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).length"
    assert page.eval_on_selector_all(".frame, .forgotten ul", cut) == 0
    assert (
        page.locator(".forgotten li").count() == page.locator(".forgotten li:visible").count() > 0
    )


def test_the_forgotten_images_are_in_the_first_screen(page_of_report, open_page):
    for size in (WIDE, PHONE):
        page = open_page(page_of_report, size)
        picture = page.locator(".forgotten img").first.bounding_box()
        assert picture["y"] + picture["height"] < size["height"]


def test_links_and_folds_are_reached_by_keyboard(page_of_report, open_page):
    page = open_page(page_of_report)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    seen = set()
    for _ in range(200):
        page.keyboard.press("Tab")
        tag, target = page.evaluate(
            "[document.activeElement.tagName, document.activeElement.getAttribute('href')]"
        )
        if tag == "BODY":
            break
        seen.add(target or tag)
    targets = page.eval_on_selector_all(
        "main a, nav a, .forgotten a",
        "all => all.filter(a => !a.closest('details:not([open])')).map(a => a.getAttribute('href'))",
    )
    assert {*targets} <= seen and "SUMMARY" in seen
    page.locator("summary", has_text="config.yaml").click()
    assert HOSTILE in page.locator("pre").inner_text()


def test_the_gallery_is_one_click_away(page_of_report, open_page):
    page = open_page(page_of_report)
    page.locator("nav a", has_text="Gallery").click()
    assert page.locator("body").inner_text() == "gallery"
