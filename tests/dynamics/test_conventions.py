"""What others count of the same traces: their code's own output on small traces, and a loop by hand.

`peers_outputs.json` holds the logits of 18 samples at 7 evaluations and what four projects' code says of them, each with its
repository and commit.
"""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from sources import ROOT

from retention.commands import describe_conventions, describe_samples
from retention.common.errors import UserError
from retention.common.parquet_tables import read_metadata, read_parquet, write_parquet
from retention.dynamics.conventions import (
    forgetting_events_from_1,
    forgetting_events_toneva,
    presentations_needed_to_learn,
)
from retention.training.tracking import measure

PEERS = json.loads((ROOT / "tests/files/peers_outputs.json").read_text(encoding="utf-8"))
LABELS, LOGITS = np.array(PEERS["labels"]), np.array(PEERS["logits"])  # [N], [N, E, C]


def traces_of(folder, first=0, lacking=()):
    """Write the traces that training would record of the peers' logits."""
    pieces = []
    for epoch in range(LOGITS.shape[1]):
        found = measure(torch.tensor(LOGITS[:, epoch]), torch.tensor(LABELS))
        found = {name: found[name].numpy() for name in found if name != "probabilities"}
        known = {"sample_index": np.arange(len(LABELS)), "epoch": epoch + first}
        pieces.append(pd.DataFrame(known | found).drop(columns=[*lacking]))
    path = folder / "traces.parquet"
    write_parquet(path, pd.concat(pieces), {"architecture": "net", "seed": "3", "other": "x"})
    return path


def described(folder, *words, **how):
    path = traces_of(folder, **how)
    output = folder / "conventions.parquet"
    describe_conventions.main(["--traces", str(path), "--output", str(output), *words])
    return read_parquet(output)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """The conventions of the peers' traces, and samples.parquet of the same."""
    folder = tmp_path_factory.mktemp("peers")
    table = described(folder)
    words = ["--traces", folder / "traces.parquet", "--output", folder / "samples.parquet"]
    describe_samples.main([str(word) for word in [*words, "--dynamics", '{"shuffles": 0}']])
    return table, read_parquet(folder / "samples.parquet")


def test_the_code_of_toneva_et_al_says_the_same(tables):
    table, samples = tables
    theirs = PEERS["example_forgetting"]
    assert table["forgetting_events_toneva"].tolist() == theirs["forgetting_counts"]
    assert (
        table["presentations_needed_to_learn"].tolist() == theirs["presentations_needed_to_learn"]
    )
    first = [None if np.isnan(one) else int(one) for one in samples["first_learned"]]
    assert first == theirs["first_learned"]
    apart = table["forgetting_events_toneva"] != samples["forgetting_events"]
    assert apart.tolist() == samples["never_learned"].tolist() and apart.any()


def test_the_code_of_cartography_says_the_same(tables):
    table, samples = tables
    theirs = PEERS["cartography"]
    assert table["correctness"].tolist() == theirs["correctness"]
    assert samples["confidence"].to_numpy() == pytest.approx(theirs["confidence"], rel=1e-5)
    assert samples["variability"].to_numpy() == pytest.approx(theirs["variability"], rel=1e-4)
    learned = ~samples["never_learned"]
    of_learned = np.array(theirs["forgetfulness"])[learned]
    assert samples.loc[learned, "forgetting_events"].tolist() == of_learned.tolist()
    assert set(np.array(theirs["forgetfulness"])[~learned]) == {1000}


def test_the_code_of_data_diet_and_aum_says_the_same(tables):
    _, samples = tables
    events = samples["forgetting_events"].where(~samples["never_learned"])
    said = [None if np.isnan(one) else one for one in events]
    assert said == PEERS["data_diet"]["forget_scores"]
    assert samples["aum"].to_numpy() == pytest.approx(PEERS["aum"]["aum"], abs=1e-6)


