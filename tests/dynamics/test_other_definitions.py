"""Samples described by another definition than ours, the findings measured on them, and what is refused."""

import itertools
import json
import re

import numpy as np
import pandas as pd
import pytest
from naive_definitions import naive
from scipy.optimize import minimize_scalar
from scipy.stats import rankdata, spearmanr
from simulated_traces import correctness
from sources import ROOT

from retention.commands import (
    audit_coherence,
    compare_with_paper,
    describe_samples,
    measure_finding,
    write_summary,
)
from retention.common.errors import UserError
from retention.common.parquet_tables import read_metadata
from retention.dynamics import description
from retention.dynamics.definition import DIMENSIONS, Definition, schema
from retention.dynamics.redescription import null_r_squared
from retention.runs.reading import read_runs
from retention.workflow import job_code
from retention.workflow.code_version import imported_sources

SAMPLES, EPOCHS, SEEDS = 60, 9, (0, 1, 2)
CONFIDENT = {"trace": "confidence", "estimator": "log_linear"}
UNBOUNDED = {"start": "kept", "curve": "scaled_exponential", "estimator": "curve_fit_free"}
CHANGED = ["decay_constant", "half_life", "r_squared", "fit_status", "decay_constant_from_1"]


def values_of(architecture, seed):
    """Return correct and confidence, [N, E], of a run whose samples share how hard they are."""
    draws = np.random.default_rng([seed, architecture == "b"])
    hard = np.linspace(0.05, 0.9, SAMPLES)[:, None]
    logits = 4 * (0.6 - hard) + draws.normal(0, 1, (SAMPLES, EPOCHS))
    confidence = 1 / (1 + np.exp(-logits))
    return confidence > 0.4, confidence


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write the traces of six runs and their index."""
    folder = tmp_path_factory.mktemp("traces")
    number = np.arange(SAMPLES)
    index = pd.DataFrame({"sample_index": number, "label": number % 3, "group": number})
    index = index.assign(class_name=index["label"].astype(str), split="train")
    index.to_parquet(folder / "index.parquet")
    for architecture, seed in itertools.product("ab", SEEDS):
        correct, confidence = values_of(architecture, seed)
        columns = {"correct": correct.T.ravel(), "confidence": confidence.T.ravel()}
        columns |= {"loss": -np.log(confidence.T.ravel())}
        epoch, sample = np.divmod(np.arange(SAMPLES * EPOCHS), SAMPLES)
        table = pd.DataFrame({"sample_index": sample, "epoch": epoch, **columns})
        table.to_parquet(folder / f"{architecture}{seed}.parquet")
    return folder


def described(folder, output, definition=None, run="a0", **more):
    words = ["--traces", folder / f"{run}.parquet", "--index", folder / "index.parquet"]
    words += ["--output", output, "--dataset", "d", "--architecture", run[0], "--seed", run[1]]
    if definition is not None:
        said = definition if isinstance(definition, str) else json.dumps(definition)
        words += ["--definition", said]
    for name, value in more.items():
        words += [f"--{name}", value]
    describe_samples.main([str(word) for word in words])
    return output


def by_definition(correct, confidence, definition):
    """Return λ and R² of every sample, one after another."""
    rows = [naive(*row, definition) for row in zip(correct, confidence, strict=True)]
    return np.array(rows).T


def test_ours_said_in_words_is_the_same_file(folder, tmp_path, capsys):
    plain = described(folder, tmp_path / "plain.parquet")
    told = capsys.readouterr().out.replace("plain", "said")
    said = described(folder, tmp_path / "said.parquet", {"trace": "aligned", "failed": "missing"})
    assert said.read_bytes() == plain.read_bytes()
    assert capsys.readouterr().out == told
    assert "definition" not in read_metadata(plain)


def test_five_columns_are_by_the_definition_and_the_others_stay(folder, tmp_path, capsys):
    plain = pd.read_parquet(described(folder, tmp_path / "plain.parquet"))
    capsys.readouterr()
    path = described(folder, tmp_path / "s.parquet", UNBOUNDED | {"r_squared": "clipped"})
    found, told = pd.read_parquet(path), capsys.readouterr().out.splitlines()
    others = [name for name in plain if name not in [*CHANGED, "r_squared_null"]]
    assert list(found) == list(plain)
    pd.testing.assert_frame_equal(found[others], plain[others])
    values = values_of("a", 0)
    definition = Definition.of(UNBOUNDED | {"r_squared": "clipped"})
    rate, explained = by_definition(*values, definition)
    np.testing.assert_array_equal(found["decay_constant"], rate)
    np.testing.assert_allclose(found["r_squared"], explained, rtol=1e-6, atol=1e-9)
    later = by_definition(values[0][:, 1:], values[1][:, 1:], definition)[0]
    np.testing.assert_array_equal(found["decay_constant_from_1"], later)
    falls = rate > 0
    np.testing.assert_allclose(found["half_life"][falls], np.log(2) / rate[falls])
    assert np.isinf(found["half_life"][rate <= 0]).all()
    assert found["r_squared_null"].isna().all()
    text = json.dumps(UNBOUNDED | {"r_squared": "clipped"}, sort_keys=True)
    assert read_metadata(path)["definition"] == text
    failed, flat = (
        (found["fit_status"] == "failed").sum(),
        (found["fit_status"] == "constant").sum(),
    )
    assert failed > 0 and flat > 0
    assert told[1] == (
        f"note: decay_constant, half_life, r_squared, fit_status and decay_constant_from_1 are by {text}; all "
        "other columns are as without --definition"
    )
    assert told[2] == f"note: {failed} of 60 fits failed (failed: missing)"
    assert told[3] == (
        f"note: {flat} of 60 decay constants are of flat traces: where the optimiser stopped, no property of the sample"
    )
    assert told[4].startswith("note: r_squared_null is empty: ") and len(told) == 5


def test_a_run_in_pieces_is_described_as_at_once(folder, tmp_path, monkeypatch):
    for definition in (CONFIDENT, {"curve": "power", "r_squared": "clipped"}):
        whole = pd.read_parquet(described(folder, tmp_path / "whole.parquet", definition))
        with monkeypatch.context() as patch:
            patch.setattr("retention.dynamics.redescription.CHUNK", 7)
            parts = pd.read_parquet(described(folder, tmp_path / "parts.parquet", definition))
        pd.testing.assert_frame_equal(parts, whole, check_exact=True)


def test_a_flat_curve_under_a_trace_that_varies_is_undetermined(folder, tmp_path):
    definition = {"curve": "scaled_exponential", "r_squared": "squared_correlation"}
    found = pd.read_parquet(described(folder, tmp_path / "s.parquet", definition))
    correct = values_of("a", 0)[0]
    after = [row[row.argmax() + 1 :] for row in correct]
    varies = np.array([marks.any() and not marks.all() for marks in after])
    odd = found["fit_status"] == "undetermined"
    assert odd.any() and varies[odd].all() and found.loc[odd, "r_squared"].isna().all()
    quality = measured("fit_quality", [tmp_path / "s.parquet"], tmp_path)
    fitted = ~found["fit_status"].isin(["never_learned", "too_short"])
    row = only(quality, statistic="constant_fraction")
    assert row["estimate"] == pytest.approx((~varies[fitted]).mean())


def best_r_squared(values, power, start):
    """Return R² of the best e^(−λt) or (1 + t)^(−λ), by scipy's search for one parameter."""
    times = np.arange(0 if start else 1, len(values) + 1)
    values = np.r_[[1.0] * start, values]
    clock = np.log1p(times) if power else times

    def sse(rate):
        return np.sum((np.exp(-rate * clock) - values) ** 2)

    grid = np.r_[0.0, np.geomspace(1e-3, 20, 400)]
    near = grid[np.argmin([sse(rate) for rate in grid])]
    best = minimize_scalar(sse, bounds=(near / 1.1, min(near * 1.1 + 1e-6, 20)), method="bounded")
    return 1 - min(best.fun, sse(near)) / np.sum((values - values.mean()) ** 2)


