"""docs/notebook.md shows what its code prints."""

import importlib.util

import pytest
from sources import ROOT


@pytest.fixture
def run_page():
    """The function of docs/run_page.py, which is no module of a package."""
    place = importlib.util.spec_from_file_location("run_page", ROOT / "docs/run_page.py")
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    return module.run_page


def test_the_page_shows_what_its_code_prints(run_page):
    text = (ROOT / "docs/notebook.md").read_text(encoding="utf-8")
    assert text.count("```text") == 4
    assert run_page(text) == text


def test_a_page_is_run_from_top_to_bottom(run_page):
    page = "a\n\n```python\nx = 2\n```\n\nb\n\n```python\nprint(x + 1)\n```\n\n```text\nstale\n```\nc\n"
    assert run_page(page) == page.replace("stale", "3")
