"""Build the documentation's site: `make docs`, or

    python docs/make_site.py

It writes the pages into build/docs/pages and the site into build/docs/html. A warning, such as a link that leads nowhere, is an error.
"""

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS.parent / "scripts"), str(DOCS)]

from website.pages import stage

from retention.common.errors import UserError, run_command

ROOT = DOCS.parent
FOLDER = ROOT / "build/docs"
NEEDED = ("sphinx", "myst_parser", "pydata_sphinx_theme", "sphinx_copybutton")


def main(argv: Sequence[str] | None = None) -> None:
    """Build the site, and say where it is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args(argv)
    page = build(FOLDER)
    print(f"{page.relative_to(ROOT)}: open it in a browser; no network is needed")


def build(folder: Path) -> Path:
    """Write the pages, build the site of them and return its first page; raise `UserError` where that does not succeed."""
    pages = folder / "pages"
    try:
        stage(ROOT, pages)
    except ValueError as error:
        raise UserError(f"docs: {error}") from error
    return build_html(pages, folder)


def build_html(pages: Path, folder: Path) -> Path:
    """Build the site of pages into `folder`/html and return its first page; raise `UserError` where Sphinx warns of anything."""
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        raise UserError(
            f"docs: needs {missing[0]}, which is not installed; pip install -r requirements-dev.txt"
        )
    from sphinx.cmd.build import main as sphinx

    html = folder / "html"
    strict = ["--fail-on-warning", "--quiet", "-E", "-d", str(folder / "doctrees")]
    if sphinx(["-b", "html", "-c", str(DOCS / "website"), *strict, str(pages), str(html)]):
        raise UserError(
            f"docs: the site was not built; mend what Sphinx names above, in docs/ or in the source that {pages} is made of"
        )
    return html / "index.html"


if __name__ == "__main__":
    run_command(main)
