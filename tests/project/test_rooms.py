"""The walls of the rooms that import contracts can not name: figures and sentences measure nothing."""

import ast

from sources import ROOT

from retention.workflow.code_version import FACE, PACKAGE, _rooms

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
        *LIBRARY.glob("findings/*/printed.py"),
        *LIBRARY.glob("figures/*/draw_*.py"),
    ]
    assert len(files) >= 24
    wrong = [
        (path.relative_to(LIBRARY).as_posix(), name)
        for path in files
        for name in imported(path)
        if not name.startswith(SEEN)
    ]
    assert wrong == []


def test_what_jobs_run_imports_by_name_in_the_loader_alone():
    """What the digest of a job's code follows are imports and `load_part`."""
    users = {
        path.relative_to(LIBRARY).as_posix()
        for path in LIBRARY.rglob("*.py")
        if PACKAGE in _rooms([*ast.walk(ast.parse(path.read_text(encoding="utf-8")))])
    }
    jobless = {"commands/recover_lock.py", "commands/check_software.py"}
    assert {name for name in users if not name.startswith("workflow/")} <= {
        "common/parts.py",
        *jobless,
    }


def test_no_job_starts_programs():
    """The digest can not see what `os.system` and its like would run."""
    starters = {"system", "popen", "posix_spawn", "execv", "execvp", "execve", "spawnv"}
    users = {
        path.relative_to(LIBRARY).as_posix()
        for path in LIBRARY.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in starters
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    }
    assert users == set()


def test_no_module_of_ours_asks_the_package_for_what_users_do():
    """The digest leaves that out: a job whose code came from there would have too small a digest."""
    face = ast.parse((LIBRARY / "__init__.py").read_text(encoding="utf-8"))
    (given,) = (node for node in face.body if isinstance(node, ast.FunctionDef))
    assert given.name == FACE
    asked = {
        alias.name
        for path in [*LIBRARY.rglob("*.py"), *LIBRARY.parent.glob("*.py")]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE and not node.level
        for alias in node.names
    }
    rooms = {path.parent.name for path in LIBRARY.glob("*/__init__.py")}
    assert asked - rooms == {"__version__"}
