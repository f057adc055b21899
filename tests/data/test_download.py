"""Downloads over loopback HTTP, with the faults of the real world played."""

import errno
import gzip
import io
import re
import stat
import tarfile
import zipfile
from functools import partial

import numpy as np
import pytest
from image_sets import add

from retention.common.errors import UserError
from retention.data import download
from retention.data.archives import unpack
from retention.data.download import digest_of, fetch_files

BODY = bytes(range(256)) * 4000


def fetch(server, folder, *paths, name="images.bin", **expected):
    source = {"urls": [server.url(path) for path in paths], **expected}
    return fetch_files({name: source}, folder, pause=0.01)


def left_in(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != download.RECORD)


def test_a_whole_file_comes_with_its_digest(server, tmp_path, capsys):
    server.bodies["/a"] = BODY
    found = fetch(server, tmp_path, "/a", size=len(BODY))
    assert (tmp_path / "images.bin").read_bytes() == BODY
    assert found == {"images.bin": digest_of(tmp_path / "images.bin", "sha256")}
    assert left_in(tmp_path) == ["images.bin"]
    assert "images.bin: 100%" in capsys.readouterr().err  # the progress bar


def test_a_broken_connection_is_resumed_where_it_broke(server, tmp_path):
    server.bodies["/a"] = BODY
    server.faults["/a"] = [503, 429, "break off", "break off"]
    fetch(server, tmp_path, "/a")
    assert (tmp_path / "images.bin").read_bytes() == BODY
    starts = [int(wanted[6:-1]) for _, wanted in server.requests[3:]]
    assert [wanted for _, wanted in server.requests[:3]] == [None, None, None]
    assert len(starts) == 2
    for start, broke_at in zip(starts, (len(BODY) // 2, len(BODY) * 3 // 4), strict=True):
        assert broke_at - 2 * download.BLOCK <= start <= broke_at


def test_an_earlier_sessions_part_is_gone_on_with(server, tmp_path):
    server.bodies["/a"] = BODY
    (tmp_path / "images.bin.part").write_bytes(BODY[:1000])
    fetch(server, tmp_path, "/a")
    assert (tmp_path / "images.bin").read_bytes() == BODY
    assert server.requests == [("/a", "bytes=1000-")]


@pytest.mark.parametrize("fault", ["no ranges", 416])
def test_a_server_that_cannot_resume_sends_all_of_it(server, tmp_path, fault):
    server.bodies["/a"] = BODY
    server.faults["/a"] = [fault]
    (tmp_path / "images.bin.part").write_bytes(b"x" * 1000)
    fetch(server, tmp_path, "/a")
    assert (tmp_path / "images.bin").read_bytes() == BODY


def test_the_next_mirror_is_tried_when_one_fails(server, tmp_path):
    server.bodies["/wrong"], server.bodies["/right"] = b"short", BODY
    fetch(server, tmp_path, "/gone", "/wrong", "/right", size=len(BODY))
    assert [path for path, _ in server.requests] == ["/gone", "/wrong", "/right"]
    assert (tmp_path / "images.bin").read_bytes() == BODY


def test_mirrors_without_a_checksum_are_not_pieced_together(server, tmp_path):
    other = bytes(reversed(BODY))
    server.bodies["/a"], server.bodies["/b"] = BODY, other
    server.faults["/a"] = ["break off"] * download.ATTEMPTS
    fetch(server, tmp_path, "/a", "/b")
    assert (tmp_path / "images.bin").read_bytes() == other


def test_a_server_is_asked_five_times_whatever_it_lacks(server, tmp_path, monkeypatch):
    server.faults["/a"] = [503] * 20
    with pytest.raises(UserError, match="503"):
        fetch(server, tmp_path, "/a")
    assert len(server.requests) == download.ATTEMPTS
    tried = []
    plain = download._go_on

    def counted(*arguments):
        tried.append(None)
        return plain(*arguments)

    monkeypatch.setattr(download, "_go_on", counted)
    with pytest.raises(UserError, match="could not be fetched"):
        fetch_files({"b.bin": {"urls": ["http://127.0.0.1:1/b"]}}, tmp_path, pause=0.001)
    assert len(tried) == download.ATTEMPTS


@pytest.mark.parametrize(
    ("body", "name", "expected", "said"),
    [
        (None, "images.bin", {}, "404 Not Found"),
        (b"<!DOCTYPE html><p>moved", "images.tgz", {}, "is a web page, no .tgz"),
        (b"<html>", "images.zip", {}, "is a web page, no .zip"),
        (b"plain", "images.zip", {}, "is no .zip file"),
        (BODY[:-9], "images.bin", {"size": len(BODY)}, f"expected {len(BODY)}"),
        (BODY, "images.bin", {"md5": "0" * 32}, "has another md5 than the 000"),
        (BODY, "images.bin", {"sha256": "0" * 64}, "has another sha256 than the 000"),
    ],
    ids=["404", "page as tgz", "page as zip", "no zip", "short", "md5", "sha256"],
)
def test_what_is_not_the_file_ends_in_one_line_and_nothing_is_left(
    server, tmp_path, body, name, expected, said
):
    if body is not None:
        server.bodies["/a"] = body
    with pytest.raises(UserError, match=re.escape(said)) as raised:
        fetch(server, tmp_path, "/a", name=name, **expected)
    text = str(raised.value)
    assert "\n" not in text
    assert f"fetch it by hand and put it at {tmp_path / name}" in text
    assert left_in(tmp_path) == []


def test_no_server_at_all_ends_in_one_line(tmp_path):
    source = {"urls": ["http://127.0.0.1:9/a"]}
    with pytest.raises(UserError, match=r"could not be fetched .*127\.0\.0\.1:9/a: Connection"):
        fetch_files({"images.bin": source}, tmp_path, pause=0.001)
    assert left_in(tmp_path) == []


def test_a_full_disk_ends_in_one_line_and_leaves_nothing(server, tmp_path, monkeypatch):
    server.bodies["/a"] = BODY

    class Full(io.BytesIO):
        def write(self, block):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(download, "open", lambda *_: Full(), raising=False)
    with pytest.raises(UserError, match=r"cannot be written .*No space left"):
        fetch(server, tmp_path, "/a")
    assert left_in(tmp_path) == []


def test_a_file_too_large_for_the_disk_is_not_begun(server, tmp_path, monkeypatch):
    server.bodies["/a"] = BODY
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10}))
    with pytest.raises(UserError, match="10 are free"):
        fetch(server, tmp_path, "/a")
    assert left_in(tmp_path) == []


