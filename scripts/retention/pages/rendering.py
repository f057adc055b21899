"""Pages from templates: whatever text a value holds, it is text in the page."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from retention.common.digests import digest_file, digest_of
from retention.common.escapes import escaped

TEMPLATES = Path(__file__).parent / "templates"
# Letters of a name in a card or a row; the explorer's script has the same.
LONGEST, HEAD, TAIL = 45, 24, 20


def render(template: str, **values: object) -> str:
    """Return a page: a file of `templates/` with values, which are escaped but for those marked as safe.

    Raises jinja2's `UndefinedError` where the template names a value that was not given.
    """
    return _environment().get_template(template).render(**values)


def digest_of_templates() -> str:
    """Return a digest of all templates: pages are made anew when one says something else."""
    return digest_of({file.name: digest_file(file) for file in TEMPLATES.iterdir()})


def shortened(text: str) -> str:
    """Return a text, of a long one its beginning and its end: names that begin alike are told apart by the end."""
    return text if len(text) <= LONGEST else f"{text[:HEAD]}…{text[-TAIL:]}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["printed"] = escaped  # names that would turn the direction of the line
    environment.filters["shortened"] = shortened
    return environment
