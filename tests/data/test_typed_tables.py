"""What is wrong with a table that somebody wrote is said by its line."""

import pytest
from image_sets import jpeg

from retention.common.errors import UserError
from retention.common.notes import collected
from retention.data.catalogue import index_images
from retention.data.typed_tables import read_typed


def read(tmp_path, text):
    (tmp_path / "t.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    return read_typed(tmp_path / "t.csv", ["path", "label"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "path,label\na,x,\nb,y,\nc,z,\n",
            ", line 2: has 3 fields, the header 2 (so have 2 more lines); take away the comma at the end, or end the "
            "header with one, too",
        ),
        (
            "path,label\na,x,,\nb,y,,\n",
            ", line 2: has 4 fields, the header 2 (so has 1 more line); take away the 2 commas at the end, or end the "
            "header with them, too",
        ),
        (
            "path,label\na,x\nb,y,z\n",
            ", line 3: has 3 fields, the header 2; put fields that hold a comma in double quotes, or name all columns",
        ),
        (
            "path,label,group\na,x\n",
            ", line 2: has 2 fields, the header 3; give every row all fields, empty ones too",
        ),
        ("path;label\na;x\n", ": its columns look separated by semicolons; save it with commas"),
        ("path\tlabel\na\tx\n", ": its columns look separated by tabs; save it with commas"),
        (
            "path,label,label\na,x,y\n",
            ": the header has label more than once; name each column once",
        ),
        (
            b"PK\x03\x04\x14\0\0\0\x08\0",
            ": is a spreadsheet or another binary file; save it as CSV in UTF-8",
        ),
        (
            'path,label\na,x\nb,"y\nc,z\n',
            ", line 3: the row that begins here cannot be read as CSV (unexpected end of data); close its quotes",
        ),
        ("", ": is empty; expected a header with the columns path, label"),
        ("\n\n", ": is empty; expected a header with the columns path, label"),
        (
            "a.png,x\nb.png,y\n",
            ": lacks the column(s) path, label; its first line has 'a.png', 'x', expected a header such as path,label",
        ),
        (
            "path, label\na,x\n",
            ": lacks the column(s) label; its first line has 'path', ' label', expected a header such as path,label",
        ),
    ],
)
def test_a_table_that_is_none_is_said_in_one_line(tmp_path, text, said):
    with pytest.raises(UserError) as raised:
        read(tmp_path, text)
    assert str(raised.value) == f"{tmp_path}/t.csv{said}"


@pytest.mark.parametrize(
    "text",
    [
        "path,label\na,x\nb,y\n",
        "\ufeffpath,label\r\na,x\r\nb,y",
        'path,label\n\n"a",x\n  \nb,"y"\n',
        ("path,label\ra,x\rb,y\r"),
        "path,label,,\na,x,,\n,,,\nb,y,, \n,,,\n",
        "path,,label, \na,,x,\nb,,y,\n",
        "path,label\na,x\nb,y\n,\n , \n",
    ],
)
def test_tables_as_programs_write_them_are_read(tmp_path, text):
    assert read(tmp_path, text).to_numpy().tolist() == [["a", "x"], ["b", "y"]]


def test_texts_stay_texts_and_a_column_may_lack_a_name(tmp_path):
    found = read(tmp_path, ',path,label\n0,"a, b\nc",007\n1,NA,1e5\n')
    assert found.to_numpy().tolist() == [["0", "a, b\nc", "007"], ["1", "NA", "1e5"]]
    assert found.index.tolist() == [3, 4]


def test_columns_without_a_name_are_noted_where_they_hold_something(images):
    rows = [f"{number},img/{number}.png,{'ab'[number % 2]},," for number in range(4)]
    for header, ends, said in (
        (",path,label,,", ["", "", "", ""], "one without a name"),
        (",path,label,, ", ["", "x", "", ""], "one without a name, one without a name"),
        (
            ",path,label,,",
            ["train", "train", "test", "test"],
            "one without a name, one without a name",
        ),
    ):
        text = [header, *(row + end for row, end in zip(rows, ends, strict=True)), ",,,,", ""]
        (images / "t.csv").write_text("\n".join(text))
        with collected("m") as notes:
            table, _ = index_images("m", {"adapter": "csv", "table": f"{images}/t.csv"}, images)
        assert len(table) == 4
        assert f"m: {images}/t.csv: columns not used: {said}" in notes
        named = "column without a name has names of parts (train, val, test) and is not used; a name and split_column"
        assert any(named in line for line in notes) == ("train" in ends)


@pytest.mark.parametrize("text", ["é".encode("latin-1"), "path,label\n".encode("utf-16")])
def test_another_encoding_is_said(tmp_path, text):
    with pytest.raises(UserError, match=r"t.csv: is no UTF-8 \(.*\); save it as CSV in UTF-8"):
        read(tmp_path, b"path,label\n" + text if len(text) == 1 else text)


@pytest.fixture
def images(tmp_path):
    """Images that tables name wrongly."""
    (tmp_path / "img").mkdir()
    for number in range(4):
        (tmp_path / f"img/{number}.png").write_bytes(jpeg(number))
    return tmp_path


