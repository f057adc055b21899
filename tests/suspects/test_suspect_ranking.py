"""The ranking of suspects: every column against what is counted sample by sample, run by run."""

import math

import numpy as np
import pandas as pd
import pytest
from ranked_study import MEASURES, RUNS, Files
from shown_runs import HOSTILE

from retention.commands import rank_suspects
from retention.common.added_options import completed
from retention.common.csv_tables import write_csv
from retention.common.errors import UserError
from retention.common.parquet_tables import read_metadata, read_parquet, write_parquet
from retention.reporting.class_composition import composition, told_composition
from retention.suspects import said as said_module
from retention.suspects.ranking import doubles, in_worst_share


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


def mean(values):
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan


def naive(files, row, training, options):
    """Return what a row of the ranking says, from what each run says of the sample and of all of its part."""
    part = [i for i, name in enumerate(files.samples["split"]) if (name == "train") == training]
    label, sign = files.samples["label"][row], 1 if options["score"] == "error_norm" else -1
    scores = {run: files.values[run][options["score"]] for run in files.runs}
    count = max(1, round(options["worst_share"] * len(part)))
    within = 0
    for run in files.runs:
        as_bad = [i for i in part if sign * scores[run][i] >= sign * scores[run][row]]
        within += len(as_bad) <= count
    epochs = files.correct[files.runs[0]].shape[1]
    totals, flags = {}, []
    for run in files.runs:
        shares = {}
        for said in files.predicted[run][row]:
            shares[int(said)] = shares.get(int(said), 0) + 1 / epochs
        for name, share in shares.items():
            totals[name] = totals.get(name, 0) + share
        flags.append(max(shares.values()) > shares.get(label, 0) + 1e-9)
    others = {name: total for name, total in totals.items() if name != label}
    best = max(sorted(others), key=lambda name: round(others[name], 9)) if others else None
    return {
        "score": mean(scores[run][row] for run in files.runs),
        **{name: mean(files.values[run][name][row] for run in files.runs) for name in MEASURES},
        "runs_in_worst_share": within,
        "runs": len(files.runs),
        "suggested_label": math.nan if best is None else best,
        "suggested_share": math.nan if best is None else others[best] / len(files.runs),
        "label_not_predicted": mean(map(float, flags)),
        "never_learned_share": mean(float(not files.correct[r][row].any()) for r in files.runs),
        "correct_epochs": mean(int(files.correct[r][row].sum()) for r in files.runs),
        "score_net": scores["net", 0][row],
        "score_vit": mean(scores["vit", seed][row] for seed in (0, 1)),
    }


@pytest.mark.parametrize("score", MEASURES)
def test_every_column_is_what_is_counted_by_hand(files, score):
    options = {"score": score, "worst_share": 0.15}
    training, held_out, _ = files.rank("traces", **options)
    place = files.samples.reset_index().set_index("sample_index")["index"]
    assert len(training) == (files.samples["split"] == "train").sum()
    assert len(training) + len(held_out) == len(files.samples)
    for table, is_training in ((training, True), (held_out, False)):
        for row in table.to_dict("records"):
            wanted = naive(files, place[row["sample_index"]], is_training, options)
            assert {name: row[name] for name in wanted} == pytest.approx(wanted, nan_ok=True)
        sign = 1 if score == "error_norm" else -1
        assert (sign * table["score"]).round(9).is_monotonic_decreasing
        assert table["rank"].tolist() == list(range(1, len(table) + 1))
        for _, of_class in table.groupby("label"):
            assert of_class["rank_in_class"].tolist() == list(range(1, len(of_class) + 1))
            assert set(of_class["samples_of_class"]) == {len(of_class)}
    names = dict(zip(files.samples["label"], files.samples["class_name"], strict=True))
    suggested = training.dropna(subset="suggested_label")
    assert suggested["suggested_class_name"].tolist() == [
        names[int(label)] for label in suggested["suggested_label"]
    ]


