"""The command that writes tables for a paper: three files of each table, and its faults in one line."""

import pandas as pd
import pytest
import yaml
from finding_rows import STABLE, table_of
from latex_cells import cells_of

from retention.commands import write_tables
from retention.common.csv_tables import write_csv
from retention.common.errors import UserError

FORMS = ("csv", "md", "tex")


def run_command(*words):
    write_tables.main([str(word) for word in words])


def test_the_command_writes_three_files_of_each_from_tables_alone(tmp_path, capsys):
    write_csv(tmp_path / "a.csv", STABLE)
    run_command(
        "--findings",
        tmp_path / "a.csv",
        "--output",
        tmp_path / "tables",
        "--titles",
        '{"vit": "ViT-S"}',
    )
    paths = [tmp_path / f"tables/seed_stability.{form}" for form in FORMS]
    assert capsys.readouterr().out.splitlines() == list(map(str, paths))
    assert sorted((tmp_path / "tables").iterdir()) == sorted(paths)
    read = pd.read_csv(paths[0])
    assert read["Comparison"].tolist() == ["cnn", "cnn", "ViT-S", "ViT-S"]
    assert (
        read["Estimate"].tolist()
        == STABLE.loc[STABLE["statistic"] != "seeds_needed", "estimate"].tolist()
    )
    table = table_of("seed_stability", STABLE, titles={"vit": "ViT-S"})
    assert paths[1].read_text() == table.as_markdown()
    assert cells_of(paths[2].read_text()) == cells_of(table.as_latex())


def test_each_fault_of_the_command_is_one_line(tmp_path):
    table, run, other = tmp_path / "a.csv", tmp_path / "run.yaml", tmp_path / "other.csv"
    write_csv(table, STABLE)
    write_csv(other, STABLE.assign(finding="seed_stabilit"))
    run.write_text(yaml.safe_dump({"dataset": "d"}))
    write_csv(tmp_path / "multiverse.csv", STABLE.drop(columns="ceiling"))
    for words, told in (
        (["--findings", tmp_path / "none.csv"], "none.csv: there is no such file"),
        (
            ["--findings", tmp_path / "multiverse.csv"],
            r"multiverse.csv: lacks the column\(s\) ceiling; .*name tables that",
        ),
        (["--findings", other], "other.csv: finding is 'seed_stabilit', expected one of"),
        (
            ["--findings", table, table],
            "a.csv: has seed_stability of d, as .*a.csv has; name one of the two",
        ),
        (["--findings", table, "--paper", table], r"a.csv: lacks the column\(s\) reported"),
        (
            ["--findings", table, "--runs", run],
            "run.yaml: lacks architecture, .*name run.yaml of finished runs",
        ),
        (["--findings", table, "--runs", tmp_path / "no.yaml"], "no.yaml: cannot be read"),
        (
            ["--findings", table, "--classes", table],
            "--duplicates: names 0 files, --classes 1; name both",
        ),
    ):
        with pytest.raises(UserError, match=told) as error:
            run_command(*words, "--output", tmp_path / "tables")
        assert "\n" not in str(error.value)
    assert not (tmp_path / "tables").exists()
