"""A real Chromium, headless: pages open from disk, and whatever they would fetch or complain of fails the test."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from debian import apt_install, reason_to_skip
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

WIDE, PHONE = {"width": 1400, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not shutil.which("chromium"):
        if reason := reason_to_skip():
            if os.environ.get("CI"):
                pytest.fail(f"no chromium, and installing it {reason}")
            pytest.skip(f"no chromium, and installing it {reason}")
        apt_install("chromium", "fonts-dejavu-core")
    with sync_playwright() as playwright:
        # --no-sandbox: root has none in containers; /dev/shm is small there
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a file in a window; at the end no page may have asked a network or complained."""
    contexts, faults = [], []

    def opened(path: Path, viewport: dict = WIDE, **context: object) -> Page:
        contexts.append(browser.new_context(viewport=viewport, accept_downloads=True, **context))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)  # a busy machine
        page.on("pageerror", lambda error: faults.append(f"{path.name}: {error}"))
        page.on("console", lambda line: line.type == "error" and faults.append(line.text))
        page.on("request", lambda request: _is_local(request.url) or faults.append(request.url))
        page.on("dialog", lambda dialog: (_note(dialog, faults), dialog.dismiss()))
        page.goto(path.resolve().as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


def _note(dialog: Dialog, faults: list[str]) -> None:
    """Note a dialog as a fault, but for the browser's question whether to leave, which a test waits for."""
    if dialog.type != "beforeunload":
        faults.append(f"dialog: {dialog.message}")


def _is_local(address: str) -> bool:
    return address.startswith(("file:", "data:", "blob:"))
