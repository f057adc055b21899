"""What the summary says of forgetting, and how many images it counts as forgotten."""

import pandas as pd
import pytest
from finding_rows import agreement, rows_of, run_of

from retention.commands.write_summary import _of_runs as of_runs
from retention.commands.write_summary import _read_described as read_described
from retention.common.errors import UserError
from retention.reporting.brief import in_short


def told(table, **options):
    return "\n\n".join(in_short(table, [], **options))


def described(*events, split="train"):
    """Return samples.parquet of a run that forgot its samples so often."""
    table = pd.DataFrame({"sample_index": range(len(events)), "forgetting_events": events})
    return table.assign(split=split)


def test_what_forgetting_is_and_how_many_were_forgotten_is_told_first():
    held_out = described(5, 5, 5, 5, split="test")
    runs = [
        ("d", "cnn", pd.concat([described(0, 1, 0, 0), held_out])),
        ("d", "cnn", pd.concat([described(0, 2, 3, 0), held_out])),
        ("d", "v*t", pd.concat([described(0, 0, 0, 0), held_out])),
    ]
    first = told(rows_of("seed_stability", *agreement("cnn", 0.5, 0.01)), described=runs)
    paragraph = first.split("\n\n")[1]
    assert paragraph.endswith(
        "An image is forgotten when it was right after one epoch and is wrong after the next. **cnn** forgot "
        "2 of 4 training images (50 %, in at least one of 2 runs) and **v\\*t** forgot 0 of 4 training images (0 %)."
    )
    elsewhere = [*runs, ("e", "cnn", described(1))]
    second = told(rows_of("seed_stability", *agreement("cnn", 0.5, 0.01)), described=elsewhere)
    assert "**cnn** forgot 2 of 4 training images on d (" in second
    assert "**cnn** forgot 1 of 1 training images on e (100 %)" in second
    assert "** forgot " not in told(rows_of("seed_stability", *agreement("cnn", 0.5, 0.01)))


def test_files_of_runs_that_are_not_named_or_lack_columns_are_refused(tmp_path):
    file = tmp_path / "samples.parquet"
    described(1).drop(columns="split").to_parquet(file)
    with pytest.raises(UserError, match=r"samples\.parquet lies beside no run\.yaml of --runs"):
        of_runs("--samples", [file], [], [], read_described)
    with pytest.raises(UserError, match=r"samples\.parquet.*split"):
        of_runs("--samples", [file], [tmp_path / "run.yaml"], [run_of("cnn", 0)], read_described)
    described(1).assign(more=0).to_parquet(file)
    ((dataset, name, table),) = of_runs(
        "--samples", [file], [tmp_path / "run.yaml"], [run_of("cnn", 0)], read_described
    )
    assert (dataset, name, table["forgetting_events"].tolist()) == ("d", "cnn", [1])