def test_a_file_put_there_by_hand_is_verified_and_used_without_network(server, tmp_path):
    (tmp_path / "images.bin").write_bytes(BODY)
    fetch(server, tmp_path, "/a", size=len(BODY))
    assert server.requests == []
    (tmp_path / "images.bin").write_bytes(BODY[:-1])
    with pytest.raises(UserError, match="put the right file in its place"):
        fetch(server, tmp_path, "/a", size=len(BODY))
    assert (tmp_path / "images.bin").exists()


def test_a_file_without_published_checksum_is_held_to_its_first_download(server, tmp_path):
    server.bodies["/a"] = BODY
    fetch(server, tmp_path, "/a")
    (tmp_path / "images.bin").unlink()
    server.bodies["/a"] = BODY[::-1]
    with pytest.raises(UserError, match="differs from the first download"):
        fetch(server, tmp_path, "/a")
    server.bodies["/a"] = BODY
    fetch(server, tmp_path, "/a")


def tar_of(path, *members):
    with tarfile.open(path, "w:gz") as archive:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type = kind
            if kind == tarfile.REGTYPE:
                member.size = len(content)
            else:
                member.linkname = content.decode()
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([("../evil", tarfile.REGTYPE, b"x")], "leaves the folder"),
        ([("/tmp/evil", tarfile.REGTYPE, b"x")], "leaves the folder"),
        ([("a", tarfile.SYMTYPE, b"/etc/passwd")], "is a link"),
        ([("a", tarfile.LNKTYPE, b"b")], "is a link"),
        ([("a", tarfile.CHRTYPE, b"")], "is a device"),
        ([("a", tarfile.FIFOTYPE, b"")], "is a device"),
        ([("bomb", tarfile.REGTYPE, bytes(150 << 20))], "would grow"),
    ],
    ids=["parent", "absolute", "symlink", "hardlink", "device", "pipe", "bomb"],
)
def test_an_unsafe_tar_is_refused_whole(tmp_path, members, said):
    good = ("good.txt", tarfile.REGTYPE, b"good")
    file = tar_of(tmp_path / "a.tgz", good, *members)
    with pytest.raises(UserError, match=said):
        unpack(file, tmp_path)
    assert left_in(tmp_path) == ["a.tgz"]


def link_in_zip():
    member = zipfile.ZipInfo("link")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member


