"""What commands that build pages say of their options, and the pages' second wall against names that are scripts."""

import re

import pytest
from shown_runs import drawn_study, options, write_cache, write_study

from retention.commands import build_explorer, build_gallery, rank_suspects, write_tables
from retention.common.errors import UserError

COMMANDS = {build_gallery: "gallery", build_explorer: "explorer.html"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    study = drawn_study(each=5, runs=(("a", 0), ("a", 1)))
    return write_study(study, folder) | {"cache": write_cache(study, folder)}


def said_by(command, files, tmp_path, capsys):
    command.main([*options(files), "--output", str(tmp_path / COMMANDS[command])])
    return capsys.readouterr().out


def test_what_was_built_and_what_it_is_without(files, tmp_path, capsys):
    some = {"samples": files["samples"]}
    lacking = "without pictures (--cache), epochs (--traces), paths (--index)"
    assert f"explorer.html: 15 samples of 2 runs; {lacking}\n" in said_by(
        build_explorer, some, tmp_path, capsys
    )
    assert f"0 pictures; {lacking}\n" in said_by(build_gallery, some, tmp_path, capsys)
    for command in COMMANDS:
        assert "without" not in said_by(command, files, tmp_path, capsys)


def test_pages_run_no_script_but_their_own(files, tmp_path, capsys):
    said_by(build_gallery, files, tmp_path, capsys)
    said_by(build_explorer, files, tmp_path, capsys)
    pages = [*(tmp_path / "gallery").glob("*.html"), tmp_path / "explorer.html"]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
        assert policy.startswith("default-src") and "connect-src" not in policy
        assert ("script-src" in policy) == (page.name == "explorer.html")


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_cache_is_two_files(files, tmp_path, command, count):
    given = (files["cache"] * 2)[:count]
    with pytest.raises(
        UserError, match=rf"^--cache: names {count} files?, .*pixels\.npy.*; expected two, pixels"
    ):
        command.main(
            [
                *options({"samples": files["samples"], "cache": given}),
                "--output",
                str(tmp_path / "x"),
            ]
        )


@pytest.mark.parametrize("option", ["samples", "traces", "index"])
@pytest.mark.parametrize("command", [*COMMANDS, rank_suspects])
def test_a_table_where_a_parquet_file_is_expected(files, tmp_path, command, option):
    table = tmp_path / "classes.csv"
    table.write_text("class_name,count\na,1\n")
    given = {name: files[name] for name in ("samples", "traces", "index")} | {option: [table]}
    expected = rf"classes\.csv: is no Parquet file; name {option}\.parquet[ ,]"
    with pytest.raises(UserError, match=expected):
        command.main([*options(given), "--output", str(tmp_path / "x")])


@pytest.mark.parametrize("option", ["findings", "paper"])
def test_a_parquet_file_where_a_table_is_expected(files, tmp_path, option):
    table = tmp_path / "a.csv"
    table.write_text("finding\n")
    given = {"findings": [table]} | {option: files["index"]}
    with pytest.raises(UserError, match=r"index\.parquet: is no CSV table; name .*\.py w"):
        write_tables.main([*options(given), "--output", str(tmp_path / "tables")])
