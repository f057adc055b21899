"""What is installed: a wheel with its data, one command, a base that needs three packages alone."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from sources import ROOT

from retention import __main__ as command_line
from retention.commands._extras import extra_of, packages_of
from retention.common.errors import UserError
from retention.common.parts import part_names

pytestmark = pytest.mark.xdist_group("package")  # one wheel for all
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = {
    name: {canonicalize_name(Requirement(text).name) for text in texts}
    for name, texts in PROJECT["optional-dependencies"].items()
}
# What docs/software.md promises of the base: each runs in an interpreter that has no other package.
OF_BASE = (
    "retention",
    "retention.common.parquet_tables",
    "retention.common.csv_tables",
    "retention.common.options",
    "retention.recorder",
    "retention.dynamics.events",
    "retention.dynamics.labels",
    "retention.dynamics.trace_table",
    "retention.dynamics.retention.aligned",
    "retention.runs.reading",
    "retention.runs.members",
    "retention.reviews.schedule",
    "retention.sampling.treatments",
    "retention.sampling.orders",
    *(f"retention.samplers.{name}" for name in part_names("retention.samplers")),
    "retention.commands.schedule_reviews",
    "retention.commands.import_traces",
    *(f"retention.importers.{name}" for name in part_names("retention.importers")),
)
REFUSING = """
import sys
import numpy, pandas, pyarrow.parquet
class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] not in {"retention", *sys.stdlib_module_names, *ALLOWED}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
ALLOWED = {"numpy", "pandas", "pyarrow", "dateutil", "six", "pytz", "tzdata"}
sys.meta_path.insert(0, Refusing())
"""


def python(code: str, *paths: object) -> subprocess.CompletedProcess:
    """Run code in an interpreter that finds our sources in `paths` alone."""
    listed = f"import sys; sys.path[:0] = {[str(path) for path in paths]!r}\n"
    command = [sys.executable, "-I", "-c", listed + code]
    return subprocess.run(command, cwd="/", text=True, capture_output=True)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder that a wheel of this clone was installed into; nothing comes from a network."""
    folder = tmp_path_factory.mktemp("package")
    source, ours = folder / "source", shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "scripts", source / "scripts", ignore=ours)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-deps", "--no-index"]
    built = ["--no-build-isolation", "--wheel-dir", folder / "wheels", source]
    subprocess.run([*pip, "wheel", *offline, *built], check=True)
    (wheel,) = (folder / "wheels").glob("*.whl")
    subprocess.run([*pip, "install", *offline, "--target", folder / "site", wheel], check=True)
    return folder / "site"


