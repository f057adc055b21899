"""Labels and groups that people type: spellings of one name, and spellings of none."""

import pandas as pd
import pytest
from image_sets import jpeg

from retention.common.errors import UserError
from retention.common.notes import collected
from retention.data.catalogue import index_images
from retention.data.names import large_groups
from retention.data.spellings import alike

COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"
SPELLINGS = [
    "NA",
    "n/a",
    "NaN",
    "None",
    "null",
    "-",
    "--",
    "?",
    "unknown",
    "Missing",
    "n.a.",
    "#N/A",
]
SPELLINGS += ["<NA>", " nil ", "NAN", "#NA", "NaT", ".", "—", "UNK", "Not available"]
SPELLINGS += ["#REF!", "#VALUE!", "#DIV/0!", "(blank)", "(Blank)", "n.d.", "not known", "Not_Known"]
SPELLINGS += ["no patient", "no-patient", "Unspecified", "anonymous", "\u2026", "???", "\\N"]


@pytest.fixture
def table(tmp_path):
    """Return a function that writes a table of twelve images and returns its definition."""
    (tmp_path / "images").mkdir()
    for number in range(12):
        (tmp_path / f"images/{number:02d}.jpg").write_bytes(jpeg(number, (8, 8)))

    def write(labels, **columns):
        paths = [f"images/{number:02d}.jpg" for number in range(12)]
        frame = pd.DataFrame({"path": paths, "label": labels, **columns})
        frame.to_csv(tmp_path / "mine.csv", index=False)
        return {"adapter": "csv", "table": str(tmp_path / "mine.csv")}

    return write


def index(definition):
    with collected("m") as notes:
        found, _ = index_images("m", definition, None)
    return found, notes


@pytest.mark.parametrize(
    ("first", "second", "shown"),
    [
        ("cat", "cat ", "'cat' (4), 'cat ' (2)"),
        ("Cat", "cat", "'Cat' (4), 'cat' (2)"),
        ("a cat", "a  cat", "'a  cat' (2), 'a cat' (4)"),
        ("cat", "cat\ufe0f", r"'cat' (4), 'cat\ufe0f' (2)"),
        ("cat", "c\u200bat", r"'cat' (4), 'c\u200bat' (2)"),
        (COMPOSED, DECOMPOSED, r"'cafe\u0301' (2), 'caf\xe9' (4)"),
        ("\uff23at", "cat", "'cat' (2), '\uff23at' (4)"),
        ("Stra\u00dfe", "STRASSE", "'STRASSE' (2), 'Stra\u00dfe' (4)"),
    ],
)
def test_labels_that_are_one_word_are_refused_and_shown(table, tmp_path, first, second, shown):
    definition = table([first] * 4 + [second] * 2 + ["dog"] * 6)
    with pytest.raises(UserError) as raised:
        index(definition)
    assert str(raised.value) == (
        f"{tmp_path}/mine.csv: labels that differ only in their spelling: {shown}; write them alike, or "
        "set on_similar_names: keep"
    )
    found, _ = index(definition | {"on_similar_names": "keep"})
    assert set(found["class_name"]) == {first, second, "dog"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("17", "17.0"),
        ("001", "1"),
        ("01", "1"),
        ("1", "1."),
        ("0", "00"),
        ("Patient 017", "patient_17"),
        ("P001", "p1"),
        ("Barrett's", "Barrett\u2019s"),
        ("1-2", "1\u20132"),
        ("T\u2011cell", "T-cell"),
        ("left_eye", "left eye"),
        ("left_eye", "left-eye"),
        ("COVID-19", "covid_19"),
        ("\u22121", "-1"),
        ("\u0441at", "cat"),  # a Cyrillic letter
        ("\u0391lpha", "Alpha"),  # a Greek one
        ("Grade \u0410", "Grade A"),
        ("\u0433\u0440\u0443\u043f\u043f\u0430 A", "\u0433\u0440\u0443\u043f\u043f\u0430 \u0410"),
    ],
)
def test_two_spellings_of_one_name_are_found(one, other):
    assert alike(["dog", other, one]) == [tuple(sorted([one, other]))]


@pytest.mark.parametrize(
    "names",
    [
        ("stage 1", "stage 2", "stage 12", "stage 1.2"),
        ("a-b", "a+b", "ab"),
        ("C", "C+", "C-"),
        ("é", "e", "á", "a"),
        ("0.5", "5", "0.05", ".5", ".05"),
        ("'", "`", "\u2019", '"', "\u201c", "\u2013"),  # characters as classes
        ("1.0", "1.1", "1.10", "10"),
        ("01", "02", "10", "100"),
        ("1_12", "11_2", "p1_2", "p12"),
        ("1 12", "11 2", "112"),  # row and column of a plate
        ("Gleason 3 3", "Gleason 33"),
        ("2021 1 11", "2021 11 1"),
        ("-1", "1", "+1", "z-1", "z1"),
        ("\u0421\u041e\u0420", "COP"),  # each in one script
        ("\u0410", "A"),
        ("1e5", "100000", "a01b10", "a1b010"),
        ("-", "--", "_", "."),
    ],
)
def test_other_words_are_other_words(names):
    assert alike(names) == []