def index(folder, paths, **more):
    rows = [f"{path},{'ab'[number % 2]}" for number, path in enumerate(paths)]
    (folder / "t.csv").write_text("\n".join(["path,label", *rows, ""]))
    return index_images("m", {"adapter": "csv", "table": str(folder / "t.csv"), **more}, folder)


def test_of_five_thousand_wrong_paths_ten_are_named_with_the_remedy(images):
    with pytest.raises(UserError) as raised:
        index(images, [f"img/{number}" for number in range(5000)])
    assert str(raised.value) == (
        f"{images}/t.csv: 5000 of 5000 paths lead to no file ({', '.join(f'img/{n}' for n in range(10))} and 4990 "
        "more); write them with their suffix, .png"
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("img\\{}.png", "write them with / in place of \\"),
        ("img/{}.png ", "write them without blanks around them"),
        ("/img/{}.png", "write them without a / at the beginning"),
        ("{}.png", "paths start at the table's folder, "),
    ],
)
def test_the_remedy_fits_what_is_wrong(images, monkeypatch, wrong, said):
    with pytest.raises(UserError) as raised:
        index(images, [wrong.format(number) for number in range(4)])
    assert f"); {said}" in str(raised.value)
    monkeypatch.chdir(images / "img")
    with pytest.raises(
        UserError, match=r"start at the table's folder, .*, not where snakemake is run$"
    ):
        index(images, ["0.png", "1.png"])


@pytest.mark.parametrize(
    ("there", "written", "said"),
    [
        ("0.PNG", "0.png", "differ in upper and lower case: write Im/0.PNG in place of im/0.png"),
        ("0.png", "0.PNG", "differ in upper and lower case: write Im/0.png in place of im/0.PNG"),
        (
            "cafe\u0301.png",
            "caf\xe9.png",
            r"differ in Unicode form and in upper and lower case: write 'Im/cafe\u0301.png' in place of "
            r"'im/caf\xe9.png'; unicodedata.normalize('NFD', path) of Python writes the form",
        ),
    ],
)
def test_a_path_that_differs_in_case_or_unicode_form_is_told_how_to_be_written(
    tmp_path, there, written, said
):
    (tmp_path / "Im").mkdir()
    (tmp_path / "Im" / there).write_bytes(jpeg(0))
    with pytest.raises(UserError) as raised:
        index(tmp_path, ["im/gone.png", f"im/{written}"])
    assert f"2 of 2 paths lead to no file (im/gone.png, im/{written}); their files {said}" in str(
        raised.value
    )


def test_only_another_unicode_form_is_said_by_code_points(images):
    (images / "img/cafe\u0301.png").write_bytes(jpeg(7))
    with pytest.raises(UserError) as raised:
        index(images, ["img/caf\xe9.png", "img/1.png"])
    assert str(raised.value).endswith(
        r"); their files differ in Unicode form: write 'img/cafe\u0301.png' in place of 'img/caf\xe9.png'; "
        "unicodedata.normalize('NFD', path) of Python writes the form"
    )


def test_a_few_paths_that_lead_nowhere_can_be_left_out(images):
    paths = [f"img/{number % 4}.png" for number in range(20)]
    (images / "t.csv").write_text("")
    rows = [f"{path},{'ab'[n % 2]},{n}" for n, path in enumerate([*paths, "img/gone.png"])]

    def attempt(**more):
        (images / "t.csv").write_text("\n".join(["path,label,sample_id", *rows, ""]))
        return index_images("m", {"adapter": "csv", "table": f"{images}/t.csv", **more}, images)

    with pytest.raises(
        UserError,
        match=r"1 of 21 paths lead to no file \(img/gone.png\); .* on_bad_image: quarantine",
    ):
        attempt()
    with pytest.raises(UserError, match=r"quarantine with max_left_out: 0\.05 to go on"):
        attempt(max_left_out=0.01)
    table, left_out = attempt(on_bad_image="quarantine")
    assert len(table) == 20
    assert left_out["reason"].tolist() == ["there is no such file"]


def test_of_repeated_ids_ten_are_named(images):
    with pytest.raises(
        UserError,
        match=r"t.csv: 4 paths stand more than once, their labels agree: img/0.png \(lines 2, 6, 10\), .*; keep one row",
    ):
        index(images, [f"img/{number % 4}.png" for number in range(12)])
    with pytest.raises(
        UserError,
        match=r"1 path stands more than once, 1 of them with different labels: img/0.png \(lines 2, 5\)",
    ):
        index(images, ["img/0.png", "img/1.png", "img/2.png", "img/0.png"])


def test_a_folder_and_a_header_alone_are_no_table(images):
    with pytest.raises(UserError, match=r"t.csv: has a header and no row; give one row per image"):
        index(images, [])
    with pytest.raises(UserError, match=r"/img: is a folder; table: names a CSV file"):
        index_images("m", {"adapter": "csv", "table": f"{images}/img"}, images)
