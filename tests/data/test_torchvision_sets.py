"""torchvision's sets, its own download code played over loopback with files in CIFAR-10's layout."""

import hashlib
import io
import json
import pickle
import tarfile

import numpy as np
import pandas as pd
import pytest
from image_sets import add
from torchvision.datasets import CIFAR10

from retention.commands import cache_images, fetch_dataset, index_dataset
from retention.common.errors import UserError
from retention.data.catalogue import index_images
from retention.data.image_cache import ImageCache

DEFINITION = json.dumps({"adapter": "torchvision", "name": "CIFAR10"})
BATCHES = {"data_batch_1": 6, "data_batch_2": 5, "test_batch": 4}
CLASSES = ["cat", "dog", "ship"]


@pytest.fixture
def cifar(server, monkeypatch):
    """Serve an archive as CIFAR-10's, its addresses and checksums in torchvision; return pixels."""
    draws, pixels, files = np.random.default_rng(0), {}, {}
    for name, count in BATCHES.items():
        pixels[name] = draws.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
        labels = [row % len(CLASSES) for row in range(count)]
        files[name] = pickle.dumps({"data": pixels[name].reshape(count, -1), "labels": labels})
    files["batches.meta"] = pickle.dumps({"label_names": CLASSES})
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            add(archive, f"cifar-10-batches-py/{name}", content)
    server.bodies["/cifar.tar.gz"] = stream.getvalue()
    sums = {name: hashlib.md5(content).hexdigest() for name, content in files.items()}
    listed = [[name, sums[name]] for name in BATCHES]
    monkeypatch.setattr(CIFAR10, "url", server.url("/cifar.tar.gz"))
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(stream.getvalue()).hexdigest())
    monkeypatch.setattr(CIFAR10, "train_list", listed[:2])
    monkeypatch.setattr(CIFAR10, "test_list", listed[2:])
    monkeypatch.setattr(CIFAR10, "meta", {**CIFAR10.meta, "md5": sums["batches.meta"]})
    return pixels


def test_a_torchvision_set_by_name(tmp_path):
    options = {"size": 12, "image_size": [3, 20, 24], "num_classes": 3}
    definition = {"adapter": "torchvision", "name": "FakeData", "options": options}
    table, _ = index_images("fake", definition, tmp_path)
    assert len(table) == 12
    assert table["class_name"].nunique() == 3
    assert (table["width"][0], table["height"][0]) == (24, 20)
    with pytest.raises(UserError, match="no data set called 'Nonsense'"):
        index_images("x", {"adapter": "torchvision", "name": "Nonsense"}, tmp_path)


def test_a_torchvision_set_with_official_parts(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    draws = np.random.default_rng(0)
    for part, count in (("train", 8), ("t10k", 4)):
        images = draws.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        header = np.array([0x803, count, 28, 28], dtype=">i4").tobytes()
        (raw / f"{part}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        header = np.array([0x801, count], dtype=">i4").tobytes()
        labels = (np.arange(count) % 2).astype(np.uint8).tobytes()
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(header + labels)
    table, _ = index_images("mnist", {"adapter": "torchvision", "name": "MNIST"}, tmp_path)
    assert table["official_split"].value_counts().to_dict() == {"train": 8, "test": 4}
    assert sorted(table["class_name"].unique()) == ["0 - zero", "1 - one"]


def fetch(folder):
    output = folder / "fetched.yaml"
    fetch_dataset.main(["--dataset", "c", "--definition", DEFINITION, "--output", str(output)])
    return output


def test_a_set_that_must_be_downloaded_comes_with_all_its_pixels(cifar, server, tmp_path):
    fetched = fetch(tmp_path)
    assert {path for path, _ in server.requests} == {"/cifar.tar.gz"}
    images, quarantine = tmp_path / "images.parquet", tmp_path / "quarantine.csv"
    command = ["--dataset", "c", "--definition", DEFINITION]
    outputs = ["--output", str(images), "--quarantine", str(quarantine)]
    index_dataset.main([*command, "--fetched", str(fetched), "--threads", "2", *outputs])
    table = pd.read_parquet(images)
    assert table["official_split"].value_counts().to_dict() == {"train": 11, "test": 4}
    assert table["class_name"][:4].tolist() == ["cat", "dog", "ship", "cat"]
    files = tmp_path / "pixels.npy", tmp_path / "layout.parquet"
    outputs = ["--pixels", str(files[0]), "--layout", str(files[1])]
    cache_images.main([*command, "--images", str(images), "--size", "32", *outputs])
    cache = ImageCache(*files)
    train = np.concatenate([cifar["data_batch_1"], cifar["data_batch_2"]])
    expected = {"train": train, "test": cifar["test_batch"]}
    for row in table.itertuples():
        part, place = row.sample_id.rsplit("-", 1)
        planes = expected[part][int(place)]
        np.testing.assert_array_equal(cache.image(row.sample_index), planes.transpose(1, 2, 0))


def test_an_archive_put_there_by_hand_needs_no_network(cifar, server, tmp_path):
    (tmp_path / CIFAR10.filename).write_bytes(server.bodies["/cifar.tar.gz"])
    fetch(tmp_path)
    assert server.requests == []


@pytest.mark.parametrize(
    ("body", "said"),
    [(None, "HTTP Error 404"), (b"<html>moved", "File not found or corrupted")],
    ids=["404", "web page"],
)
def test_what_torchvision_cannot_fetch_ends_in_one_line(cifar, server, tmp_path, body, said):
    whole = server.bodies.pop("/cifar.tar.gz")
    if body is not None:
        server.bodies["/cifar.tar.gz"] = body
    with pytest.raises(UserError, match=said) as raised:
        fetch(tmp_path)
    text = str(raised.value)
    assert "\n" not in text
    assert text.startswith("torchvision.datasets.CIFAR10 with ")
    assert f"by hand where it looks for them below {tmp_path}" in text
    assert not (tmp_path / "fetched.yaml").exists()
    server.bodies["/cifar.tar.gz"] = whole
    fetch(tmp_path)