def test_of_names_that_look_alike_the_letters_are_shown(table):
    with pytest.raises(UserError, match=r": 'cat' \(4\), '\\u0441at' \(2\); write"):
        index(table(["cat"] * 4 + ["\u0441at"] * 2 + ["dog"] * 6))
    mixed, russian = "\u0433\u0440. A", "\u0433\u0440. \u0410"
    with pytest.raises(UserError, match=r": '\\u0433\\u0440\. A' .*, '\\u0433\\u0440\. \\u0410' "):
        index(table([mixed, russian] * 3 + ["dog"] * 6))
    with pytest.raises(UserError, match=r": 'a-b' \(4\), 'a\\u2011b' \(2\); write"):
        index(table(["a-b"] * 4 + ["a\u2011b"] * 2 + ["dog"] * 6))


def test_groups_that_tables_wrote_as_numbers_are_refused_or_kept_apart(table):
    definition = table(["cat", "dog"] * 6, group=["17", "17.0", "18", "018"] * 3)
    with pytest.raises(
        UserError,
        match=r"groups that differ only .*: '018' \(3\), '18' \(3\); '17' \(3\), '17.0' \(3\); write",
    ):
        index(definition)
    assert index(definition | {"on_similar_names": "keep"})[0]["group"].nunique() == 4


def test_class_folders_and_groups_are_held_to_the_same(table, tmp_path):
    labels = ["cat", "dog"] * 6
    with pytest.raises(
        UserError, match=r"groups that differ only .*: 'P1' \(1\), 'p1' \(10\), 'p1 ' \(1\); write"
    ):
        index(table(labels, group=["P1", "p1 ", *["p1"] * 10]))
    for name in ("cat", "Cat", "dog"):
        (tmp_path / "folders" / name).mkdir(parents=True)
        (tmp_path / "folders" / name / "0.jpg").write_bytes(jpeg(1))
    with pytest.raises(
        UserError, match=r"folders: class folders that differ only .*: 'Cat' \(1\), 'cat' \(1\)"
    ):
        index({"adapter": "imagefolder", "folder": str(tmp_path / "folders")})


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_missing_group_is_a_group_of_its_own_however_it_is_written(table, spelling):
    definition = table(["cat", "dog"] * 6, group=["a", "a", *[spelling] * 10])
    found, notes = index(definition)
    assert found["group"].nunique() == 11
    assert notes == [
        f"m: 10 images whose group is missing ({spelling!r}): each is a group of its own; missing_groups lists what "
        "counts as none"
    ]
    literal, notes = index(definition | {"missing_groups": []})
    assert literal["group"].nunique() == 2
    assert notes == [f"m: group {spelling!r} holds 10 of all 12 images"]


def large(groups, **more):
    """Return the notes on groups of as many images."""
    images = pd.DataFrame({"group": groups, "sample_id": [f"{n}.png" for n in range(len(groups))]})
    return list(large_groups(images, {"adapter": "csv", **more}))


def test_groups_far_larger_than_the_others_are_noted():
    patients = [f"p{number // 2}" for number in range(200)]
    said = (
        "the group '-1' (20) of all 220 images: the median group holds 2; is their group missing?"
    )
    assert large(patients + ["-1"] * 20) == [f"{said}; missing_groups lists what counts as none"]
    assert large(patients + ["-1"] * 20, adapter="octdl") == [said]
    (line,) = large(patients + ["-1"] * 30 + ["999"] * 25)
    assert line.startswith("the groups '-1' (30), '999' (25) of all 255 images")


@pytest.mark.parametrize(
    "groups",
    [
        [f"p{number}" for number in range(50)],
        [f"p{number // 2}" for number in range(100)] + ["big"] * 15,  # not ten times as large
        [f"p{number // 2}" for number in range(800)] + ["big"] * 30,  # no twentieth of all
        ["a", "b", "c"] * 20,
        [f"ungrouped: {n}.png" for n in range(60)] + ["p", "q", "r", "s"] * 12,
    ],
)
def test_groups_of_ordinary_sizes_are_not_noted(groups):
    assert large(groups) == []


def test_empty_groups_count_among_the_missing_ones(table):
    groups = ["a", "a", "NA", "", "", "", *["b"] * 6]
    _, notes = index(table(["cat", "dog"] * 6, group=groups))
    assert notes[0].startswith("m: 4 images whose group is missing ('', 'NA'): each is a group")


def test_images_of_no_group_may_have_similar_names(table):
    ids = [f"{'xX'[n % 2]}{n // 2}" for n in range(12)]
    found, _ = index(table(["cat", "dog"] * 6, group=["NA"] * 12, sample_id=ids))
    assert found["group"].nunique() == 12


def test_what_counts_as_a_missing_group_can_be_said(table):
    definition = table(["cat", "dog"] * 6, group=["a", "a", *["none known"] * 10])
    assert index(definition | {"missing_groups": ["None known"]})[0]["group"].nunique() == 11


def test_a_class_that_is_called_like_a_missing_value_is_noted(table):
    _, notes = index(table(["cat"] * 9 + ["NA"] * 3))
    assert notes == ["m: class 'NA' has 3 images: is their label missing?"]


def test_a_blank_label_is_empty(table, tmp_path):
    with pytest.raises(
        UserError, match=r"mine.csv, line 3, 4: path or label is empty \(label\); give both"
    ):
        index(table(["cat", " ", "", *["dog"] * 9]))
