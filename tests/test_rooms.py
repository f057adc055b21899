"""The walls of the rooms that import contracts can not name: figures and sentences measure nothing."""

import ast

from conftest import ROOT

LIBRARY = ROOT / "scripts" / "retention"
SEEN = ("retention.common", "retention.reporting")


def imported(path):
    """Return the modules of ours that a file imports, as it names them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names += [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    ]
    return [name for name in names if name.split(".")[0] == "retention"]


def test_figures_and_sentences_see_tables_alone():
    files = [
        *LIBRARY.glob("findings/*/draw_*.py"),
        *LIBRARY.glob("findings/*/sentences.py"),
        *LIBRARY.glob("figures/*/draw_*.py"),
    ]
    assert len(files) >= 16
    wrong = [
        (path.relative_to(LIBRARY).as_posix(), name)
        for path in files
        for name in imported(path)
        if not name.startswith(SEEN)
    ]
    assert wrong == []


def test_only_the_loader_imports_by_name():
    """What the digest of a job's code follows are imports and `load_part`."""
    users = [
        path.relative_to(LIBRARY).as_posix()
        for path in LIBRARY.rglob("*.py")
        if {"import_module", "__import__", "run_path", "run_module"}
        & {
            name.id if isinstance(name, ast.Name) else name.attr
            for name in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(name, ast.Name | ast.Attribute)
        }
    ]
    assert users == ["common/parts.py"]