@pytest.mark.parametrize(
    ("power", "start", "smoothing"),
    [(True, False, "none"), (False, True, "none"), (False, False, "running_mean")],
)
def test_the_null_is_the_mean_over_all_permutations(power, start, smoothing):
    every = []
    for chosen in itertools.combinations(range(6), 4):
        values = pd.Series(np.isin(np.arange(6), chosen).astype(float))
        values = values if smoothing == "none" else values.expanding().mean()
        every.append(best_r_squared(values.to_numpy(), power, start))
    curve, kept = "power" if power else "exponential", "kept" if start else "left_out"
    definition = Definition(curve=curve, start=kept, smoothing=smoothing, flat="one")
    correct = np.array([[0, 1, 1, 1, 0, 0, 1, 1], [0] + [1] * 7, [0] * 8, [0] * 7 + [1]], bool)
    null = null_r_squared(correct, definition, 4000)
    error = np.std(every) / np.sqrt(4000)
    assert null[0] == pytest.approx(np.mean(every), abs=4 * error)
    # flat in every order; never learned; learned last, which has the point t = 0 alone or none
    assert null[1] == 1 and np.isnan(null[2:]).all()


def measured(finding, samples, tmp_path):
    words = [finding, "--samples", *samples, "--output", tmp_path / f"{finding}.csv"]
    words += ["--statistics", '{"resamples": 99, "tie_breaks": 5}']
    measure_finding.main([str(word) for word in words])
    return pd.read_csv(tmp_path / f"{finding}.csv")


