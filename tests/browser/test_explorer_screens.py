"""The explorer on every screen, with names that would break a page, and with little to show."""

import pytest
from conftest import PHONE, WIDE
from explored import PLOT, build, column, download, drawn, opened, written
from explorer_study import HOSTILE, write_explorer_study
from playwright.sync_api import Page, expect


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    return write_explorer_study(tmp_path_factory.mktemp("explored"))


@pytest.fixture(scope="session")
def path(study):
    return build(study.index.parent / "explorer.html", study.words())


@pytest.fixture
def page(open_page, path) -> Page:
    return opened(open_page, path)


@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_its_window_and_the_plot_has_its_colours(
    open_page, path, viewport, scheme
):
    page = opened(open_page, path, viewport, color_scheme=scheme)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= viewport["width"]
    paper = {"light": "#ffffff", "dark": "#14171a"}
    assert page.evaluate(f"() => {PLOT}.background_fill_color") == paper[scheme]
    width = page.evaluate("() => document.getElementById('plot').getBoundingClientRect().width")
    assert 300 < width < viewport["width"]
    other = {"light": "dark", "dark": "light"}[scheme]
    page.emulate_media(color_scheme=other)
    page.wait_for_function(f"() => {PLOT}.background_fill_color === '{paper[other]}'")
    assert page.evaluate("() => document.documentElement.classList.contains('dark')") == (
        other == "dark"
    )


def test_a_finger_scrolls_over_the_plot(open_page, path):
    page = opened(open_page, path, PHONE, has_touch=True)
    assert page.evaluate("() => [...document.querySelectorAll('#plot *')].length") > 0
    tools = f"() => {PLOT}.toolbar.tools.filter((tool) => tool.active).map((tool) => tool.type)"
    assert page.evaluate(tools) == ["TapTool"]


def test_names_are_text_and_readable(page):
    page.get_by_role("combobox", name="rows a page").select_option("100")
    ids, classes = column(page, 2), column(page, 3)
    for name in HOSTILE[:-1]:
        assert written(name) in {text.strip() for text in classes}, name
        assert any(written(name) in text for text in ids), name
    assert "(no name)" in classes
    assert page.locator("main img, main i, main iframe").count() == 0
    for box in page.locator("#table tbody input").all()[:12]:
        box.focus()
    assert page.evaluate("() => document.querySelectorAll('script').length") == 4
    for name in HOSTILE:
        assert page.locator("#class option").filter(has_text=written(name)[:150]).count() >= 1


def test_a_page_of_samples_alone_works(open_page, study, tmp_path):
    words = study.words(traces=False, cache=False)
    page = opened(open_page, build(tmp_path / "bare.html", words))
    page.locator("#table tbody input").first.focus()
    expect(page.locator("#details dl")).to_contain_text("Confidence")
    assert page.locator("#details svg").count() == page.locator(".thumbnail").count() == 0
    assert len(download(page, page.locator("#download").click)) == 40


def test_one_sample_of_one_run_works(open_page, tmp_path):
    study = write_explorer_study(tmp_path, 1, ["only"], [("one", 3)], held_out=False)
    page = opened(open_page, build(tmp_path / "one.html", study.words()))
    expect(page.locator("#told")).to_have_text("1 of 1 samples shown, 0 selected.")
    assert len(drawn(page)["row"]) == 1
    page.select_option("#x_statistic", "hazard")
    expect(page.locator("#caption")).to_have_text("No sample has a place in this plot.")