@pytest.mark.parametrize(
    ("member", "content", "said"),
    [
        ("../evil", b"x", "leaves the folder"),
        ("/tmp/evil", b"x", "leaves the folder"),
        (link_in_zip(), b"/etc/passwd", "is a link"),
        ("bomb", bytes(150 << 20), "would grow"),
    ],
    ids=["parent", "absolute", "symlink", "bomb"],
)
def test_an_unsafe_zip_is_refused_whole(tmp_path, member, content, said):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("good.txt", b"good")
        archive.writestr(member, content, zipfile.ZIP_DEFLATED)
    with pytest.raises(UserError, match=said):
        unpack(tmp_path / "a.zip", tmp_path)
    assert left_in(tmp_path) == ["a.zip"]


def test_a_cut_archive_leaves_nothing(tmp_path):
    file = tar_of(tmp_path / "a.tgz", ("good", tarfile.REGTYPE, BODY[:5000] * 40))
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(UserError, match="cannot be unpacked"):
        unpack(file, tmp_path)
    assert left_in(tmp_path) == ["a.tgz"]


def noise(size):
    return np.random.default_rng(0).bytes(size)


def damaged(file, writer, *flips):
    """Write an archive of two members, turn bits of it at the places `flips` (a share of it)."""
    with writer(file) as archive:
        for name in ("first", "second"):
            if isinstance(archive, zipfile.ZipFile):
                archive.writestr(name, noise(60_000).hex(), zipfile.ZIP_DEFLATED)
            else:
                add(archive, name, noise(60_000).hex().encode())
    content = bytearray(file.read_bytes())
    for place in flips:
        start = int(place * len(content))
        content[start : start + 40] = bytes(255 - byte for byte in content[start : start + 40])
    file.write_bytes(content)
    return file


ARCHIVES = {
    "a.zip": partial(zipfile.ZipFile, mode="w"),
    "a.tgz": partial(tarfile.open, mode="w:gz"),
    "a.tar.bz2": partial(tarfile.open, mode="w:bz2"),
    "a.tar.xz": partial(tarfile.open, mode="w:xz"),
}


@pytest.mark.parametrize("place", [0.1, 0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("name", ARCHIVES)
def test_damage_inside_a_member_ends_in_one_line_and_leaves_nothing(tmp_path, name, place):
    file = damaged(tmp_path / name, ARCHIVES[name], place)
    with pytest.raises(UserError, match=f"cannot be unpacked .*; delete {file} and run") as raised:
        unpack(file, tmp_path)
    assert "\n" not in str(raised.value)
    assert left_in(tmp_path) == [name]


def test_a_bit_turned_in_what_gzip_only_stores_is_noticed(tmp_path):
    file = tmp_path / "a.tgz"
    with tarfile.open(file, "w:gz", compresslevel=0) as archive:
        add(archive, "good", noise(100_000))
    unpack(file, tmp_path)
    content = bytearray(file.read_bytes())
    content[50_000] ^= 1
    file.write_bytes(content)
    (tmp_path / "good").unlink()
    with pytest.raises(UserError, match="CRC check failed"):
        unpack(file, tmp_path)
    assert left_in(tmp_path) == ["a.tgz"]


def test_a_damaged_first_download_is_not_held_to(server, tmp_path):
    whole = damaged(tmp_path / "whole.zip", ARCHIVES["a.zip"]).read_bytes()
    server.bodies["/a"] = damaged(tmp_path / "bad.zip", ARCHIVES["a.zip"], 0.5).read_bytes()
    folder = tmp_path / "raw"
    with pytest.raises(UserError, match=f"delete {folder}/images.zip and run again"):
        fetch(server, folder, "/a", name="images.zip")
    (folder / "images.zip").unlink()
    server.bodies["/a"] = whole
    fetch(server, folder, "/a", name="images.zip")
    assert left_in(folder) == ["first", "images.zip", "second"]


def test_a_file_unlike_the_first_download_is_told_from_its_record(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"one")
    fetch_files({"a.bin": {"urls": []}}, tmp_path)
    (tmp_path / "a.bin").write_bytes(b"two")
    said = r"\(if that download was the bad one, delete checksums\.yaml\); delete a\.bin, or put"
    with pytest.raises(UserError, match=said):
        fetch_files({"a.bin": {"urls": []}}, tmp_path)


def test_a_single_compressed_file_is_no_archive(tmp_path):
    (tmp_path / "labels-idx1-ubyte.gz").write_bytes(gzip.compress(b"labels"))
    unpack(tmp_path / "labels-idx1-ubyte.gz", tmp_path)
    assert left_in(tmp_path) == ["labels-idx1-ubyte.gz"]
