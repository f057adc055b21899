"""Pickles are read without running what they name: numbers in containers come through, everything else is refused."""

import os
import pickle
import pickletools
from collections import OrderedDict, defaultdict
from fractions import Fraction

import numpy as np
import pytest
from sources import ROOT

from retention.commands import import_traces
from retention.common.errors import UserError
from retention.importers._pickles import read_pickle

(STATISTICS,) = (ROOT / "tests/files/peers/toneva").glob("*.pkl")
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


class Calls:
    """Pickled as the call of a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_numbers_in_containers_come_through(tmp_path, protocol):
    content = {
        np.int64(3): [[0.5, np.float32(1.5)], [1, 0], (np.float64(2), True)],
        "train": OrderedDict(a=np.arange(6.0).reshape(2, 3), f=np.asfortranarray(np.eye(2, 3))),
        "bytes": b"\x00\xff",
        "none": None,
        "set": {1, 2},
    }
    path = tmp_path / "plain.pkl"
    path.write_bytes(pickle.dumps(content, protocol))
    found = read_pickle(path)
    assert found.keys() == content.keys()
    assert found[3] == content[3] and found["set"] == {1, 2} and found["bytes"] == b"\x00\xff"
    assert found["train"]["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["train"]["f"].tolist() == [[1, 0, 0], [0, 1, 0]]
    path.write_bytes(pickle.dumps(defaultdict(list, {1: [2]}), protocol))
    assert read_pickle(path) == {1: [2]}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_call_is_made(tmp_path, protocol):
    marker = tmp_path / "it ran"
    touch = f"open({str(marker)!r}, 'w')"
    calls = [
        Calls(os.system, f"touch '{marker}'"),
        Calls(eval, touch),
        Calls(exec, touch),
        Calls(open, str(marker), "w"),
        Calls(getattr, [], "clear"),
        Calls(np.save, str(marker), 1),
        Calls(np.fromfile, str(marker)),
        Calls(__import__, "antigravity"),
        Calls(Fraction, 1, 2),
        defaultdict(os.getcwd, {1: Calls(os.mkdir, str(marker))}),
        [1.0, {2: Calls(os.mkdir, str(marker))}],
        np.array([Calls(os.mkdir, str(marker))], dtype=object),
    ]
    for number, call in enumerate(calls):
        path = tmp_path / f"{number}.pkl"
        path.write_bytes(pickle.dumps(call, protocol))
        with pytest.raises(UserError, match=r"is not read: it asks for [\w.]+; a pickle may run"):
            read_pickle(path)
    assert not marker.exists()


def test_a_factory_is_dropped(tmp_path):
    path = tmp_path / "factory.pkl"
    path.write_bytes(pickle.dumps(defaultdict(int, {1: 2})))
    assert read_pickle(path).default_factory is None


def test_every_part_of_the_peers_file_is_allowed_for_what_it_is():
    """It names numpy's scalars and types, and nothing else."""
    found = read_pickle(STATISTICS)
    trusted = pickle.loads(STATISTICS.read_bytes())
    assert found == trusted and len(found) == 26
    asked = {
        arg for code, arg, _ in pickletools.genops(STATISTICS.read_bytes()) if code.name == "GLOBAL"
    }
    assert asked == set()  # protocol 4: by STACK_GLOBAL


@pytest.mark.parametrize("cut", [0, 1, 10, 5000])
def test_a_pickle_that_is_cut_short_is_refused(tmp_path, cut):
    path = tmp_path / "run__stats_dict.pkl"
    path.write_bytes(STATISTICS.read_bytes()[:cut])
    with pytest.raises(UserError, match=r"is (no whole pickle|not read)"):
        read_pickle(path)


STATS = pickle.loads(STATISTICS.read_bytes())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1], "holds a list; expected a map from sample to lists"),
        ({"train": [[], []]}, "expected samples' numbers, train and test as keys; it has no number"),
        (STATS | {"validation": 1}, "as keys; it has validation"),
        (STATS | {3: [[1.0], [1]]}, "sample 3 has no lists of losses, accuracies and margins"),
        (STATS | {3: [[1.0], [1], [1, 2]]}, "the lists of sample 3 have different lengths"),
        (STATS | {3: [[1.0], [1], [0.5]]}, r"1 samples have fewer than 16 presentations: 3 \(1\);"),
        (STATS | {3: [["a"] * 16, [1] * 16, [1] * 16]}, "lists hold something else than numbers"),
        (STATS | {3: [[1] * 16, [2] * 16, [1] * 16]}, "presentation 1: epoch 1: correct of 1 samples is out of range: 3"),
    ],
)  # fmt: skip
def test_statistics_that_are_not_as_the_script_writes_them(tmp_path, content, said):
    path = tmp_path / "run__stats_dict.pkl"
    path.write_bytes(pickle.dumps(content))
    words = [tmp_path, "--format", "toneva", "--output", tmp_path / "traces.parquet"]
    with pytest.raises(UserError, match=said):
        import_traces.main([str(word) for word in words])
    (tmp_path / "other__stats_dict.pkl").write_bytes(b"")
    with pytest.raises(
        UserError, match=r"expected one file .*, it has other__stats_dict.pkl, run__"
    ):
        import_traces.main([str(word) for word in words])
