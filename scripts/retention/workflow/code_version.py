"""A digest of the code a script runs, so that a real edit reruns its results and nothing else does.

Modification times change with every clone and comments change with every review; neither changes
a result. The digest covers the script and every module of `retention` it imports, directly or
through others, without comments, blank lines and docstrings.
"""

import ast
import hashlib
import io
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = "retention"


@cache
def code_version(script: Path) -> str:
    """Return the first 16 hex digits of the digest of `script` and what it imports from us."""
    digest = hashlib.sha256()
    for source in sorted(imported_sources(script), key=lambda path: _name(script, path)):
        digest.update(_name(script, source).encode() + b"\0")
        digest.update(_significant_text_of(source).encode() + b"\0")
    return digest.hexdigest()[:16]


def imported_sources(script: Path) -> set[Path]:
    """Return `script` and all files of the package beside it that it imports transitively."""
    found: set[Path] = set()
    waiting = [Path(script)]
    while waiting:
        source = waiting.pop()
        if source not in found:
            found.add(source)
            waiting.extend(_direct_imports(source, Path(script).parent))
    return found


def significant_text(source: str) -> str:
    """Return the lines of Python `source` without comments, docstrings and blank lines.

    Blank lines inside a string literal are kept: they are data.
    """
    tree = ast.parse(source)
    lines = source.splitlines()
    for row, column in _comments(source):
        lines[row - 1] = lines[row - 1][:column]
    dropped = {row for node in _docstrings(tree) for row in _rows(node)}
    literal = {
        row
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant | ast.JoinedStr) and node.end_lineno > node.lineno
        for row in _rows(node)
    }
    kept = (
        line if row in literal else line.rstrip()
        for row, line in enumerate(lines, start=1)
        if row not in dropped and (row in literal or line.strip())
    )
    return "\n".join(kept)


@cache  # scripts share most modules
def _significant_text_of(source: Path) -> str:
    return significant_text(source.read_text(encoding="utf-8"))


def _name(script: Path, source: Path) -> str:
    return source.relative_to(Path(script).parent).as_posix()


@cache
def _direct_imports(source: Path, root: Path) -> tuple[Path, ...]:
    return tuple(_imports(source, root))


def _imports(source: Path, root: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.split(".")[0] == PACKAGE:
                yield from _files(root, name)


def _files(root: Path, module: str) -> Iterator[Path]:
    """Yield the module's file and the `__init__.py` of the packages that importing it runs."""
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        package = root.joinpath(*parts[:depth], "__init__.py")
        if package.is_file():
            yield package
    file = root.joinpath(*parts).with_suffix(".py")
    if file.is_file():
        yield file


def _comments(source: str) -> list[tuple[int, int]]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [token.start for token in tokens if token.type == tokenize.COMMENT]


def _docstrings(tree: ast.Module) -> Iterator[ast.Expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                yield first


def _rows(node: ast.stmt | ast.expr) -> range:
    return range(node.lineno, node.end_lineno + 1)