def test_the_wheel_is_the_library_its_data_and_one_command(installed):
    sources = {
        path.relative_to(ROOT / "scripts") for path in (ROOT / "scripts/retention").rglob("*.py")
    }
    data = {
        path
        for kind in ("schemas/*.json", "resources/*.yaml", "pages/templates/*", "VERSION")
        for path in (ROOT / "scripts/retention").glob(kind)
    }
    assert len(data) >= 6
    wanted = {path.as_posix() for path in sources} | {
        path.relative_to(ROOT / "scripts").as_posix() for path in data
    }
    found = {
        path.relative_to(installed).as_posix()
        for path in (installed / "retention").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert found == wanted
    assert {path.name for path in (installed / "bin").iterdir()} == {"retention"}


def test_what_is_installed_works_away_from_the_clone(installed):
    code = """
import json, retention
from retention.common.resources import PAPER, read_resource
from retention.common.schemas import read_schema
print(json.dumps([retention.__file__, retention.__version__, sorted(read_schema("config"))[0], len(read_resource(PAPER))]))
"""
    done = python(code, installed)
    assert done.returncode == 0, done.stderr
    assert str(installed) in done.stdout


@pytest.mark.parametrize(
    "words",
    [["--help"], ["measure_finding", "--help"], ["measure_finding", "early_loss", "--help"]],
)
def test_the_installed_command_tells_its_use(installed, words):
    script = installed / "bin" / "retention"
    done = subprocess.run(
        [sys.executable, script, *words],
        env={"PYTHONPATH": str(installed), "PATH": ""},
        cwd="/",
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: " + " ".join(["retention", *words[:-1]]))


@pytest.mark.parametrize("how", ["-m retention", "scripts/measure_finding.py"])
def test_help_names_the_program_as_it_was_called(how):
    """From the clone: `python -m retention measure_finding NAME`, `python scripts/measure_finding.py NAME`."""
    named = how.split()
    words = [*named, *(["measure_finding"] if "-m" in named else []), "early_loss", "--help"]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={"PYTHONPATH": "scripts", "PATH": ""},
        text=True,
        capture_output=True,
    )
    name = "retention measure_finding" if "-m" in named else "measure_finding.py"
    assert done.stdout.startswith(f"usage: {name} early_loss "), done.stderr


def test_the_base_needs_numpy_pandas_and_pyarrow_alone():
    bases = [Requirement(text).name for text in PROJECT["dependencies"]]
    assert bases == ["numpy", "pandas", "pyarrow"]
    imports = "\n".join(f"import {name}" for name in OF_BASE)
    done = python(REFUSING + imports, ROOT / "scripts")
    assert done.returncode == 0, done.stderr


def test_help_lists_every_command_and_imports_none():
    known = part_names("retention.commands")
    listed = command_line.parser().format_help()
    for name in known:
        text = command_line.first_line(name)
        assert text.endswith((".", ":")) and f"{name} " in listed and text in listed
    code = REFUSING + (
        "from retention.__main__ import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as done: assert done.code == 0\n"
        "assert not [m for m in sys.modules if m.startswith('retention.training')]"
    )
    done = python(code, ROOT / "scripts")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", part_names("retention.commands"))
def test_every_command_has_a_main_and_a_thin_script(name):
    text = (ROOT / f"scripts/retention/commands/{name}.py").read_text(encoding="utf-8")
    functions = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    assert "main" in functions
    script = (ROOT / f"scripts/{name}.py").read_text(encoding="utf-8")
    assert f"from retention.commands.{name} import main\n" in script
    assert len(script.splitlines()) < 10


def test_an_unknown_command_is_refused_with_the_nearest():
    with pytest.raises(UserError, match="no command 'finetun'; did you mean finetune") as error:
        command_line.main(["finetun"])
    assert "\n" not in str(error.value)
    with pytest.raises(UserError, match="no command '_naming'"):
        command_line.main(["_naming"])


@pytest.mark.parametrize(
    ("name", "extra"),
    [("finetune", "training"), ("fetch_dataset", "training"), ("cache_images", "training"), ("describe_samples", "analysis"),
     ("draw_figure", "analysis"), ("write_summary", "analysis"), ("write_tables", "analysis"), ("recover_lock", "workflow")],
)  # fmt: skip
def test_a_command_of_an_extra_that_is_missing_says_which(name, extra, installed):
    code = (
        REFUSING
        + f"from retention.__main__ import run\nsys.argv = ['retention', {name!r}, '--help']\nrun()"
    )
    done = python(code, installed)
    assert done.returncode == 1
    assert re.fullmatch(
        rf'error: {name}: needs [\w-]+, which is not installed; pip install "retention-dynamics\[{extra}\]"\n',
        done.stderr,
    ), done.stderr


@pytest.mark.parametrize("call", ["describe", "measure('early_loss', ['a.parquet'])"])
def test_a_function_of_an_extra_that_is_missing_says_which(call, installed):
    done = python(f"{REFUSING}import retention\nretention.{call}", installed)
    said = r'needs [\w-]+, which is not installed; pip install "retention-dynamics\[analysis\]"$'
    assert re.search(said, done.stderr.strip()), done.stderr


@pytest.mark.parametrize("name", part_names("retention.commands"))
def test_one_extra_has_all_that_a_command_imports(name):
    needed = packages_of(name) - {"numpy", "pandas", "pyarrow"}
    if needed:
        assert [extra for extra, packages in EXTRAS.items() if needed <= packages], needed


def test_of_two_extras_that_have_a_package_the_one_with_more_of_the_rest_is_named():
    requirements = [
        'PyYAML>=6; extra == "one"',
        'PyYAML>=6; extra == "two"',
        'pillow>=1; extra == "two"',
    ]
    assert extra_of("pyyaml", {"pyyaml", "pillow"}, requirements) == "two"
    assert extra_of("pyyaml", {"pyyaml"}, requirements) == "one"
    assert extra_of("torch", {"torch"}, requirements) == ""
