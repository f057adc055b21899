"""A digest of the code a job runs, so that a real edit reruns its results and nothing else does.

Modification times change with every clone and comments change with every review; neither changes
a result. The digest covers the script and every module of `retention` it imports, directly or
through others, without comments, blank lines and docstrings.

Modules that are loaded by name (`common.parts.load_part`) are those that the job is said to use; of a room of
which nothing is said, all of it counts, and where a module loads what can not be told from its text, the whole
package does. So the digest may be too large, and is never too small: what is not seen is a program that
`os.system` and its like start, and none of ours does.
"""

import ast
import gc
import hashlib
import io
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = "retention"
LOADER = "load_part"
LOADERS_HOME = "retention/common/parts.py"
# What else runs code by its name or text: a module that speaks of one may load anything.
IMPORTERS = {"import_module", "__import__", "exec_module", "run_path", "run_module", "resolve_name"}
EVALUATORS = {"exec", "eval"}  # of a model, `eval` is a method
LAUNCHERS = {"builtins", "imp", "pkgutil", "runpy", "subprocess", "zipimport"}
HARMLESS = {"importlib.metadata", "importlib.resources"}
# What users import from the package itself; no module of ours may (`tests/project/test_rooms.py`).
FACE, FACE_HOME = "__getattr__", "retention/__init__.py"
# By room, such as retention.findings, the parts or their modules that a job loads: early_loss.measure.
Parts = Mapping[str, Iterable[str]]


def code_version(script: Path, parts: Parts | None = None) -> str:
    """Return the first 16 hex digits of the digest of `script` and what it imports from us."""
    return _code_version(Path(script), _hashable(parts or {}))


def imported_sources(script: Path, parts: Parts | None = None) -> set[Path]:
    """Return `script` and all files of the package beside it that it imports or loads, transitively."""
    return set(_imported_sources(Path(script), _hashable(parts or {})))


@cache
def _code_version(script: Path, parts: tuple) -> str:
    digest = hashlib.sha256()
    for source in sorted(_imported_sources(script, parts), key=lambda path: _name(script, path)):
        digest.update(_name(script, source).encode() + b"\0")
        digest.update(_read(source, script.parent).text.encode() + b"\0")
    return digest.hexdigest()[:16]


def _imported_sources(script: Path, parts: tuple) -> set[Path]:
    known, root = dict(parts), script.parent
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        source = waiting.pop()
        if source not in found:
            found.add(source)
            read = _read(source, root)
            waiting.extend(read.imports)
            for room in read.rooms:
                waiting.extend(_loaded(root, room, known.get(room)))
    return found


def _hashable(parts: Parts) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(sorted((room, tuple(sorted(set(names)))) for room, names in parts.items()))


def _loaded(root: Path, room: str, names: Iterable[str] | None) -> Iterator[Path]:
    """Yield the files of the named parts of a room, of all of it where none are named."""
    if names is None:
        yield from root.joinpath(*room.split(".")).rglob("*.py")
        return
    for name in names:
        yield from _files(root, f"{room}.{name}")


def significant_text(source: str) -> str:
    """Return the lines of Python `source` without comments, docstrings and blank lines.

    Blank lines inside a string literal are kept: they are data. So is one that ends a continued line.
    """
    return _significant_text(source, list(ast.walk(ast.parse(source))))


def _significant_text(source: str, nodes: list[ast.AST]) -> str:
    lines = source.split("\n")  # as Python counts: str.splitlines knows more ends of a line
    for row, column in _comments(source, nodes):
        lines[row - 1] = lines[row - 1][:column]
    dropped = {row for node in _docstrings(nodes) if _alone(node, lines) for row in _rows(node)}
    # The last row of a string ends with code: what trails it is none.
    literal = {
        row
        for node in nodes
        if isinstance(node, ast.Constant | ast.JoinedStr)
        for row in _rows(node)[:-1]
    }
    continued = {row + 1 for row, line in enumerate(lines, start=1) if line.endswith("\\")}
    kept = (
        line if row in literal else line.rstrip()
        for row, line in enumerate(lines, start=1)
        if row not in dropped and (row in literal | continued or line.strip())
    )
    return "\n".join(kept)


def _name(script: Path, source: Path) -> str:
    return source.relative_to(Path(script).parent).as_posix()


@dataclass(frozen=True)
class _Read:
    """What a digest takes from a source: its text, the files that it imports, the rooms that it loads parts of."""

    text: str
    imports: tuple[Path, ...]
    rooms: frozenset[str]


@cache  # scripts share most modules
def _read(source: Path, root: Path) -> _Read:
    text = source.read_text(encoding="utf-8")
    place = source.relative_to(root)
    if place.as_posix() == FACE_HOME:
        text = _without_face(text)
    with _garbage_kept():
        nodes = list(ast.walk(ast.parse(text)))
        rooms = () if place.as_posix() == LOADERS_HOME else _rooms(nodes)
        imports = tuple(_imports(nodes, root, place.parent.parts))
        return _Read(_significant_text(text, nodes), imports, frozenset(rooms))