@pytest.fixture(scope="module")
def runs(folder, tmp_path_factory):
    """Return the six runs described by CONFIDENT."""
    output = tmp_path_factory.mktemp("described")
    return [
        described(folder, output / f"{a}{seed}.parquet", CONFIDENT, f"{a}{seed}")
        for a, seed in itertools.product("ab", SEEDS)
    ]


def log_linear(architecture, seed, begin=0):
    """Return λ and R² of the confidences after first learned by a line through 0, NaN without a point."""
    correct, confidence = (array[:, begin:] for array in values_of(architecture, seed))
    rates, explained = [], []
    for marks, probabilities in zip(correct, confidence, strict=True):
        after = probabilities[marks.argmax() + 1 :] if marks.any() else []
        times = np.arange(1, len(after) + 1)
        rate = -np.sum(times * np.log(after)) / np.sum(times**2) if len(after) else np.nan
        rates.append(rate)
        left = np.sum((after - np.exp(-rate * times)) ** 2)
        varies = len(after) > 1
        explained.append(1 - left / np.sum((after - np.mean(after)) ** 2) if varies else np.nan)
    return np.array(rates), np.array(explained)


def only(table, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    (row,) = table.to_dict("records")
    return row


def test_findings_are_measured_by_the_definition(runs, tmp_path):
    rate, explained = zip(*(log_linear("a", seed) for seed in SEEDS), strict=True)
    stability = measured("seed_stability", runs, tmp_path)
    pairs = list(itertools.combinations(SEEDS, 2))
    expected = np.mean([spearmanr(rate[i], rate[j], nan_policy="omit")[0] for i, j in pairs])
    found = only(stability, comparison="a", statistic="spearman")
    assert found["estimate"] == pytest.approx(expected, abs=1e-9) and found["low"] < expected
    quality = measured("fit_quality", runs, tmp_path)
    found = only(quality, comparison="a", statistic="mean_r_squared")
    assert found["estimate"] == pytest.approx(np.mean([np.nanmean(r) for r in explained]))
    assert json.loads(found["definition"]) == CONFIDENT
    excess = only(quality, comparison="a", statistic="excess_r_squared")
    assert np.isnan(excess["estimate"])
    assert only(quality, comparison="a", statistic="constant_fraction")["estimate"] < 0.1
    overlap = measured("architecture_overlap", runs, tmp_path)
    found = only(overlap, comparison="a vs b", statistic="jaccard")
    assert found["estimate"] == pytest.approx(np.mean([*jaccards()]))
    early = measured("early_loss", runs, tmp_path)
    loss = [-np.log(values_of("a", seed)[1][:, 0]) for seed in SEEDS]
    later = [log_linear("a", seed, begin=1)[0] for seed in SEEDS]
    each = [spearmanr(loss[s], later[s], nan_policy="omit")[0] for s in SEEDS]
    found = only(early, comparison="a", statistic="spearman")
    assert found["estimate"] == pytest.approx(np.mean(each), abs=1e-9)
    said = f"samples described by the definition {json.dumps(CONFIDENT, sort_keys=True)}"
    for table in (stability, quality, overlap, early):
        assert table["note"].str.endswith(said).all()


def test_the_summary_says_that_another_definition_was_used(runs, tmp_path):
    measured("seed_stability", runs[:3], tmp_path)
    words = ["--findings", str(tmp_path / "seed_stability.csv")]
    coherence, paper, summary = (str(tmp_path / name) for name in ("c.csv", "p.csv", "s.md"))
    audit_coherence.main([*words, "--output", coherence])
    compare_with_paper.main([*words, "--output", paper])
    write_summary.main([*words, "--coherence", coherence, "--paper", paper, "--output", summary])
    told = (tmp_path / "s.md").read_text(encoding="utf-8")
    (line,) = (line for line in told.splitlines() if "Another definition" in line)
    assert "confidence" in line and "linear" in line


def jaccards():
    """Yield the overlaps of the most forgotten tenth, all pairs of different seeds."""
    for one, other in itertools.permutations(SEEDS, 2):
        first, second = log_linear("a", one)[0], log_linear("b", other)[0]
        both = np.isfinite(first) & np.isfinite(second)
        ranks = [rankdata(-scores[both]) for scores in (first, second)]
        top = round(0.1 * both.sum())
        lists = [set(np.flatnonzero(rank <= top)) for rank in ranks]
        yield len(lists[0] & lists[1]) / len(lists[0] | lists[1])


def test_runs_of_two_definitions_are_not_compared(folder, runs, tmp_path):
    plain = described(folder, tmp_path / "plain.parquet", run="a1")
    text = json.dumps(CONFIDENT, sort_keys=True)
    for paths, (one, other) in (
        ([runs[0], plain], (text, "ours")),
        ([plain, runs[0]], ("ours", text)),
    ):
        with pytest.raises(UserError) as error:
            read_runs(paths)
        assert str(error.value) == (
            f"{paths[1]}: its decay constants are by the definition {other}, those of {paths[0]} by {one}; describe all "
            "runs by one --definition (scripts/describe_samples.py)"
        )
    other = described(folder, tmp_path / "other.parquet", {"curve": "power"}, "a1")
    with pytest.raises(UserError, match="by the definition"):
        measured("seed_stability", [runs[0], other], tmp_path)
    assert len(read_runs(runs)) == 6 and read_runs([plain])[0].definition == ""


def test_failed_fits_are_no_constant_traces(folder, tmp_path):
    paths = [described(folder, tmp_path / f"{s}.parquet", UNBOUNDED, f"a{s}") for s in SEEDS]
    quality = measured("fit_quality", paths, tmp_path)
    status = np.stack([run.samples["fit_status"].to_numpy(str) for run in read_runs(paths)])
    tried = ~np.isin(status, ["never_learned", "too_short", "failed"])
    expected = [(row == "constant")[kept].mean() for row, kept in zip(status, tried, strict=True)]
    assert (status == "failed").any()
    found = only(quality, comparison="a", statistic="constant_fraction")
    assert found["estimate"] == pytest.approx(np.mean(expected))


@pytest.mark.parametrize(
    ("definition", "said"),
    [
        ("[]", r"--definition: is \[\] \(list\), expected a map"),
        ("{", "--definition: '{' is no JSON object, such as '{\"curve\": "),
        ({"curv": "power"}, r"--definition: unknown key\(s\) curv; .*did you mean curve\?"),
        ({"trace": "lags"}, "--definition: trace: is 'lags', expected one of aligned, .*mean lag"),
        ({"smoothing": 3}, "--definition: smoothing: is 3, expected one of none, rolling_3"),
        (
            {"trace": "lag", "start": "kept"},
            "--definition: start kept: the trace lag does not begin at first learned, so it",
        ),
    ],
)
def test_a_definition_that_can_not_be_obeyed_is_refused(folder, tmp_path, definition, said):
    with pytest.raises(UserError, match=said) as error:
        described(folder, tmp_path / "s.parquet", definition)
    assert "\n" not in str(error.value) and not list(tmp_path.iterdir())


def test_traces_without_confidence_are_told(folder, tmp_path):
    table = pd.read_parquet(folder / "a0.parquet").drop(columns="confidence")
    table.to_parquet(tmp_path / "a0.parquet")
    pd.read_parquet(folder / "index.parquet").to_parquet(tmp_path / "index.parquet")
    fits = json.dumps({"fits": [{"retention": "confidence", "curve": "power"}]})
    for more in ({"definition": CONFIDENT}, {"dynamics": fits}):
        with pytest.raises(
            UserError, match=r"a0.parquet: lacks the column\(s\) confidence; it has"
        ):
            described(tmp_path, tmp_path / "s.parquet", **more)


def test_a_further_fit_of_confidences_is_that_of_the_definition(folder, tmp_path):
    fits = json.dumps({"fits": [{"retention": "confidence", "curve": "power"}], "shuffles": 0})
    path = described(folder, tmp_path / "s.parquet", dynamics=fits)
    known = {"trace": "confidence", "curve": "power"}
    other = pd.read_parquet(described(folder, tmp_path / "t.parquet", known))
    found = pd.read_parquet(path)["confidence_power_decay_constant"]
    np.testing.assert_array_equal(found, other["decay_constant"])


def test_help_lists_every_dimension_with_its_levels(capsys):
    with pytest.raises(SystemExit):
        describe_samples.main(["--help"])
    shown = capsys.readouterr().out.splitlines()
    for name in DIMENSIONS:
        (line,) = (line for line in shown if line.strip().startswith(f"{name}: "))
        assert f"default {getattr(Definition(), name)}; " in line
    assert any(
        "estimator: curve_fit_bounded, curve_fit_free, curve_fit_ones, exact" in x for x in shown
    )


def test_no_description_of_a_study_depends_on_definitions():
    """An edit of them describes no finished study anew."""
    fits = [{"retention": "aligned", "curve": "power"}]
    covered = imported_sources(ROOT / "scripts/describe_samples.py", job_code.of_fits(fits))
    inside = {
        path.relative_to(ROOT / "scripts/retention").as_posix()
        for path in covered
        if "retention" in path.parts
    }
    assert "dynamics/decay_kernel.py" in inside and "dynamics/curves/power.py" in inside
    own = {"definition", "defined_points", "estimates", "fitted", "goodness", "redescription"}
    assert not inside & {f"dynamics/{name}.py" for name in own}
    assert not [name for name in inside if "/estimators/" in name or name.endswith("confidence.py")]


def test_the_docs_tell_every_dimension_and_estimator_and_their_command_is_right(folder, tmp_path):
    text = (ROOT / "docs/decay.md").read_text(encoding="utf-8")
    section = text.split("\n## Another definition\n")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.M))
    assert tuple(rows) == DIMENSIONS
    levels = {name: option.get("enum", []) for name, option in schema()["properties"].items()}
    for name, told in rows.items():
        wanted = levels[name] if name not in ("trace", "curve") else [getattr(Definition(), name)]
        assert all(f"`{level}`" in told for level in wanted), name
    (said,) = re.findall(r"--definition '(.*?)'", section)
    path = described(folder, tmp_path / "s.parquet", said)
    assert read_metadata(path)["definition"] == json.dumps(json.loads(said), sort_keys=True)
    table = measured("fit_quality", [path], tmp_path)
    assert only(table, statistic="mean_r_squared")["estimate"] >= 0


def test_the_null_of_ours_is_that_of_every_study():
    correct = correctness(120, 10, np.random.default_rng(3))
    expected = description.null_r_squared(correct, 40)
    np.testing.assert_array_equal(null_r_squared(correct, Definition(), 40), expected)
    assert 0 < np.isfinite(expected).sum() < 120