def test_samples_wrong_at_the_end_have_no_epoch_of_ours_and_all_of_theirs(tables):
    table, samples = tables
    wrong = samples["learned_for_good"].isna()
    assert table["presentations_needed_to_learn"][wrong].eq(LOGITS.shape[1]).all() and wrong.any()
    rest = ~wrong
    assert table["presentations_needed_to_learn"][rest].tolist() == (
        samples["learned_for_good"][rest].tolist()
    )


@pytest.mark.parametrize("epoch", [0, 1, 6])
def test_el2n_at_one_epoch_is_the_error_of_that_evaluation(tmp_path, epoch):
    table = described(tmp_path, "--conventions", json.dumps({"error_norm_at": [epoch]}))
    logits = LOGITS[:, epoch]
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    wanted = np.sqrt(((softmax - np.eye(4)[LABELS]) ** 2).sum(axis=1))
    assert table[f"error_norm_at_{epoch}"].to_numpy() == pytest.approx(wanted, abs=1e-6)


def test_counts_are_those_of_a_loop():
    draws = np.random.default_rng(0)
    correct = draws.random((300, 6)) < draws.random((300, 1))
    for row, trace in enumerate(correct):
        lost = [e for e in range(1, 6) if trace[e - 1] and not trace[e]]
        assert forgetting_events_from_1(correct)[row] == len([e for e in lost if e > 1])
        never = not trace.any()
        assert forgetting_events_toneva(correct)[row] == (6 if never else len(lost))
        wrong = [e + 1 for e in range(6) if not trace[e]]
        assert presentations_needed_to_learn(correct)[row] == max(wrong, default=0)


def test_it_says_how_many_events_lie_before_the_second_evaluation(tmp_path, capsys):
    table = described(tmp_path)
    correct = (LOGITS.argmax(axis=2) == LABELS[:, None]).astype(int)
    lost = (np.diff(correct, axis=1) == -1).sum(axis=0)
    assert lost[0] > 0
    share = f"{lost[0] / lost.sum():.0%}".replace("%", " %")
    told = f"18 samples, {lost.sum()} forgetting events, {lost[0]} of them ({share}) between"
    assert told in capsys.readouterr().out
    assert table["forgetting_events_from_1"].sum() == lost[1:].sum()


def test_rows_and_names_are_those_of_the_samples(tables, tmp_path):
    table, samples = tables
    pd.testing.assert_frame_equal(
        table[["split", "sample_index"]], samples[["split", "sample_index"]]
    )
    described(tmp_path)
    assert read_metadata(tmp_path / "conventions.parquet") == {"architecture": "net", "seed": "3"}


def test_traces_without_error_norm_and_without_events_are_told(tmp_path, capsys):
    table = described(tmp_path, lacking=["error_norm"])
    assert "lacks the column error_norm, so no error norm is told" in capsys.readouterr().out
    assert not [name for name in table if name.startswith("error_norm")]
    path = tmp_path / "right.parquet"
    always = {"sample_id": ["a"] * 3, "epoch": [1, 2, 3], "correct": [True] * 3}
    write_parquet(path, pd.DataFrame(always))
    describe_conventions.main(["--traces", str(path), "--output", str(tmp_path / "o.parquet")])
    assert "1 sample, 0 forgetting events, 0 of them between" in capsys.readouterr().out


def test_epochs_are_named_as_the_file_does_and_others_are_refused(tmp_path):
    table = described(tmp_path, "--conventions", '{"error_norm_at": [7]}', first=1)
    assert "error_norm_at_7" in table
    with pytest.raises(UserError, match="0 is no epoch of the traces, which have 1 to 7"):
        described(tmp_path, "--conventions", '{"error_norm_at": [0]}', first=1)
    with pytest.raises(UserError, match=r"--output: .*end it in \.parquet"):
        describe_conventions.main(["--traces", "x", "--output", "o.csv"])
    with pytest.raises(UserError, match="there is no such file"):
        describe_conventions.main(["--traces", "x", "--output", "o.parquet"])
