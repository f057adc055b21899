"""What changes the digest of code, on small trees of sources made up: the cases that go wrong most easily."""

import ast
import gc
import io
import tokenize
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sources import ROOT

from retention.workflow import code_version as module
from retention.workflow.code_version import code_version, imported_sources, significant_text

PARTS_FILE = (ROOT / "scripts/retention/common/parts.py").read_text()
SOURCES = sorted((ROOT / "scripts").rglob("*.py"))


@pytest.fixture
def tree(tmp_path):
    """Return a function that writes sources, by path, and returns the script `run.py` among them."""

    def write(files: dict[str, str]) -> Path:
        for name, text in {"retention/__init__.py": "", **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for name in ("_code_version", "_read", "_files"):
            getattr(module, name).cache_clear()
        return tmp_path / "run.py"

    return write


ROOM = {
    "retention/__init__.py": "",
    "retention/common/__init__.py": "",
    "retention/common/parts.py": PARTS_FILE,
    "retention/room/__init__.py": "X = 1\n",
    "retention/room/one.py": "from . import _shared\n",
    "retention/room/_shared.py": "X = 1\n",
    "retention/room/two.py": "X = 1\n",
    "retention/room/folder/__init__.py": "X = 1\n",
    "retention/room/folder/inner.py": "from ..two import X\n",
    "retention/elsewhere.py": "X = 1\n",
}
TWO, FOLDER = {"room", "room.two"}, {"room", "room.folder", "room.folder.inner", "room.two"}
LOADER = {"common", "common.parts"}


def covered(script: Path, parts=None) -> set[str]:
    """Return the modules of the package that a digest covers, `retention.` taken off."""
    names = {
        path.relative_to(script.parent).with_suffix("").as_posix().replace("/", ".")
        for path in imported_sources(script, parts)
    }
    names = {name.removesuffix(".__init__").removeprefix("retention.") for name in names}
    return names - {"run", "retention"}


EVERYTHING = {
    path.removesuffix(".py").replace("/", ".").removesuffix(".__init__").removeprefix("retention.")
    for path in ROOM
} - {"retention"}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import retention.room.two", TWO),
        ("import retention.room.two as other", TWO),
        ("from retention.room import two", TWO),
        ("from retention.room import two as other, X", TWO),
        ("from retention.room.two import X", TWO),
        ("from retention.room.folder import inner", FOLDER),
        ("from retention import room", {"room"}),
        ("def f():\n    from retention.room import two", TWO),
        ("if X:\n    import retention.room.two", TWO),
        ("try:\n    import retention.room.two\nexcept ImportError:\n    pass", TWO),
        ("import os, retention.room.two", TWO),
        ("import retention.room.one", {"room", "room.one", "room._shared"}),
        ("from retention.room import *", EVERYTHING - LOADER - {"elsewhere"}),
        ("import beside", {"beside", "elsewhere"}),
        ("import numpy, retentions.room.two", set()),
    ],
)
def test_imports_of_every_form_are_followed(tree, code, expected):
    script = tree({**ROOM, "run.py": code, "beside.py": "import retention.elsewhere\n"})
    assert covered(script) == expected


LOAD = "from retention.common.parts import load_part\n"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (LOAD + "load_part('retention.room', name)", LOADER | TWO),
        (
            "from retention.common import parts\nparts.load_part('retention.room', 'x')",
            LOADER | TWO,
        ),
        (LOAD + "load_part(room, name)", EVERYTHING),
        (LOAD + "load_part(f'retention.{room}', name)", EVERYTHING),
        (LOAD + "load_part(room='retention.room', name=name)", EVERYTHING),
        (LOAD + "load_part(*given)", EVERYTHING),
        (LOAD + "load = load_part\nload('retention.room', name)", EVERYTHING),
        (LOAD + "list(map(load_part, rooms, names))", EVERYTHING),
        (
            "from retention.common.parts import load_part as load\nload('retention.room', 'x')",
            EVERYTHING,
        ),
        ("from importlib import import_module\nimport_module(name)", EVERYTHING),
        ("import importlib\nimportlib.import_module(name)", EVERYTHING),
        ("from importlib import import_module as load\nload(name)", EVERYTHING),
        ("from os.path import import_module as harmless", EVERYTHING),
        ("from builtins import exec as run\nrun(text)", EVERYTHING),
        ("import builtins\nbuiltins.exec(text)", EVERYTHING),
        ("import pkgutil\npkgutil.resolve_name(name)", EVERYTHING),
        ("from importlib.util import spec_from_file_location as spec", EVERYTHING),
        ("from importlib import util, metadata", EVERYTHING),
        ("loader.exec_module(module)", EVERYTHING),
        ("import subprocess\nsubprocess.run([python, '-m', name])", EVERYTHING),
        ("import runpy as r\nr.run_path(path)", EVERYTHING),
        (
            "from retention.common import parts\ngetattr(parts, 'load_part')(room, name)",
            EVERYTHING,
        ),
        ("from importlib import metadata\nmetadata.version('numpy')", set()),
        ("from importlib.metadata import version", set()),
        ("import importlib.resources", set()),
        ("__import__(name)", EVERYTHING),
        ("exec(text)", EVERYTHING),
        ("model.eval()", set()),
    ],
)
def test_what_is_loaded_by_name_is_the_part_said_or_everything(tree, code, expected):
    script = tree({**ROOM, "run.py": code})
    assert covered(script, {"retention.room": ["two"]}) == expected


