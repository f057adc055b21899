"""Where tests lie: in the folder of the package that they are about, or in one of the few that are named here."""

import ast
import tomllib
from collections import Counter

from sources import ROOT

TESTS, LIBRARY = ROOT / "tests", ROOT / "scripts" / "retention"
# What crosses packages.
NAMED = {
    "benchmarks": "benchmarks/, each in short, and slices of the calibrations",
    "docs": "pages, their links and examples, and CONTRIBUTING.md's templates",
    "project": "what holds of all sources: rooms, versions, the wheel, the tests themselves",
    "study": "the jobs of a study, and studies that really ran",
}
HELPERS = {"helpers", "files"}


def alone():
    """Return the folders whose tests need more than the virtual environment, and are run by a command of their own."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return {*settings["tool"]["pytest"]["ini_options"]["norecursedirs"]} - {".*"}


def of_one_run(files):
    """Return which files lie outside the folders of `alone`."""
    own = alone()
    return [file for file in files if file.relative_to(TESTS).parts[0] not in own]


def folder_of(file):
    return file.relative_to(TESTS).parent.as_posix()


def is_test(file):
    return file.name.startswith("test_")


def imported(file):
    """Return the first names of the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.split(".")[0]


def test_each_test_lies_in_the_folder_of_a_package_or_in_a_named_one():
    folders = {folder_of(file) for file in of_one_run(TESTS.rglob("test_*.py"))}
    strange = {
        folder
        for folder in folders - {*NAMED}
        if folder == "." or not (LIBRARY / folder / "__init__.py").is_file()
    }
    assert strange == set()
    assert folders >= {*NAMED}


def test_names_of_folders_mean_one_thing():
    assert not [name for name in {*NAMED, *HELPERS} if (LIBRARY / name).exists()]
    tops = {folder.name for folder in TESTS.iterdir() if any(folder.glob("**/*.py"))}
    assert alone() <= tops


def test_what_tests_share_lies_in_one_place():
    """A module elsewhere than in helpers would be imported by the luck of which tests were collected before."""
    others = [file for file in of_one_run(TESTS.rglob("*.py")) if not is_test(file)]
    places = {file.relative_to(TESTS).as_posix() for file in others if folder_of(file) != "helpers"}
    assert places == {"conftest.py"}
    assert not [*TESTS.glob("helpers/**/test_*.py"), *TESTS.glob("files/**/*.py")]


def test_no_test_imports_another_or_the_fixtures():
    wrong = [
        (file.relative_to(TESTS).as_posix(), name)
        for file in of_one_run(TESTS.rglob("*.py"))
        for name in imported(file)
        if name == "conftest" or name.startswith("test_")
    ]
    assert wrong == []


def test_names_of_files_are_told_apart_without_their_folders():
    """pytest imports a test, and a test a helper, by the name of its file alone."""
    names = Counter(file.name for file in of_one_run(TESTS.rglob("*.py")))
    assert [name for name, count in names.items() if count > 1] == []
    own = {file.stem for file in TESTS.glob("helpers/*.py")}
    assert own & {file.stem for file in (ROOT / "benchmarks").glob("*.py")} == set()
