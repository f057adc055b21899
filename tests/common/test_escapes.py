"""Names with control characters are shown as escapes wherever errors and notes are printed."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from retention.commands.index_dataset import main
from retention.common.errors import UserError, run_command
from retention.common.escapes import escaped
from retention.common.lists import counted, listed
from retention.data.caching import write_cache
from retention.data.catalogue import index_images
from retention.data.workers import in_order

CLEAR, FORGED = "\x1b[2Jx\r.png", "a\nerror: b.png"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\x1b[2J\rb", r"a\x1b[2J\rb"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\x9b1m \x85", r"\x9b1m \x85"),
        ("gnp\u202egpj\u2028", r"gnp\u202egpj\u2028"),
        ("Kätzchen 日本 \U0001f469\u200d\U0001f52c שלום\u200f", None),
        (r"C:\new", None),
    ],
)
def test_control_characters_are_escaped_and_letters_are_not(text, expected):
    assert escaped(text) == (expected or text)
    assert escaped(escaped(text)) == escaped(text)
    assert escaped("a\n\x1b", kept="\n") == "a\n\\x1b"


def test_lists_show_escapes():
    assert listed(["a\nb", "c"]) == r"a\nb, c"
    assert counted({"a\x1b": 2}) == r"a\x1b (2)"


def folder_of(tmp_path, classes=("cat", "dog")):
    draws = np.random.default_rng(0)
    for name in classes:
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(3):
            values = draws.integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(values).save(tmp_path / f"images/{name}/{number}.png")
    return tmp_path / "images"


def definition_of(folder):
    return {"adapter": "imagefolder", "folder": str(folder)}


def printed(capsys, action):
    """Return the lines that a command prints before it ends."""
    with pytest.raises(SystemExit):
        run_command(lambda argv: action())
    out = capsys.readouterr().err
    out = out[out.index("error:") :]  # what comes before is the bar of the progress
    assert escaped(out, kept="\n") == out
    return out.splitlines()


def test_the_errors_of_bad_images_stay_lines_of_their_own(tmp_path, capsys):
    folder = folder_of(tmp_path)
    good, _ = index_images("mine", definition_of(folder), folder)
    for name in (CLEAR, FORGED):
        (folder / "cat" / name).write_bytes(b"no image")
    lines = printed(capsys, lambda: index_images("mine", definition_of(folder), folder))
    assert len(lines) == 3 and lines[2].startswith("error: mine: 2 bad images")
    assert lines[0].startswith(rf"error: {folder}/cat/\x1b[2Jx\r.png: cannot be decoded (")
    assert lines[1].startswith(rf"error: {folder}/cat/a\nerror: b.png: cannot be decoded (")
    good["path"] = f"{folder}/cat/{FORGED}"
    files = tmp_path / "pixels.npy", tmp_path / "layout.parquet"
    lines = printed(capsys, lambda: write_cache(definition_of(folder), good[:1], 8, 1, *files))
    assert len(lines) == 1 and r"a\nerror: b.png: cannot be decoded" in lines[0]


def lacks_memory(path):
    raise MemoryError


def test_other_errors_of_files_are_one_line(tmp_path, capsys):
    (line,) = printed(capsys, lambda: list(in_order(lacks_memory, ["a\n\x1b.png"], 1)))
    assert line.startswith(r"error: a\n\x1b.png: memory is exhausted")
    folder = folder_of(tmp_path)
    (folder / "cat/a\nb").symlink_to("..")
    (line,) = printed(capsys, lambda: index_images("mine", definition_of(folder), folder))
    assert line.startswith(rf"error: {folder}/cat/a\nb: is a link to {folder}, which holds it")


def test_notes_are_escaped_on_the_terminal_and_in_their_file(tmp_path, capsys):
    folder = folder_of(tmp_path, ("c\x1b[2Jat", "d\nog"))
    shutil.copy(folder / "c\x1b[2Jat/0.png", folder / "d\nog/e\x07\n.png")
    (folder / "d\nog/f.\x1bq").touch()
    (tmp_path / "fetched.yaml").write_text("{}")
    definition = json.dumps(definition_of(folder) | {"max_left_out": 1})
    paths = {"fetched": "fetched.yaml", "output": "images.parquet", "notes": "notes.txt"}
    paths |= {"quarantine": "quarantine.csv"}
    files = [f"--{name}={tmp_path}/{path}" for name, path in paths.items()]
    main(["--dataset", "mine", "--definition", definition, *files])
    text = (tmp_path / "notes.txt").read_text()
    out = capsys.readouterr().out
    for told in (text, out):
        assert escaped(told, kept="\n") == told
        assert r"unknown kind .\x1bq (1)" in told


def test_a_users_error_has_lines_for_faults_alone():
    assert str(UserError("a\nb\x1b")) == "a\nb\\x1b"