@contextmanager
def _garbage_kept() -> Iterator[None]:
    """Let no garbage be looked for: trees of sources are many objects and no circles, and the search takes longest."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _without_face(text: str) -> str:
    """Return the package's own source without the function that gives users what they ask it for."""
    faces = [
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.name == FACE
    ]
    dropped = {row for node in faces for row in _rows(node)}
    lines = enumerate(text.split("\n"), start=1)
    return "\n".join(line for row, line in lines if row not in dropped)


def _rooms(nodes: list[ast.AST]) -> Iterator[str]:
    """Yield the room of each call of the loader; the whole package where it can not be told."""
    calls = [node for node in nodes if isinstance(node, ast.Call) and _name_of(node.func) == LOADER]
    called = {call.func for call in calls}
    for call in calls:
        room = call.args[0] if call.args else None
        if isinstance(room, ast.Constant) and isinstance(room.value, str):
            yield room.value
        else:
            yield PACKAGE
    if any(node not in called and _imports_by_name(node) for node in nodes):
        yield PACKAGE


def _imports_by_name(node: ast.AST) -> bool:
    """Return whether a node other than a call of the loader may bring in any module.

    It does so where the loader gets another name, is passed on or is spoken of, and where Python's own are.
    """
    if isinstance(node, ast.Import):
        return any(_launches(alias.name) for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        renamed = {alias.name for alias in node.names if alias.asname}
        names = {f"{node.module}.{alias.name}" for alias in node.names}
        harmless = node.module in HARMLESS or names <= HARMLESS
        named = IMPORTERS & {alias.name for alias in node.names} or LOADER in renamed
        return bool(named) or (_launches(node.module or "") and not harmless)
    if isinstance(node, ast.Constant):
        return node.value == LOADER
    evaluates = isinstance(node, ast.Name) and node.id in EVALUATORS
    return evaluates or _name_of(node) in {LOADER, *IMPORTERS}


def _launches(module: str) -> bool:
    """Return whether a module of Python's own can run code that its caller does not import."""
    return module.split(".")[0] in {*LAUNCHERS, "importlib"} and module not in HARMLESS


def _name_of(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _imports(nodes: list[ast.AST], root: Path, package: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files that a module of `package` imports: of ours, and scripts beside the script."""
    for node in nodes:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*above, *filter(None, [node.module])))
            names = [module] + [f"{module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.endswith(".*"):  # may import whatever the package lists
                yield from root.joinpath(*name.split(".")[:-1]).rglob("*.py")
            else:
                yield from _files(root, name)


@cache  # most modules are imported by many
def _files(root: Path, module: str) -> tuple[Path, ...]:
    """Return the module's file and the `__init__.py` of the packages that importing it runs."""
    parts = module.split(".")
    packages = (root.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1))
    file = root.joinpath(*parts).with_suffix(".py")
    return tuple(path for path in (*packages, file) if path.is_file())


def _comments(source: str, nodes: list[ast.AST]) -> list[tuple[int, int]]:
    """Return row and column of each comment; tokens are read only where the strings' places do not tell: that is slow."""
    if "#" not in source:
        return []
    found = _beside_strings(source, nodes)
    if found is None:
        tokens = tokenize.generate_tokens(io.StringIO(source).readline)
        found = [token.start for token in tokens if token.type == tokenize.COMMENT]
    return found


def _beside_strings(source: str, nodes: list[ast.AST]) -> list[tuple[int, int]] | None:
    """Return where each row's first # outside of strings stands; None where one is in a row of a string of several rows.

    Between the parts of such a string there may be comments. A string of one row has none inside.
    """
    marked = {row: line for row, line in enumerate(source.split("\n"), start=1) if "#" in line}
    strings: dict[int, list[tuple[int, int]]] = {row: [] for row in marked}
    for node in nodes:
        if not isinstance(node, ast.Constant | ast.JoinedStr) or _is_number(node):
            continue
        for row in _rows(node):
            if row in marked:
                if node.lineno != node.end_lineno:
                    return None
                strings[row].append((node.col_offset, node.end_col_offset or 0))
    found = []
    for row, line in marked.items():
        bare = bytearray(line.encode())  # columns of `ast` count bytes
        for start, end in strings[row]:
            bare[start:end] = b"_" * (end - start)
        if (place := bare.find(b"#")) >= 0:
            found.append((row, len(line.encode()[:place].decode())))
    return found


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not isinstance(node.value, str | bytes)


def _docstrings(nodes: list[ast.AST]) -> Iterator[ast.Expr]:
    for node in nodes:
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                yield first


def _alone(node: ast.Expr, lines: list[str]) -> bool:
    """Return whether no code shares the rows of a docstring; columns of `ast` count bytes."""
    before = lines[node.lineno - 1].encode()[: node.col_offset]
    after = lines[_rows(node)[-1] - 1].encode()[node.end_col_offset :]
    return not before.strip() and not after.strip()


def _rows(node: ast.stmt | ast.expr) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)
