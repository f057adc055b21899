"""Libraries that a page carries within itself, and what lets a browser run these scripts and no other."""

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

# What an inlined text must not hold: an element of a page ends, or begins, with it.
ENDS = re.compile(r"<(?=!--|/?script)", re.IGNORECASE)
# At the end of DataTables' bundle, an ES module: what it gives, by the names that it has inside and outside.
EXPORTS = re.compile(r"export\s*\{([^{}]*)\};?")


@dataclass(frozen=True)
class Library:
    """A library as its wheel ships it: what the footer of a page tells of it."""

    name: str
    version: str
    licence: str
    address: str


@cache
def plot_library() -> tuple[str, Library]:
    """Return the script of Bokeh's core, which sets the global `Bokeh`, and what it is."""
    from bokeh.resources import Resources

    script = Resources(mode="inline", components=["bokeh"], log_level="warn").js_raw[0]
    return script, Library("Bokeh", version("bokeh"), "BSD-3-Clause", "bokeh.org")


@cache
def table_library() -> tuple[str, str, tuple[Library, ...]]:
    """Return DataTables' script, which sets the global `DataTables`, its style sheet and what they are.

    Raises `ValueError` where the bundle of itables does not end as an ES module with a default export.
    """
    import itables

    folder = Path(itables.__file__).parent / "html"
    bundle = (folder / "dt_bundle.js").read_text(encoding="utf-8")
    style = (folder / "dt_bundle.css").read_text(encoding="utf-8")
    script, replaced = EXPORTS.subn(
        lambda match: f"globalThis.DataTables={_given(match[1])};", bundle
    )
    if replaced != 1:
        raise ValueError(f"{folder}/dt_bundle.js: expected one list of exports, found {replaced}")
    found = tuple(
        Library(name, _version_in(pattern, bundle), "MIT", address)
        for name, pattern, address in (
            ("DataTables", r"\(\*! DataTables (\d[\d.]*\d)", "datatables.net"),
            ("jQuery", r"jQuery JavaScript Library v(\d[\d.]*\d)", "jquery.com"),
            ("JSZip", r"JSZip v(\d[\d.]*\d)", "stuk.github.io/jszip"),
        )
    )
    bundled = Library("itables", version("itables"), "MIT", "mwouts.github.io/itables")
    return script, style, (*found, bundled)


def inline(script: str) -> str:
    """Return a script that ends no element: `<!--` and `</script` stand in its strings alone, where `\\<` is `<`.

    Browsers read line ends as \\n, so the text has no others: its digest is the one that they compute.
    """
    return ENDS.sub(r"\\x3c", script.replace("\r\n", "\n").replace("\r", "\n"))


def policy_of(scripts: list[str]) -> str:
    """Return the content security policy of a page that runs these inlined scripts, asks no network and sends nothing."""
    digests = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    return (
        f"default-src 'none'; script-src {digests}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _given(exports: str) -> str:
    """Return an object of what a module exports: `a as b,c as d` as `{b:a,d:c}`; raise `ValueError` without a default."""
    pairs = [pair.split(" as ") for pair in exports.split(",")]
    given = {pair[-1].strip(): pair[0].strip() for pair in pairs}
    if "default" not in given:
        raise ValueError(f"the bundle of itables exports {', '.join(given)}; expected a default")
    return "{" + ",".join(f"{outside}:{inside}" for outside, inside in given.items()) + "}"


def _version_in(pattern: str, bundle: str) -> str:
    found = re.search(pattern, bundle)
    return found[1] if found else ""
