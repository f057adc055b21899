"""Traces that no run of this workflow wrote: from a pandas file to a finding, and what is refused."""

import json

import numpy as np
import pandas as pd
import pytest
from simulated_traces import correctness

from retention.commands import describe_samples, measure_finding
from retention.common.errors import UserError
from retention.common.parquet_tables import read_metadata, write_parquet
from retention.runs.reading import read_runs

SAMPLES, EPOCHS = 40, 9
IDS = [f"image {number}" for number in range(SAMPLES)]
TESTED = SAMPLES // 4  # the first samples are of the split test


@pytest.fixture
def traces():
    """Return traces as pandas users have them: by name, without splits."""
    marks = correctness(SAMPLES, EPOCHS, np.random.default_rng(0))
    sample, epoch = np.divmod(np.arange(SAMPLES * EPOCHS), EPOCHS)
    columns = {"sample_id": np.array(IDS)[sample], "epoch": epoch, "correct": marks.ravel()}
    return pd.DataFrame(columns)


@pytest.fixture
def index():
    number = np.arange(SAMPLES)
    columns = {"split": np.where(number < TESTED, "test", "train"), "sample_index": number}
    columns |= {"sample_id": IDS, "label": number % 3, "group": [f"g{n}" for n in number]}
    table = pd.DataFrame(columns)
    return table.assign(class_name=table["label"].map({0: "cat", 1: "dog", 2: "emu"}))


@pytest.fixture
def describe(tmp_path):
    """Return a function that describes tables and returns the path of samples.parquet."""

    def run(traces, index=None, *options, name="samples"):
        output = tmp_path / f"{name}.parquet"
        words = ["--traces", tmp_path / "traces.parquet", "--output", output, *options]
        traces.to_parquet(tmp_path / "traces.parquet", index=False)
        if index is not None:
            index.to_parquet(tmp_path / "index.parquet", index=False)
            words += ["--index", tmp_path / "index.parquet"]
        describe_samples.main([str(word) for word in words])
        return output

    return run


def numbered(traces):
    """Return the traces with sample_index in place of sample_id."""
    place = traces["sample_id"].map({name: number for number, name in enumerate(IDS)})
    return traces.assign(sample_index=place).drop(columns="sample_id")


def test_from_a_pandas_file_to_a_finding(describe, traces, index, tmp_path):
    paths = []
    for seed in range(3):
        marks = correctness(SAMPLES, EPOCHS, np.random.default_rng(seed))
        who = ("--dataset", "birds", "--architecture", "mine", "--seed", seed)
        table = traces.assign(correct=marks.ravel())
        paths.append(describe(table, index, *who, name=f"seed_{seed}"))
    output = tmp_path / "seed_stability.csv"
    words = ["--samples", *paths, "--statistics", '{"resamples": 99}', "--output", output]
    measure_finding.main(["seed_stability", *map(str, words)])
    found = pd.read_csv(output).set_index(["comparison", "statistic"])
    assert found["n"].max() == SAMPLES - TESTED
    runs = read_runs(paths)
    assert [(run.dataset, run.architecture, run.seed) for run in runs] == [
        ("birds", "mine", seed) for seed in range(3)
    ]


def test_options_name_the_run_before_the_metadata_of_the_traces(describe, traces):
    first = describe(traces, None, "--study", "s", "--seed", 3, "--treatment", "plain", name="one")
    found = read_metadata(first)
    assert float(found.pop("split_half_chance")) < 0
    assert found == {"study": "s", "treatment": "plain", "seed": "3", "epochs": "8"}
    known = {"study": "old", "dataset": "birds", "seed": "7"}
    words = describe_samples.parser().parse_args(
        ["--traces", "t", "--output", "o", "--study", "new", "--architecture", "mine"]
    )
    assert describe_samples.identity(words, known) == {
        **known,
        "study": "new",
        "architecture": "mine",
    }


def test_the_last_epoch_is_kept_as_a_whole_number(describe, traces):
    by_epoch = traces.sort_values(["epoch", "sample_id"]).astype({"epoch": float})
    assert read_metadata(describe(by_epoch))["epochs"] == "8"


@pytest.mark.parametrize(
    ("who", "said"),
    [
        (("--dataset", "d"), "lack 'architecture'; describe it with --dataset, --architecture and"),
        (("--dataset", "d", "--architecture", "a"), "lack 'seed'; describe it with"),
    ],
)
def test_runs_without_a_name_are_told_the_options(describe, traces, index, who, said):
    path = describe(traces, index, *who)
    with pytest.raises(UserError, match=said):
        read_runs([path])


