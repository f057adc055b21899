"""Images are read from a node's own disk where there is one, once for all runs, and never instead of what was cached."""

import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from small_run import write_images
from sources import ROOT

from retention.common.yaml_files import write_yaml
from retention.data.caching import digests_of
from retention.training import scratch
from retention.training.inputs import ImageFiles
from retention.training.scratch import SCRATCH, nearer
from retention.workflow import cluster


@pytest.fixture
def files(tmp_path):
    write_images(tmp_path)
    pixels, layout, stated = (
        tmp_path / name for name in ("pixels.npy", "layout.parquet", "p.yaml")
    )
    write_yaml(stated, digests_of(pixels, layout))
    return ImageFiles(tmp_path / "index.parquet", pixels, layout, images=stated)


@pytest.fixture
def node(tmp_path, monkeypatch):
    folder = tmp_path / "node"
    folder.mkdir()
    monkeypatch.setenv("OWN_DISK", str(folder))
    monkeypatch.setenv(SCRATCH, "$OWN_DISK/images")
    return folder / "images"


def test_images_are_copied_once_and_are_the_same(files, node, capsys):
    found = nearer(files)
    assert node in found.pixels.parents and found.layout == files.layout
    assert found.pixels.read_bytes() == files.pixels.read_bytes()
    first = found.pixels.stat()
    assert nearer(files).pixels.stat().st_mtime_ns == first.st_mtime_ns
    assert capsys.readouterr().err.count("copying the images") == 1


def test_a_copy_that_is_not_what_was_cached_is_made_anew(files, node):
    copy = nearer(files).pixels
    content = np.load(copy)
    content[: len(content) // 2] ^= 255
    np.save(copy, content)
    assert nearer(files).pixels == copy
    assert copy.read_bytes() == files.pixels.read_bytes()


def test_what_a_killed_copy_left_is_removed(files, node):
    copy = nearer(files).pixels
    copy.rename(copy.with_name(f".{copy.stem}-abc{copy.suffix}"))
    assert os.listdir(nearer(files).pixels.parent).count(f".{copy.stem}-abc{copy.suffix}") == 0


def test_another_cache_has_a_copy_of_its_own(files, node, tmp_path):
    first = nearer(files).pixels
    np.save(files.pixels, np.load(files.pixels) // 2)
    write_yaml(files.images, digests_of(files.pixels, files.layout))
    second = nearer(files).pixels
    assert second != first and second.read_bytes() == files.pixels.read_bytes()


@pytest.mark.parametrize(
    "folder, reason",
    [
        ("$NO_SUCH_DISK/x", "no such variable"),
        ("{file}/x", "Not a directory"),
        ("{full}", "are free"),
    ],
)
def test_without_room_or_folder_images_are_read_from_where_they_are(
    files, tmp_path, monkeypatch, capsys, folder, reason
):
    (tmp_path / "file").write_text("")
    if folder == "{full}":
        monkeypatch.setattr(scratch.shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    where = folder.format(file=tmp_path / "file", full=tmp_path / "full")
    monkeypatch.setenv(SCRATCH, where)
    assert nearer(files) == files
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: scratch ") and str(files.pixels) in line
    assert reason in line


def test_nothing_is_copied_where_no_scratch_is_named(files, monkeypatch):
    monkeypatch.delenv(SCRATCH, raising=False)
    assert nearer(files) is files


def test_of_two_runs_that_start_together_one_copies(files, node):
    call = (
        "from pathlib import Path; from retention.training.inputs import ImageFiles;"
        "from retention.training.scratch import nearer;"
        f"nearer(ImageFiles(*map(Path, {[str(p) for p in (files.index, files.pixels, files.layout, files.images)]!r})))"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", call],
            env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    told = "".join(run.communicate()[1] for run in runs)
    assert [run.returncode for run in runs] == [0, 0]
    assert told.count("copying the images") == 1


def test_only_a_clusters_jobs_are_told_of_a_scratch_disk():
    site = {"scratch": "$TMPDIR"}
    assert cluster.scratch(site, on_cluster=True) == {SCRATCH: "$TMPDIR"}
    assert cluster.scratch(site, on_cluster=False) == {SCRATCH: ""}
    assert cluster.scratch({}, on_cluster=True) == {SCRATCH: ""}