def test_a_room_of_which_nothing_is_said_counts_whole(tree):
    script = tree({**ROOM, "run.py": LOAD + "load_part('retention.room', name)"})
    assert covered(script) == EVERYTHING - {"elsewhere"}
    assert covered(script, {"retention.room": []}) == LOADER
    assert covered(script, {"retention.room": ["folder.inner"]}) == LOADER | FOLDER


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('def f(): "doc"; return 1\n', 'def f(): "doc"; return 2\n'),
        ('"""Doc."""; x = 1\n', '"""Doc."""; x = 2\n'),
        ('"""Doc.\n"""; x = 1\n', '"""Doc.\n"""; x = 2\n'),
        ('x = """a\n\nb"""\n', 'x = """a\nb"""\n'),
        ('x = """a\n# b\n"""\n', 'x = """a\n# c\n"""\n'),
        ('x = """a \nb"""\n', 'x = """a\nb"""\n'),
        ('x = f"""a\n{b}\n\n"""\n', 'x = f"""a\n{b}\n"""\n'),
        (
            'def f():\n    """Doc."""\n    """data\n\n"""\n',
            'def f():\n    """Doc."""\n    """data\n"""\n',
        ),
        ('def f():\n    x = 1\n    "no doc"\n', 'def f():\n    x = 1\n    "no doc!"\n'),
        ('x = "#1"\n', 'x = "#2"\n'),
        ("x = '''#1'''  # one\n", "x = '''#2'''  # one\n"),
        ('x = "\u2028", 1  # a\n"""b"""\n', 'x = "\u2028", 2  # a\n"""b"""\n'),
        ("x = 0\n\f\nif x:\n    # a\n    y = 1\n", "x = 0\n\f\nif x:\n    # a\n    y = 2\n"),
        ('"""a\x0cb\x1cc"""\nx = 1\ny = 1\n', '"""a\x0cb\x1cc"""\nx = 1\ny = 2\n'),
        (
            'y = "\u2028\u2028"\ndef f(\n    x=1,\n):\n    """A docstring."""\n',
            'y = "\u2028\u2028"\ndef f(\n    x=2,\n):\n    """A docstring."""\n',
        ),
        ("x = 1 + \\\n    2\n", "x = 1 + \\\n    3\n"),
        ("x = 1 \\\n\n+2\n", "x = 1 \\\n+2\n"),
        ("if x:\n    y = 1\n    z = 1\n", "if x:\n    y = 1\nz = 1\n"),
        (
            "class A:\n    '''Doc.'''\n    x = 'ä', 1  # ä\n",
            "class A:\n    '''Doc.'''\n    x = 'ä', 2  # ä\n",
        ),
        ("async def f():\n    return 1\n", "def f():\n    return 1\n"),
        ("@cache\ndef f():\n    return 1\n", "def f():\n    return 1\n"),
    ],
)
def test_a_change_of_code_changes_the_digest_however_it_hides(tree, before, after):
    assert ast.dump(ast.parse(before)) != ast.dump(ast.parse(after))
    one = code_version(tree({"run.py": before}))
    assert code_version(tree({"run.py": after})) != one


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1\n", "# why\n\nx = 1  # one\n\n\n"),
        ('"""Doc."""\nx = 1\n', '"""Another\n\nDoc."""  # said\nx = 1\n'),
        ("class A:\n    '''Doc.'''\n    x = 1\n", "class A:\n\n    '''Doc!'''\n\n    x = 1\n"),
        ("x = '''a\nb'''\n", "x = '''a\nb'''  # c\n"),
        ("x = [\n    1,\n]\n", "x = [  # a\n    # b\n\n    1,\n]\n"),
        ("x = 'ä'\n", "x = 'ä'  # ö\n"),
        ("x = '\u2028'\n", "x = '\u2028'  # a\n"),
    ],
)
def test_a_change_of_words_changes_nothing(tree, before, after):
    one = code_version(tree({"run.py": before}))
    assert code_version(tree({"run.py": after})) == one


