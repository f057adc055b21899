"""The site in a browser: opened from disk, wide and on a phone, light and dark, and searched without a network."""

import sys

import pytest
from conftest import PHONE, WIDE
from sources import ROOT

sys.path.insert(0, str(ROOT / "docs"))
import make_site

KINDS = (
    "index.html",
    "how_to.html",
    "tutorial.html",
    "glossary.html",
    "method.html",
    "samples.html",
    "findings/f3_seed_stability.html",
    "paper.html",
    "reference/commands.html",
    "reference/configuration.html",
    "reference/findings.html",
    "reference/python/statistics.html",
    "decisions/index.html",
    "changelog.html",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return make_site.build(tmp_path_factory.mktemp("site")).parent


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_kind_of_page_fits_and_can_be_read(site, open_page, size, scheme):
    page = open_page(site / KINDS[0], size, color_scheme=scheme)
    for kind in KINDS:
        page.goto((site / kind).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], kind
        ink, paper = page.evaluate(
            "[getComputedStyle(document.querySelector('article p')).color, getComputedStyle(document.body).backgroundColor]"
        )
        bright = [sum(map(int, colour[4:-1].split(", "))) for colour in (ink, paper)]
        assert (bright[0] < bright[1]) == (scheme == "light") and abs(bright[0] - bright[1]) > 400
        page.wait_for_function("[...document.images].every(image => image.complete)")
        assert page.evaluate("[...document.images].filter(one => !one.naturalWidth).length") == 0


def test_a_word_is_found(site, open_page):
    page = open_page(site / "search.html")
    page.goto((site / "search.html").as_uri() + "?q=hazard")
    for found in ("glossary.html", "method.html"):  # they come one after the other
        page.wait_for_selector(f"#search-results li a[href*='{found}']")


def test_every_section_is_reached_from_the_first_page(site, open_page):
    page = open_page(site / "index.html")
    linked = page.eval_on_selector_all("header nav a", "all => all.map(one => one.pathname)")
    sections = {path.rpartition("/")[2] for path in linked}
    assert {"begin.html", "how_to.html", "method_and_findings.html", "reference.html"} <= sections
    page.click("header nav a:has-text('Reference')")
    page.click("nav.bd-docs-nav a:has-text('Configuration')")
    assert page.inner_text("h1").startswith("Configuration")


def test_a_link_to_an_anchor_shows_its_heading(site, open_page):
    page = open_page(site / "reading_results.html")
    page.click("article a:has-text('A specification curve')")
    page.wait_for_selector("#how-to-read-a-specification-curve")
    top = page.evaluate(
        "document.querySelector('#how-to-read-a-specification-curve').getBoundingClientRect().top"
    )
    assert 0 <= top < WIDE["height"] / 2