def test_a_seed_that_is_no_number_is_refused(describe, traces, index, monkeypatch):
    who = ("--dataset", "d", "--architecture", "a", "--seed", "s0")
    monkeypatch.setitem(
        describe_samples.IDENTITY, "seed", str
    )  # as other writers' metadata have it
    path = describe(traces, index, *who)
    with pytest.raises(UserError, match="seed in its metadata is 's0'; expected a whole number"):
        read_runs([path])


def test_splits_come_from_the_index_where_the_traces_have_none(describe, traces, index):
    samples = pd.read_parquet(describe(traces, index)).set_index("sample_id")
    assert samples.loc[IDS, "split"].tolist() == index["split"].tolist()


def test_runs_without_training_samples_are_told_their_splits(describe, traces, index):
    who = ("--dataset", "d", "--architecture", "a", "--seed", 0)
    path = describe(traces, index.replace({"split": {"train": "fit"}}), *who)
    with pytest.raises(UserError, match=r"no sample of the split train.*its splits: fit, test"):
        read_runs([path])


@pytest.mark.parametrize("form", [lambda t: t, numbered], ids=["sample_id", "sample_index"])
def test_labels_are_joined_on_the_sample_column_of_the_traces(describe, traces, index, form):
    samples = pd.read_parquet(describe(form(traces), index.sample(frac=1, random_state=1)))
    expected = index.set_index("sample_id").loc[samples["sample_id"]]
    for name in ("sample_index", "label", "class_name", "group"):
        assert samples[name].tolist() == expected[name].tolist()
    assert sorted(samples["sample_id"]) == sorted(IDS)


def test_samples_numbered_anew_in_each_split_are_joined_within_it(describe, traces, index):
    split = index["split"].to_numpy()
    restarted = np.where(split == "train", np.arange(SAMPLES) - TESTED, np.arange(SAMPLES))
    place = numbered(traces)["sample_index"].to_numpy()
    table = numbered(traces).assign(split=split[place], sample_index=restarted[place])
    samples = pd.read_parquet(describe(table, index.assign(sample_index=restarted)))
    expected = index.assign(sample_index=restarted).set_index(["split", "sample_index"])["group"]
    assert samples.set_index(["split", "sample_index"])["group"].to_dict() == expected.to_dict()
    with pytest.raises(UserError, match="number the samples of each split anew; add a column spl"):
        describe(table, index.drop(columns="split"))


@pytest.mark.parametrize(
    ("form", "spoil", "said"),
    [
        (lambda t: t, lambda i: i.drop(columns="sample_id"), "lacks a column sample_id, by which"),
        (lambda t: t, lambda i: pd.concat([i, i.iloc[[3]]]), "1 rows repeat a sample .*image 3;"),
        (lambda t: t, lambda i: i.iloc[2:], "lacks 2 samples of the traces.* image 0, image 1 "),
        (numbered, lambda i: i.astype({"sample_index": str}), "both as numbers or both as text"),
        (
            lambda t: t,
            lambda i: i.drop(columns="group"),
            "the column group, .* where none do, write",
        ),
    ],
    ids=["no key", "repeated", "lacking", "text", "no group"],
)
def test_an_index_that_does_not_fit_is_refused(describe, traces, index, form, spoil, said):
    with pytest.raises(UserError, match=said):
        describe(form(traces), spoil(index))


def test_an_index_that_numbers_samples_otherwise_is_refused(describe, traces, index):
    both = numbered(traces).assign(sample_id=traces["sample_id"])
    describe(both, index)
    other = index.assign(sample_index=np.roll(index["sample_index"], 1)).drop(columns="split")
    said = r"numbers 40 samples otherwise than the traces do, the first is sample_index 0: image 1 here, image 0 there"
    with pytest.raises(UserError, match=said):
        describe(both, other)
    describe(both.drop(columns="sample_index"), other)


def test_confusions_need_predictions(describe, traces, index, tmp_path, capsys):
    describe(traces, index, "--confusions", tmp_path / "confusions.csv")
    assert (tmp_path / "confusions.csv").read_text().split() == ["occasion,label,predicted,count"]
    assert (
        "lacks the column predicted: what samples were taken for is not known"
        in capsys.readouterr().out
    )