@pytest.mark.parametrize("name", ["retention/room/__init__.py", "retention/__init__.py"])
def test_the_packages_around_a_module_count(tree, name):
    files = {**ROOM, "run.py": "import retention.room.two\n"}
    one = code_version(tree(files))
    assert code_version(tree({**files, name: "X = 2\n"})) != one


@cache
def parsed(path: Path) -> tuple[str, ast.Module]:
    text = path.read_text(encoding="utf-8")
    return text, ast.parse(text)


@settings(max_examples=60, deadline=None)
@given(path=st.sampled_from(SOURCES), data=st.data())
def test_words_between_statements_change_nothing_and_any_number_does(path, data):
    text, tree = parsed(path)
    lines = text.split("\n")
    starts = sorted({node.lineno for node in ast.walk(tree) if isinstance(node, ast.stmt)} - {1})
    if starts:
        row = data.draw(st.sampled_from(starts)) - 1
        words = data.draw(st.sampled_from(["", "   ", "# a", '        # \'b\' """ c', "\t"]))
        assert significant_text("\n".join([*lines[:row], words, *lines[row:]])) == significant_text(
            text
        )
    numbers = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and type(node.value) in (int, float)
    ]
    if numbers:
        node = data.draw(st.sampled_from(numbers))
        row = node.lineno - 1
        line = lines[row].encode()
        changed = line[: node.col_offset] + b"987" + line[node.end_col_offset :]
        another = "\n".join([*lines[:row], changed.decode(), *lines[row + 1 :]])
        if ast.dump(ast.parse(another)) != ast.dump(tree):
            assert significant_text(another) != significant_text(text)


def tokens_of_comments(text):
    """Return where the comments of a text begin, by Python's own tokens."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token.start for token in tokens if token.type == tokenize.COMMENT]


def comments_of(text):
    return module._comments(text, list(ast.walk(ast.parse(text))))


HASHES = [
    'a = "#1" # 2',
    "é = 'ü#'; b = 'x'  # ö # z",
    "a = ('1'  # 2\n '3#')  # 4",
    'a = """#\n# 1\n"""  # 2',
    "a = f'#{1}#' '#'  # 1\nb = b'#'",
    "a = {  # 1\n  '#': 2, # 3\n}\n\n# 4",
    "a = 1 \\\n + 2  # 3\r\n",
    'def f():\n    "# 1"  # 2\n    # 3',
    "a = '\\'#'  # 1",
    "# 1",
    "a = rb'\\#'  # 1\x0c # 2\nb = 1 # 3",
]


@pytest.mark.parametrize("text", HASHES)
def test_comments_begin_where_pythons_tokens_say(text):
    assert comments_of(text) == tokens_of_comments(text)


@given(st.lists(st.sampled_from([*HASHES, "x = 1", "", "y = 'z'"]), max_size=6))
def test_comments_of_texts_end_to_end_do_too(texts):
    text = "\n".join(texts) + "\n"
    assert comments_of(text) == tokens_of_comments(text)


def test_comments_of_all_sources_do_and_few_need_the_tokens():
    texts = [path.read_text(encoding="utf-8") for path in SOURCES]
    slow = 0
    for text in filter(lambda text: "#" in text, texts):
        nodes = list(ast.walk(ast.parse(text)))
        quick = module._beside_strings(text, nodes)
        slow += quick is None
        assert quick is None or quick == tokens_of_comments(text)
    assert slow < len(texts) / 4


def test_reading_sources_leaves_the_search_for_garbage_as_it_was(tree):
    run = tree({"run.py": "import retention\n"})
    for switch, is_on in ((gc.disable, False), (gc.enable, True)):
        switch()
        module._read.cache_clear()
        module._read(run, run.parent)
        assert gc.isenabled() == is_on


FACE = """
def __getattr__(name):
    from retention.face import given

    return given
"""


def test_what_the_package_gives_to_users_alone_is_no_part_of_a_job(tree):
    """`from retention import TraceRecorder` works, and no finished study reruns for it."""
    script = "import retention\n"
    sources = {"retention/__init__.py": "X = 1\n", "retention/face.py": "given = 1\n"}
    run = tree({**sources, "run.py": script})
    before = code_version(run)
    run = tree({**sources, "retention/__init__.py": "X = 1\n" + FACE, "run.py": script})
    assert code_version(run) == before
    assert covered(run) == set()
    run = tree({**sources, "retention/__init__.py": "X = 2\n" + FACE, "run.py": script})
    assert code_version(run) != before
    inner = {"retention/room/__init__.py": "X = 1\n" + FACE, "run.py": "import retention.room\n"}
    assert covered(tree({**sources, **inner})) == {"room", "face"}