def test_suggestions_follow_probabilities_of_all_epochs_and_not_predictions(tmp_path):
    files = Files(tmp_path, stored=4)
    training, _, _ = files.rank("traces", "probabilities")
    place = files.samples.reset_index().set_index("sample_index")["index"]
    for row in training.to_dict("records"):
        i = place[row["sample_index"]]
        means = [files.stored[run][:, i].astype(float).mean(axis=0) for run in files.runs]
        label, total = row["label"], sum(means) / len(means)
        others = [c for c in range(len(total)) if c != label]
        best = max(others, key=lambda c: total[c])
        assert row["suggested_label"] == best
        assert row["suggested_probability"] == pytest.approx(total[best])
        assert row["label_not_predicted"] == pytest.approx(
            mean(float(one.max() > one[label]) for one in means)
        )
        shares = [np.mean(files.predicted[run][i] == best) for run in files.runs]
        assert row["suggested_share"] == pytest.approx(mean(shares))


@pytest.mark.slow
def test_of_the_last_evaluation_alone_predictions_suggest_and_probabilities_are_told(tmp_path):
    files = Files(tmp_path, stored=1)
    training, _, _ = files.rank("traces", "probabilities")
    without, _, _ = files.rank("traces")
    for name in ("suggested_label", "suggested_share", "label_not_predicted"):
        pd.testing.assert_series_equal(training[name], without[name])
    assert without["suggested_probability"].isna().all()
    place = files.samples.reset_index().set_index("sample_index")["index"]
    for row in training.dropna(subset="suggested_label").to_dict("records"):
        i, best = place[row["sample_index"]], int(row["suggested_label"])
        told = mean(float(files.stored[run][0, i, best]) for run in files.runs)
        assert row["suggested_probability"] == pytest.approx(told)
    alone, _, _ = files.rank("probabilities")
    assert alone["suggested_label"].notna().all() and alone["suggested_share"].isna().all()


