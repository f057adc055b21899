"""Tables of findings and of the multiverse lie in one folder: what takes the former tells them apart."""

import pandas as pd
import pytest
from described_study import command
from made_up_multiverse import LITTLE, study_of
from no_paper import NO_PAPER

from retention.audits.tables import findings_tables, read_findings
from retention.commands import draw_figure, write_summary
from retention.common.csv_tables import write_csv
from retention.common.errors import UserError
from retention.measuring.table import COLUMNS
from retention.multiverse.joint import COLUMNS as OF_JOINT
from retention.multiverse.shares import COLUMNS as OF_SHARES
from retention.multiverse.verdicts import SUMMARY


@pytest.fixture
def folder(tmp_path):
    """Return a folder of findings as the documented glob meets it."""
    table = pd.DataFrame({name: [0.1, 0.2] for name in COLUMNS})
    words = {"finding": "class_forgetting", "dataset": "d", "comparison": ["a: x", "a: y"]}
    words |= {"architecture": "a", "statistic": "class_hazard", "target": "new runs"}
    words |= {"treatment": "random", "note": None, "definition": ""}
    write_csv(tmp_path / "class_forgetting.csv", table.assign(**words))
    write_csv(tmp_path / "multiverse.csv", study_of(**LITTLE).head(3))
    for name, columns in (("shares", OF_SHARES), ("joint", OF_JOINT), ("match_summary", SUMMARY)):
        rows = pd.DataFrame([dict.fromkeys(columns, "x")])
        write_csv(tmp_path / f"multiverse_{name}.csv", rows)
    return tmp_path


def test_tables_of_the_multiverse_are_left_out_and_named(folder):
    told = []
    (only,) = findings_tables(sorted(folder.glob("*.csv")), told.append)
    assert only["finding"].tolist() == ["class_forgetting"] * 2
    assert [line.split()[1] for line in told] == [
        str(path) for path in sorted(folder.glob("multiverse*.csv"))
    ]
    assert all(line.startswith("--findings: ") and "is left out" in line for line in told)
    assert len(read_findings(sorted(folder.glob("*.csv")))) == 2
    with pytest.raises(UserError, match=r"^--findings: names no table of a finding; name those"):
        read_findings([folder / "multiverse.csv"])


def test_the_summary_takes_the_whole_folder_or_says_what_a_table_lacks(folder):
    paper, output = folder.parent / "paper.csv", folder.parent / "summary.md"
    write_csv(paper, NO_PAPER)
    words = ["--paper", paper, "--coherence", paper, "--output", output]
    command(write_summary, "--findings", *sorted(folder.glob("*.csv")), *words)
    assert "## F4" in output.read_text(encoding="utf-8")
    with pytest.raises(UserError, match=r"paper\.csv: lacks the column\(s\) "):
        command(write_summary, "--findings", paper, *words)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "multiverse.csv",
            "multiverse.csv: is a table of the multiverse; give seed_stability.csv, as",
        ),
        ("multiverse_shares.csv", "multiverse_shares.csv: is a table of the multiverse; give"),
        ("early_loss.csv", "early_loss.csv: is of early_loss; give seed_stability.csv, as"),
    ],
)
def test_a_figure_of_a_finding_refuses_another_table(folder, name, told):
    table = pd.read_csv(folder / "class_forgetting.csv")
    write_csv(folder / "early_loss.csv", table.assign(finding="early_loss"))
    with pytest.raises(UserError) as error:
        command(
            draw_figure,
            "seed_stability",
            *("--finding", folder / name, "--output", folder / "figure.png"),
        )
    (line,) = str(error.value).splitlines()
    assert line.startswith(f"{folder}/{told}")
