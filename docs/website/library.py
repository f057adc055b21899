"""The pages of the Python library: signatures and docstrings of its public modules, read and not imported."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "scripts/retention"
# Rooms that other code may import, and what lies there; modules and names that begin with _ are no part of it.
PUBLIC = {
    "dynamics": "what happened to each sample of a run: events, labels, decay fits and definitions",
    "runs": "files of runs as matrices",
    "statistics": "numbers in, numbers out: ranks, resampling, variance components",
    "measuring": "what a finding and a figure declare, and tables of findings",
    "sampling": "treatments, exposures and orders of samples",
    "samplers": "a sampler each",
    "reviews": "schedules of reviews from other runs' scores",
    "common": "files, errors, options, parts that are loaded by name",
}
INTRODUCTION = """# Python library

`pip install .` gives `import retention` ([as a package](../software.md#as-a-package)). These rooms may be imported. What a function returns, with
shapes and units, and what it raises stands in its docstring. A name that begins with `_` may change without notice.

"""


def page(root: Path) -> str:
    """Return the page of the rooms, as Markdown; `write_rooms` makes those that it leads to."""
    listed = "".join(
        f"- [`retention.{room}`](python/{room}.md): {told}.\n" for room, told in PUBLIC.items()
    )
    tree = "\n".join(f"retention.{room} <python/{room}>" for room in PUBLIC)
    return f"{INTRODUCTION}{listed}\n```{{toctree}}\n:hidden:\n\n{tree}\n```\n"


def write_rooms(root: Path, folder: Path) -> None:
    """Write a page for each room into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for room in PUBLIC:
        (folder / f"{room}.md").write_text(room_page(root, room), encoding="utf-8")


def room_page(root: Path, room: str) -> str:
    """Return the page of a room, as Markdown: a section for each public module."""
    text = f"# retention.{room}\n\n{_first_letter(PUBLIC[room])}.\n"
    for path in public_modules(root, room):
        parts = path.relative_to(root / "scripts").with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        lines = path.read_text(encoding="utf-8").splitlines()
        described = "".join(_described(tree.body, lines))
        title = name.removeprefix(f"retention.{room}.")
        text += f"\n## {title}\n\n```{{py:module}} {name}\n```\n\n{_docstring(tree)}\n\n{described}"
    return text


def public_modules(root: Path, room: str) -> list[Path]:
    """Return the files of a room's modules whose names do not begin with `_`, those in folders among them."""
    folder = root / PACKAGE / room
    paths = sorted(path for path in folder.rglob("*.py") if ast.parse(path.read_text("utf-8")).body)
    return [
        path
        for path in paths
        if not any(part.startswith("_") for part in path.relative_to(folder).parts)
    ]


def _described(body: list[ast.stmt], lines: list[str], within: str = "") -> Iterator[str]:
    """Yield a directive for each public function and class of a module or class."""
    for node in body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield _function(node, within)
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield _class(node, lines)
        elif within and isinstance(node, ast.AnnAssign):
            yield _field(node, lines)


def _function(node: ast.FunctionDef, within: str) -> str:
    if _is_property(node):
        returned = f":type: {ast.unparse(node.returns)}\n" if node.returns else ""
        return _directive("py:property", node.name, returned + "\n" + _docstring(node))
    if within:
        node.args.args = node.args.args[1:]  # self
    returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    kind = "py:method" if within else "py:function"
    return _directive(kind, f"{node.name}({ast.unparse(node.args)}){returned}", _docstring(node))


def _is_property(node: ast.FunctionDef) -> bool:
    return any("property" in ast.unparse(decorator) for decorator in node.decorator_list)


def _class(node: ast.ClassDef, lines: list[str]) -> str:
    members = "".join(_described(node.body, lines, within=node.name))
    return _directive("py:class", node.name, f"{_docstring(node)}\n\n{members}", fence="`" * 4)


def _field(node: ast.AnnAssign, lines: list[str]) -> str:
    """Return a field of a dataclass; what it is stands in the comment behind it."""
    name = ast.unparse(node.target)
    if name.startswith("_"):
        return ""
    comment = lines[node.end_lineno - 1].partition("  # ")[2]
    return _directive("py:attribute", name, f":type: {ast.unparse(node.annotation)}\n\n{comment}")


def _directive(kind: str, signature: str, content: str, fence: str = "`" * 3) -> str:
    return f"{fence}{{{kind}}} {signature}\n{content.rstrip()}\n{fence}\n\n"


def _docstring(node: ast.Module | ast.FunctionDef | ast.ClassDef) -> str:
    return as_markdown(ast.get_docstring(node) or "")


def as_markdown(text: str) -> str:
    """Return a docstring as Markdown: what is no code is no HTML either, as <rule> in coverage_<rule>."""
    pieces = re.split(r"(`[^`]*`|^    .*$)", text, flags=re.MULTILINE)
    return "".join(
        piece if place % 2 else piece.replace("<", "\\<") for place, piece in enumerate(pieces)
    )


def _first_letter(text: str) -> str:
    return text[:1].upper() + text[1:]