@pytest.mark.slow
def test_samples_are_counted_in_pieces_to_the_same_numbers(tmp_path, monkeypatch):
    files = Files(tmp_path, stored=3)
    whole = files.rank("traces", "probabilities")
    monkeypatch.setattr(said_module, "CELLS", 7)
    for one, other in zip(whole, files.rank("traces", "probabilities"), strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_planted_labels_are_found_and_their_true_class_is_suggested(tmp_path):
    """Networks that learn what the images show, whatever the labels say."""
    draws = np.random.default_rng(1)
    files = Files(tmp_path, classes=("a", "b", "c", "d"), each=30, epochs=5, stored=5)
    count, label = len(files.samples), files.samples["label"].to_numpy()
    planted = draws.choice(np.flatnonzero(files.samples["split"] == "train"), 8, replace=False)
    true = label.copy()
    true[planted] = (label[planted] + 1 + np.arange(8) % 3) % 4
    for place in range(len(files.runs)):
        logits = draws.normal(size=(5, count, 4))
        logits[:, np.arange(count), true] += np.linspace(1, 5, 5)[:, None]
        softmax = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
        error = np.linalg.norm(softmax - np.eye(4)[label], axis=2).mean(axis=0)
        files._add(files.paths["samples"][place], {"error_norm": error})
        right = softmax[-1].argmax(axis=1) == label
        files._add(
            files.paths["samples"][place], {"learned_for_good": np.where(right, 0.0, np.nan)}
        )
        np.save(files.paths["probabilities"][place], softmax.astype("<f2"))
    training, _, _ = files.rank("probabilities", worst_share=0.08)
    top = training.head(8)
    assert set(top["sample_index"]) == set(files.samples["sample_index"][planted])
    wanted = dict(zip(files.samples["sample_index"], true, strict=True))
    assert top["suggested_label"].tolist() == [wanted[one] for one in top["sample_index"]]
    assert (top["label_not_predicted"] == 1).all() and (top["runs_in_worst_share"] > 0).all()
    assert (training["label_not_predicted"].iloc[8:] < 1).all()


def test_ties_at_the_border_of_the_worst_share_are_left_out():
    assert in_worst_share(np.array([5.0, 4, 4, 1, 0]), 0.4).tolist() == [True, *[False] * 4]
    assert in_worst_share(np.array([5.0, 4, 3, 1, 0]), 0.4).tolist() == [True, True, *[False] * 3]
    assert not in_worst_share(np.zeros(9), 0.3).any()
    found = in_worst_share(np.array([np.nan, 2.0, 1.0, np.nan]), 0.05)
    assert found.tolist() == [False, True, False, False]  # at least one
    assert in_worst_share(np.array([]), 0.5).tolist() == []


def test_equal_scores_go_by_aum_then_confidence_then_correct_epochs(tmp_path):
    files = Files(tmp_path)
    for place, run in enumerate(files.runs):
        files.values[run]["error_norm"][:] = 1.0
        files.values[run]["aum"] = np.round(files.values[run]["aum"])
        files._add(files.paths["samples"][place], files.values[run])
    training, _, _ = files.rank("traces")
    assert training["runs_in_worst_share"].eq(0).all()
    keys = training[["aum", "confidence", "correct_epochs"]].round(9)
    pd.testing.assert_frame_equal(keys, keys.sort_values(list(keys)))
    assert training["aum"].nunique() < len(training)


def test_a_run_without_the_score_counts_in_what_is_predicted_alone(files, capsys):
    path = files.paths["samples"][1]  # net
    write_parquet(path, read_parquet(path).drop(columns="error_norm"), read_metadata(path))
    training, _, _ = files.rank("traces")
    assert set(training["runs"]) == {2} and training["score_net"].isna().all()
    place = files.samples.reset_index().set_index("sample_index")["index"]
    for row in training.to_dict("records"):
        i = place[row["sample_index"]]
        wanted = mean(files.values["vit", seed]["error_norm"][i] for seed in (0, 1))
        assert row["score"] == pytest.approx(wanted)
    assert set(training["label_not_predicted"].map(lambda v: round(v * 3, 6))) <= {0, 1, 2, 3}
    assert "note: without error_norm, so left out of the ranking: net, seed 0" in (
        capsys.readouterr().out
    )


def test_missing_scores_come_last_and_are_said(files, capsys):
    index = files.samples.loc[files.samples["split"] == "train", "sample_index"].iloc[[0, 3]]
    for place, run in enumerate(files.runs):
        values = files.values[run]["error_norm"].copy()
        values[files.samples["sample_index"].isin(index)] = [np.nan, np.inf][:2]
        files._add(files.paths["samples"][place], {"error_norm": values})
    training, _, _ = files.rank("traces")
    assert set(training["sample_index"].tail(2)) == set(index)
    assert training["score"].tail(2).isna().all() and training["runs"].tail(2).eq(0).all()
    assert training["score"].iloc[:-2].notna().all()
    assert "note: 2 training samples without a score in any run, ranked last" in (
        capsys.readouterr().out
    )


def test_one_run_and_one_class_are_said(tmp_path, capsys):
    files = Files(tmp_path, runs=(("net", 0),), classes=("only",), held_out=0)
    training, held_out, classes = files.rank("traces")
    told = capsys.readouterr().out
    assert "note: one run: whether another would rank the same samples first is not known" in told
    assert "note: one class: no sample can be taken for another" in told
    assert training["suggested_label"].isna().all() and not len(held_out)
    assert list(held_out) == list(training)
    assert classes[["in_first", "samples"]].to_numpy().tolist() == [[20, 20]]
    assert "0 held-out samples, ranked apart" in told


def test_without_traces_and_probabilities_nothing_is_suggested(files, capsys):
    training, _, _ = files.rank()
    assert "no other label is suggested" in capsys.readouterr().out
    empty = ["suggested_label", "suggested_probability", "suggested_share", "label_not_predicted"]
    assert training[empty].isna().all(axis=None)
    assert training["score"].notna().all()


def test_hostile_names_come_back_as_they_are(tmp_path):
    files = Files(tmp_path, classes=HOSTILE)
    training, _, classes = files.rank("traces")
    for table in (training, classes):
        found = dict(zip(table["label"], table["class_name"].fillna(""), strict=True))
        assert found == {label: HOSTILE[label] for label in found}
    assert "<img" in "".join(training["suggested_class_name"].fillna(""))


def test_duplicates_with_another_label_name_each_other(tmp_path):
    duplicates = pd.DataFrame(
        [
            ("x", "a", "cat"),
            ("x", "b", "dog"),
            ("x", "c", "cat"),
            ("y", "d", "cat"),
            ("y", "e", "cat"),
        ],
        columns=["digest", "sample_id", "class_name"],
    )
    samples = pd.DataFrame({"sample_id": list("abcdef")})
    assert doubles(samples, duplicates).tolist() == ["b", "a; c", "b", "", "", ""]
    assert doubles(samples, None).tolist() == [""] * 6
    files = Files(tmp_path)
    one, other = files.samples["sample_id"].iloc[[20, 21]]
    write_csv(
        tmp_path / "duplicates.csv",
        pd.DataFrame({"digest": "x", "sample_id": [one, other], "class_name": ["p", "q"]}),
    )
    files.paths["duplicates"] = [tmp_path / "duplicates.csv"]
    training, _, _ = files.rank("duplicates")
    marked = training.set_index("sample_id")["duplicates_with_other_label"].dropna()
    assert marked.to_dict() == {one: other, other: one}


def test_the_composition_is_counted_and_printed(files, capsys):
    training, held_out, classes = files.rank("traces", first=10)
    told = capsys.readouterr().out.splitlines()
    for name, table in (("training", training), ("held-out", held_out)):
        of = classes[classes["ranking"] == name]
        top = table.head(10)
        for row in of.to_dict("records"):
            assert row["in_first"] == (top["label"] == row["label"]).sum()
            assert row["samples"] == (table["label"] == row["label"]).sum()
            assert row["share"] == pytest.approx(row["samples"] / len(table))
            assert row["share_of_first"] == pytest.approx(row["in_first"] / len(top))
        assert of["in_first"].sum() == of["first"].iloc[0] == len(top)
        assert of["in_first"].is_monotonic_decreasing
    head = told.index(
        f"the first 10 of {len(training)} training samples, by class, beside the class's share of all:"
    )
    first = classes.iloc[0]
    line = " ".join(told[head + 1].split())
    assert line.startswith(f"{first['in_first']} ( {100 * first['share_of_first']:.0f} %) ")
    assert f"{first['class_name']} {first['samples']} of all" in line
    assert "no probability that a label is wrong; the worst share is 0.05" in "\n".join(told)


def test_many_classes_and_groups_are_told_in_short():
    label = np.arange(60) % 30
    ranked = pd.DataFrame({"label": label, "class_name": [f"c{i}" * 40 for i in label]})
    ranked["group"] = (label // 2).astype(str)
    ranked.loc[ranked["label"] == 0, "class_name"] = "{% raw %}" + "x" * 40 + "end"
    lines = list(told_composition(ranked, 50, "training"))
    assert lines[0].startswith("the first 50 of 60 training samples (of 15 groups), by class")
    assert len(lines) == 12 and lines[-1].endswith("20 further classes")
    assert sum(int(line.split()[0]) for line in lines[1:]) == 50
    assert max(map(len, lines)) < 130
    assert any("{% raw %}xxxxxx…xxxxxxxxxxxxxend  2 of all" in line for line in lines)
    assert list(told_composition(ranked.head(0), 50, "held-out")) == []
    assert composition(ranked.head(0), 50).empty


def refused(files, *words, names=("traces",)):
    with pytest.raises(UserError) as caught:
        rank_suspects.main(
            [*files.words("samples", *names), "--output", str(files.folder / "o.csv"), *words]
        )
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_runs_of_a_treatment_are_refused(files):
    path = files.paths["samples"][2]
    write_parquet(path, read_parquet(path), read_metadata(path) | {"treatment": "class_balanced"})
    told = refused(files, names=())
    assert told.startswith(f"{path}: is of the treatment class_balanced; suspects are ranked from")


def test_a_score_that_no_run_has_is_refused_with_one_that_there_is(files):
    for path in files.paths["samples"]:
        write_parquet(path, read_parquet(path).drop(columns="error_norm"), read_metadata(path))
    told = refused(files)
    assert "no run has the score error_norm (net, seed 0, vit, seed 0, vit, seed 1)" in told
    assert """--suspects '{"score": "confidence"}'""" in told
    for path in files.paths["samples"]:
        table = read_parquet(path).drop(columns=["confidence", "aum"])
        write_parquet(path, table, read_metadata(path))
    assert "describe traces that have the column error_norm, confidence or margin" in refused(files)


def test_probabilities_of_another_run_or_none_are_refused(tmp_path):
    files = Files(tmp_path, stored=2)
    paths = files.paths["probabilities"]
    swapped = refused(files, "--probabilities", *map(str, paths[::-1]))
    assert (
        "samples at the last evaluation; give --probabilities in the order of --samples" in swapped
    )
    assert "2 files, --samples: 3" in refused(files, "--probabilities", *map(str, paths[:2]))
    np.save(paths[0], np.zeros((2, 3), "<f2"))
    told = refused(files, names=("probabilities",))
    assert "is float16 (2, 3); expected float16 (evaluations, samples, classes)" in told
    np.save(paths[0], files.stored[files.runs[0]][:, :, :1])
    assert "has 1 classes, and the labels are 0 to 2" in refused(files, names=("probabilities",))
    np.save(paths[0], np.full_like(files.stored[files.runs[0]], np.nan))
    assert "holds values that are no numbers" in refused(files, names=("probabilities",))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x", "--suspects: 'x' is no JSON object, such as"),
        (
            '{"scor": 1}',
            "--suspects: unknown key(s) scor; known are by_heart, first, score, weak, worst_share",
        ),
        ('{"score": "hazard"}', "--suspects: score: is 'hazard', expected one of error_norm"),
        ('{"worst_share": 1}', "--suspects: worst_share: is 1"),
        ('{"first": 0}', "--suspects: first: is 0"),
    ],
)
def test_wrong_options_are_refused_in_a_line(files, text, told):
    assert refused(files, "--suspects", text).startswith(told)