def test_epochs_that_are_timestamps_are_refused(describe, traces):
    with pytest.raises(UserError, match=r"no row has the epoch\(s\) 1, 1000000001, "):
        describe(traces.assign(epoch=traces["epoch"] * 10**9))
    with pytest.raises(UserError, match=r"no row has the epoch\(s\) 1000000000001, "):
        describe(traces.assign(epoch=(traces["epoch"] + 1) * 10**12))


def test_a_folder_is_no_table(tmp_path):
    words = ["--traces", str(tmp_path), "--output", str(tmp_path / "samples.parquet")]
    with pytest.raises(UserError, match="cannot be read"):
        describe_samples.main(words)


def test_dynamics_need_only_what_differs(describe, traces):
    default = pd.read_parquet(describe(traces))
    pd.testing.assert_frame_equal(
        pd.read_parquet(describe(traces, None, "--dynamics", "{}")), default
    )
    none = pd.read_parquet(describe(traces, None, "--dynamics", '{"shuffles": 0}'))
    assert none["r_squared_null"].isna().all()
    assert set(none) == set(default)


FIT = {"retention": "lag", "curve": "power"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "is no JSON object"),
        ("{", "is no JSON object"),
        ('{"fit": []}', r"unknown key\(s\) fit; known are fits, shuffles; did you mean fits"),
        ('{"shuffles": -1}', "shuffles: is -1, expected at least 0"),
        ('{"shuffles": 1.5}', r"shuffles: is 1.5 \(float\), expected integer"),
        ('{"fits": {}}', r"fits: is {} \(dict\), expected a list"),
        ('{"fits": [3]}', r"fits.0: is 3 \(int\), expected a map"),
        ('{"fits": [{"retention": "lag"}]}', "fits.0: curve is a required property"),
        (
            json.dumps({"fits": [FIT | {"floor": 1}]}),
            r"fits.0: unknown key\(s\) floor; known are curve, retention",
        ),
        (
            json.dumps({"fits": [FIT | {"curve": "line"}]}),
            "fits.0.curve: is 'line', expected one of exp",
        ),
        (json.dumps({"fits": [FIT, FIT]}), "fits: names .*lag.* more than once"),
    ],
)
def test_dynamics_that_can_not_be_obeyed_are_refused(text, said):
    with pytest.raises(UserError, match=f"--dynamics: .*{said}"):
        describe_samples.main(["--traces", "t", "--output", "o.parquet", "--dynamics", text])


def test_samples_of_text_ids_are_numbered_by_the_index(tmp_path):
    """Neither file has sample_index; findings need one."""
    names = [f"img_{number:02d}.png" for number in range(20)]
    index = pd.DataFrame({"sample_id": names[::-1], "class_name": "c", "label": 0, "group": names})
    index.to_parquet(tmp_path / "index.parquet")
    correct = np.random.default_rng(2).random((5, 20)) < 0.6
    traces = {"sample_id": np.tile(names, 5), "epoch": np.repeat(np.arange(5), 20)}
    pd.DataFrame(traces | {"correct": correct.ravel()}).to_parquet(tmp_path / "traces.parquet")
    runs = []
    for seed in (0, 1):
        runs.append(tmp_path / f"{seed}.parquet")
        words = ["--traces", tmp_path / "traces.parquet", "--index", tmp_path / "index.parquet"]
        words += ["--output", runs[-1], "--dataset", "d", "--architecture", "a", "--seed", seed]
        describe_samples.main([str(word) for word in words])
    found = pd.read_parquet(runs[0]).set_index("sample_id")["sample_index"]
    assert found.to_dict() == {name: 19 - number for number, name in enumerate(names)}
    assert [run.seed for run in read_runs(runs)] == [0, 1]


def test_samples_without_an_index_say_so_in_one_line(tmp_path):
    columns = {"sample_id": ["a"], "split": ["train"], **{f"c{n}": [0] for n in range(40)}}
    identity = {"dataset": "d", "architecture": "a", "seed": "0"}
    write_parquet(tmp_path / "s.parquet", pd.DataFrame(columns), identity)
    with pytest.raises(UserError) as caught:
        read_runs([tmp_path / "s.parquet"])
    assert str(caught.value) == (
        f"{tmp_path}/s.parquet: lacks the column(s) sample_index, label, class_name, group, never_learned; it "
        "has sample_id, split, c0, c1, c2, c3, c4, c5, c6, c7 and 32 more; describe the run with --index, "
        "which has its labels and groups (scripts/describe_samples.py)"
    )
