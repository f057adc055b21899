"""Which extra of the distribution a command lacks, where it was installed without."""

import re
import sys
from importlib.metadata import PackageNotFoundError, requires
from modulefinder import ModuleFinder
from pathlib import Path
from typing import Any

from retention.common.errors import UserError

PACKAGE, DISTRIBUTION = "retention", "retention-dynamics"
SOURCES = Path(__file__).parents[2]
# What is not imported under the name that it is installed by.
INSTALLED_AS = {
    "PIL": "pillow",
    "markdown_it": "markdown-it-py",
    "markupsafe": "jinja2",  # comes with it
    "sklearn": "scikit-learn",
    "urllib3": "requests",  # comes with it
    "yaml": "pyyaml",
}


def missing_extra(command: str, error: ModuleNotFoundError) -> Exception:
    """Return what to tell the user of a failed import: `UserError`, or `error` if it is our own."""
    missing = _installed_as((error.name or "").partition(".")[0])
    if missing in ("", PACKAGE):
        return error
    try:
        requirements = requires(DISTRIBUTION) or []
    except PackageNotFoundError:  # the scripts alone
        return UserError(
            f"{command}: needs {missing}, which is not installed; pip install -r requirements.txt"
        )
    extra = extra_of(missing, packages_of(command), requirements)
    wanted = f'"{DISTRIBUTION}[{extra}]"' if extra else missing
    return UserError(f"{command}: needs {missing}, which is not installed; pip install {wanted}")


def extra_of(missing: str, needed: set[str], requirements: list[str]) -> str:
    """Return the extra that has a package and most of what else is needed, "" where none has it.

    requirements: as metadata writes them, such as `scipy>=1.11; extra == "analysis"`.
    """
    extras: dict[str, set[str]] = {}
    for requirement in requirements:
        if match := re.match(r"([\w.-]+).*extra == ['\"](\w+)['\"]", requirement):
            extras.setdefault(match[2], set()).add(_normal(match[1]))
    having = [name for name, packages in extras.items() if missing in packages]
    return max(having, key=lambda name: len(extras[name] & needed), default="")


def packages_of(command: str) -> set[str]:
    """Return the packages that a command's sources import, directly or through others of ours."""
    finder = _OfOurs(path=[str(SOURCES)])
    finder.import_hook(f"{PACKAGE}.commands.{command}")
    names = {name.partition(".")[0] for name in finder.badmodules}
    found = {_installed_as(name) for name in names - set(sys.stdlib_module_names)}
    return found - {"pillow"} if "matplotlib" in found else found  # matplotlib brings it


class _OfOurs(ModuleFinder):
    """Looks at our own sources alone: all else counts as not found.

    What the package itself imports on demand, for users, is no need of a command.
    """

    def import_hook(
        self, name: str, caller: Any = None, fromlist: Any = None, level: int = -1
    ) -> Any:
        if caller is not None and caller.__name__ == PACKAGE and name.startswith(f"{PACKAGE}."):
            return None
        return super().import_hook(name, caller, fromlist, level)

    def find_module(self, name: str, path: Any, parent: Any = None) -> Any:
        if path is None and name != PACKAGE:
            raise ImportError(name)
        return super().find_module(name, path, parent)


def _installed_as(module: str) -> str:
    return INSTALLED_AS.get(module, _normal(module))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