def test_defaults_are_those_that_are_published():
    ranked = {"score": "error_norm", "worst_share": 0.05, "first": 50}
    assert completed("suspects", {}) == ranked | {"by_heart": 0.995, "weak": 0.9}


def test_labels_that_are_words_are_ranked_and_held_against_no_prediction(files):
    for path in files.paths["samples"]:
        table = read_parquet(path)
        words = table.assign(label=table["class_name"].astype(str))
        write_parquet(path, words, read_metadata(path))
    training, _, classes = files.rank()
    assert set(training["label"]) == {"crow", "duck", "owl"} == set(classes["label"])
    assert training["suggested_label"].isna().all() and training["score"].notna().all()
    assert "expected whole numbers, by which predictions and probabilities number" in refused(files)


def test_a_run_that_ends_at_guessing_is_named(files, capsys):
    path = files.paths["samples"][1]  # net
    table = read_parquet(path)
    guessed = table.assign(learned_for_good=np.where(table["label"] == 0, 0.0, np.nan))
    write_parquet(path, guessed, read_metadata(path))
    files.rank("traces")
    told = capsys.readouterr().out
    ends = {run: files.correct[run][files.samples["split"] == "train", -1].mean() for run in RUNS}
    assert min(ends["vit", 0], ends["vit", 1]) > 1 / 3
    assert "no more right at the end than the largest class has: net, seed 0; what such" in told
    write_parquet(path, table, read_metadata(path))
    files.rank("traces")
    assert "no more right at the end" not in capsys.readouterr().out
