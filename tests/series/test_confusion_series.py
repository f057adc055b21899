"""What classes are taken for at forgetting events: counted here sample by sample from the runs' files."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shown_runs
from described_study import command

from retention.commands import measure_series
from retention.common.csv_tables import read_csv, write_csv
from retention.common.errors import UserError
from retention.common.parts import load_part
from retention.dynamics.description import confusions
from retention.dynamics.trace_table import read_traces
from retention.series.confusions_at_forgetting.alike import alike_order

BIRDS = ("Brewer Blackbird", "Coal Wren", "Red Blackbird", "Dusk Wren", "Barn Owl")


def series(name: str, files: dict, tmp_path: Path, *more: object) -> pd.DataFrame:
    """Return a series that the command measures, as the figure reads it."""
    reads = load_part("retention.series", name).SERIES.reads
    words = [word for option in reads for word in (f"--{option}", *files[option])]
    command(measure_series, name, *words, *more, "--output", tmp_path / "series.csv")
    return read_csv(tmp_path / "series.csv")


RUNS = (("a", 0), ("a", 1), ("b", 0))


def write_confused(folder: Path, classes=BIRDS, runs=RUNS, held: bool = False) -> dict:
    """Write runs and what their samples are taken for; held: nothing is ever forgotten. Return the files by option."""
    study = shown_runs.drawn_study(classes, each=12, epochs=9, runs=runs)
    if held:
        study.correct.update({run: np.ones_like(right) for run, right in study.correct.items()})
        own = study.samples["label"].to_numpy()[:, None] + np.zeros((1, 9), dtype=int)
        study.predicted.update(dict.fromkeys(runs, own))
    files = shown_runs.write_study(study, folder)
    files["confusions"] = [path.with_suffix(".csv") for path in files["traces"]]
    labels = study.samples.set_index(["split", "sample_index"])["label"]
    for path, output in zip(files["traces"], files["confusions"], strict=True):
        traces = read_traces(path)
        of_rows = labels.loc[pd.MultiIndex.from_frame(traces.keys[["split", "sample_index"]])]
        write_csv(output, confusions(traces, of_rows.to_numpy()))
    return files


@pytest.fixture(scope="module")
def confused(tmp_path_factory):
    return write_confused(tmp_path_factory.mktemp("confused"))


def naive_counts(files, architecture: str) -> Counter:
    """Count what each class was taken for when a sample was lost, training samples of an architecture's runs."""
    found: Counter = Counter()
    index = pd.read_parquet(files["index"][0]).set_index("sample_index")
    for path, (name, _) in zip(files["traces"], RUNS, strict=True):
        if name != architecture:
            continue
        for sample, rows in pd.read_parquet(path).groupby("sample_index"):
            if index.loc[sample, "split"] != "train":
                continue
            rows = rows.sort_values("epoch")
            right, said = list(rows["correct"]), list(rows["predicted"])
            for before, now, taken_for in zip(right, right[1:], said[1:], strict=False):
                if before and not now:
                    found[index.loc[sample, "class_name"], BIRDS[taken_for]] += 1
    return found


def test_confusions_are_those_of_training_samples_at_forgetting_events(confused, tmp_path):
    table = series("confusions_at_forgetting", confused, tmp_path)
    names = table[table["statistic"] == "events"].drop_duplicates("place")
    names = names.set_index("place")["class_name"]
    assert sorted(names) == sorted(BIRDS) and list(names.index) == list(range(5))
    for architecture, seeds in (("a", 2), ("b", 1)):
        wanted = naive_counts(confused, architecture)
        rows = table[table["architecture"] == architecture]
        assert set(rows["seeds"]) == {seeds}
        shares = rows[rows["statistic"] == "share"]
        found = {(row.class_name, names[row.taken_for]): row for row in shares.itertuples()}
        assert {pair: int(row[8]) for pair, row in found.items()} == dict(wanted)
        of_class = Counter()
        for (name, _), count in wanted.items():
            of_class[name] += count
        for (name, _), row in found.items():
            assert row.estimate == pytest.approx(row[8] / of_class[name])
        events = rows[rows["statistic"] == "events"].set_index("class_name")
        assert dict(events["count"]) == {name: of_class[name] for name in events.index}
        assert list(events["estimate"] * seeds) == pytest.approx(list(events["count"]))


