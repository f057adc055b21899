"""A version stands in several places; wherever it stands it is the same."""

import ast
import re
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from snakemake.deployment.conda import MIN_CONDA_VER
from sources import ROOT

from retention import __version__
from retention.workflow.code_version import imported_sources
from retention.workflow.software import OLDEST

PINS = dict(
    pin.split("==")
    for name in ("requirements.txt", "requirements-dev.txt")
    for pin in (ROOT / name).read_text().split()
    if "==" in pin
)
READ = ("README.md", "config.yaml", "Makefile", "pyproject.toml", "Snakefile", ".ci/run")
FOLDERS = ("envs", "containers", "docs", "rules", "slurm", "benchmarks", "profiles", "scripts")
TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in [
        *(ROOT / name for name in READ),
        *(path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*"))),
    ]
    if path.is_file() and path.suffix in {"", ".md", ".yaml", ".toml", ".py", ".smk"}
}
ENVIRONMENTS = {
    name: yaml.safe_load(TEXTS[f"envs/{name}.yaml"]) for name in ("training", "analysis")
}
PYTHON = "3.11"
PROJECT = tomllib.loads(TEXTS["pyproject.toml"])["project"]
BOUNDS = [
    Requirement(text)
    for texts in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for text in texts
]
DISTRIBUTION = {
    "jinja2": "Jinja2",
    "PIL": "pillow",
    "yaml": "PyYAML",
    "sklearn": "scikit-learn",
    "markdown_it": "markdown-it-py",
    "markupsafe": "Jinja2",
    "urllib3": "requests",  # comes with it
}
RULE = re.compile(
    r'"\.\./envs/(\w+)\.yaml"(?:(?!\n\nrule|\n\nfor).)*?/scripts/([\w{}.]+)\.py', re.DOTALL
)


def test_every_pin_anywhere_is_that_of_requirements():
    found = [
        (where, name, version)
        for where, text in TEXTS.items()
        for name, version in re.findall(r"([A-Za-z][\w-]*)==(\d[\w.]*\w)", text)
    ]
    assert len(found) >= len(ENVIRONMENTS["training"]["dependencies"][-1]["pip"])
    wrong = [entry for entry in found if PINS.get(entry[1], entry[2]) != entry[2]]
    assert wrong == []


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_environments_pin_everything_to_what_requirements_pins(name):
    *conda, pip = ENVIRONMENTS[name]["dependencies"]
    assert conda == [f"python={PYTHON}", "pip"]
    for pin in pip["pip"]:
        package, version = pin.split("==")
        assert PINS[package] == version


def test_every_pin_of_the_run_is_in_an_environment_or_used_only_outside_of_the_rules():
    pinned = {
        pin for content in ENVIRONMENTS.values() for pin in content["dependencies"][-1]["pip"]
    }
    required = set((ROOT / "requirements.txt").read_text().split())
    outside = {pin.split("==")[0] for pin in required - pinned}
    assert outside == {"snakemake-executor-plugin-slurm"}  # of the Snakemake that submits the jobs


def test_the_container_takes_its_pins_from_requirements():
    definition = TEXTS["containers/Containerfile"]
    assert "COPY requirements.txt" in definition
    assert "==" not in definition


def test_python_is_one_version():
    assert f'target-version = "py{PYTHON.replace(".", "")}"' in TEXTS["pyproject.toml"]
    assert PROJECT["requires-python"] == f">={PYTHON}"
    assert f"Python ≥ {PYTHON}" in TEXTS["README.md"]
    assert "debian:bookworm-slim" in TEXTS["containers/Containerfile"]  # its python3 is 3.11


def test_snakemake_and_conda_are_asked_for_as_they_are_pinned():
    least = re.search(r'min_version\("([\d.]+)"\)', TEXTS["Snakefile"])[1]
    assert PINS["snakemake"].startswith(least + ".")
    assert ".".join(map(str, OLDEST["conda"])) == MIN_CONDA_VER
    for page in ("README.md", "docs/software.md"):
        assert re.findall(r"conda ≥ ([\d.]+\d)", TEXTS[page]) == [MIN_CONDA_VER], page


def rules() -> set[tuple[str, str]]:
    """Return (environment, script) of every rule that runs a script."""
    text = "\n".join(text for where, text in TEXTS.items() if where.startswith("rules/"))
    return set(RULE.findall(text))


@pytest.mark.parametrize(("environment", "script"), sorted(rules()))
def test_what_a_script_imports_is_in_its_environment(environment, script):
    """Imports at a module's head only: the torchvision adapter waits with its own."""
    pins = {pin.split("==")[0] for pin in ENVIRONMENTS[environment]["dependencies"][-1]["pip"]}
    for source in imported_sources(ROOT / "scripts" / f"{script}.py"):
        for node in ast.parse(source.read_text(encoding="utf-8")).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            for top in {name.split(".")[0] for name in names}:
                if top != "retention" and top not in sys.stdlib_module_names:
                    assert DISTRIBUTION.get(top, top) in pins, f"{source.name} imports {top}"


def test_the_rules_are_found():
    assert len(rules()) > 15


def test_the_version_is_that_of_the_citation_and_of_the_changelogs_first_heading():
    assert PROJECT["dynamic"] == ["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", changelog, re.MULTILINE)
    version = Version(__version__)
    assert headings[0] == version.base_version + " (unreleased)" * version.is_devrelease
    released = [Version(heading.split()[0]) for heading in headings]
    assert released == sorted(released, reverse=True)
    assert released[-1] == Version("0.1.0")


def test_a_version_stands_in_no_code_that_jobs_depend_on():
    """Else a new version would repeat every job."""
    assert __version__ not in (ROOT / "scripts/retention/__init__.py").read_text(encoding="utf-8")


def test_bounds_of_the_package_are_lower_ones_that_the_pins_satisfy():
    pins = {canonicalize_name(name): version for name, version in PINS.items()}
    for bound in BOUNDS:
        assert [limit.operator for limit in bound.specifier] == [">="], str(bound)
        assert pins[canonicalize_name(bound.name)] in bound.specifier, str(bound)


def test_a_package_has_one_bound_wherever_it_stands():
    assert len({str(bound) for bound in BOUNDS}) == len({bound.name for bound in BOUNDS})


def test_every_pin_of_the_run_is_in_the_base_or_in_an_extra():
    pinned = {pin.split("==")[0] for pin in (ROOT / "requirements.txt").read_text().split()}
    assert pinned == {bound.name for bound in BOUNDS}
