"""Named parts: found by their file alone, and no other is imported."""

import subprocess
import sys

import pytest
from sources import ROOT

from retention.common import parts
from retention.common.errors import UserError
from retention.common.parts import load_part, part_names


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A room of two parts, a module and a folder, and of things that are none."""
    monkeypatch.setattr(parts, "SOURCES", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    part_names.cache_clear()
    room = tmp_path / "made_up_room"
    for folder in (room, room / "a_folder", room / "no_package", room / "__pycache__"):
        folder.mkdir()
    for name in ("__init__", "_shared", "one_module", "a_folder/__init__", "a_folder/figure"):
        (room / f"{name}.py").write_text(f"NAME = {name!r}\n")
    (room / "no_package" / "module.py").write_text("")
    (room / "data.json").write_text("{}")
    yield room.name
    part_names.cache_clear()
    for name in [name for name in sys.modules if name.startswith(room.name)]:
        del sys.modules[name]


def test_parts_are_the_modules_and_packages_of_a_room(room):
    assert part_names(room) == ("a_folder", "one_module")
    assert room not in sys.modules
    assert load_part(room, "one_module").NAME == "one_module"
    assert load_part(room, "a_folder").NAME == "a_folder/__init__"
    assert load_part(room, "a_folder", "figure").NAME == "a_folder/figure"


@pytest.mark.parametrize("name", ["one_modul", "_shared", "no_package", "__init__", "../x", "", 3])
def test_a_part_that_is_none_is_refused_in_one_line(room, name):
    with pytest.raises(UserError, match="known are a_folder, one_module") as error:
        load_part(room, name)
    assert "\n" not in str(error.value)
    assert ("did you mean one_module?" in str(error.value)) == (name == "one_modul")


def test_decoding_loads_the_adapter_that_it_uses_and_no_other():
    code = (
        "import sys; from retention.data.decoding import decode;"
        "decode({'adapter': 'package', 'loader': 'digits'}, '0');"
        "print([name for name in sys.modules if name.startswith('retention.data.adapters.')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "scripts", capture_output=True, text=True
    )
    assert done.stdout == "['retention.data.adapters.package']\n", done.stderr