def test_families_stand_together_and_are_named(confused, tmp_path):
    table = series("confusions_at_forgetting", confused, tmp_path, "--families", "last_word")
    rows = table.drop_duplicates("place").sort_values("place")
    assert [name.split()[-1] for name in rows["class_name"]] == list(rows["group"])
    changes = int((rows["group"] != rows["group"].shift()).sum())
    assert changes == rows["group"].nunique() == 3
    plain = series("confusions_at_forgetting", confused, tmp_path)
    assert plain["group"].isna().all() and len(plain) == len(table)


def test_classes_that_are_taken_for_each_other_stand_beside_each_other():
    shares = np.full((6, 6), 0.01)
    for one, other in ((0, 3), (1, 5), (2, 4)):
        shares[one, other] = shares[other, one] = 0.8
    order = list(alike_order(shares, np.full(6, "")))
    assert sorted(order) == list(range(6))
    assert all(abs(order.index(a) - order.index(b)) == 1 for a, b in ((0, 3), (1, 5), (2, 4)))
    families = np.array(["x", "y", "x", "y", "x", "y"])
    order = list(alike_order(shares, families))
    assert [families[k] for k in order] in (list("xxxyyy"), list("yyyxxx"))
    assert abs(order.index(2) - order.index(4)) == 1  # of one family
    assert list(alike_order(np.zeros((4, 4)), np.array(["b", "a", "b", "a"]))) == [1, 3, 0, 2]
    assert list(alike_order(np.zeros((1, 1)), np.array([""]))) == [0]


def test_runs_that_forget_nothing_have_classes_without_events(tmp_path):
    files = write_confused(tmp_path, runs=(("a", 0),), held=True)
    table = series("confusions_at_forgetting", files, tmp_path)
    assert list(table["statistic"]) == ["events"] * 5 and (table["count"] == 0).all()
    assert list(table["class_name"]) == list(BIRDS)


def test_a_class_without_training_samples_is_called_by_its_label(confused, tmp_path):
    table = read_csv(confused["confusions"][0])
    table.loc[table["occasion"] == "forgetting", "predicted"] = 17
    write_csv(tmp_path / "other.csv", table)
    files = confused | {"confusions": [tmp_path / "other.csv", *confused["confusions"][1:]]}
    found = series("confusions_at_forgetting", files, tmp_path)
    assert "label 17" in set(found["class_name"])
    place = found.loc[found["class_name"] == "label 17", "place"].iloc[0]
    assert place in set(found.loc[found["architecture"] == "a", "taken_for"])


def test_names_that_look_like_numbers_stay_text(tmp_path):
    files = write_confused(tmp_path, classes=("007", "1e5", "NA", ""), runs=(("a", 0),))
    table = series("confusions_at_forgetting", files, tmp_path)
    assert set(table["class_name"].fillna("")) == {"007", "1e5", "NA", ""}


def test_files_of_other_runs_are_refused(confused, tmp_path):
    with pytest.raises(UserError, match="--confusions: names 1 files, --samples 3; name those"):
        files = confused | {"confusions": confused["confusions"][:1]}
        series("confusions_at_forgetting", files, tmp_path)
    table = read_csv(confused["confusions"][0]).assign(label=40)
    write_csv(tmp_path / "other.csv", table)
    with pytest.raises(
        UserError, match=r"other\.csv: 40 is no label of --samples, which has 0 to 4"
    ):
        files = confused | {"confusions": [tmp_path / "other.csv", *confused["confusions"][1:]]}
        series("confusions_at_forgetting", files, tmp_path)
    write_csv(tmp_path / "lacking.csv", table.drop(columns="count"))
    with pytest.raises(UserError, match=r"lacking\.csv: .*count"):
        files = confused | {"confusions": [tmp_path / "lacking.csv", *confused["confusions"][1:]]}
        series("confusions_at_forgetting", files, tmp_path)
    turned = confused | {"confusions": confused["confusions"][::-1]}
    events = (
        "counts [0-9]+ forgetting events of the label [0-9], .*samples_0.parquet has [0-9]+; name"
    )
    with pytest.raises(UserError, match=rf"traces_2\.csv: {events}"):
        series("confusions_at_forgetting", turned, tmp_path)
