"""Treatments and pruning: verdicts against scipy, planted effects and planted nothing."""

import re
from functools import partial

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.stats import t, ttest_1samp, ttest_rel, wilcoxon
from simulated_runs import STATISTICS, rights, write_run
from sources import ROOT
from told import sentences_of

from retention.audits.coherence import TRANSFER, audit
from retention.audits.paper_comparison import compare
from retention.commands import draw_figure, measure_finding
from retention.common.errors import UserError
from retention.common.options import read_options
from retention.common.parquet_tables import write_parquet
from retention.findings.pruning_transfer import draw_pruning_transfer as pruning_figure
from retention.findings.pruning_transfer import measure as pruning_transfer
from retention.findings.treatment_comparison import draw_treatment_comparison as treatment_figure
from retention.findings.treatment_comparison import measure as treatment_comparison
from retention.measuring.paired import over_seeds
from retention.reporting.look import Look
from retention.runs.treated import TreatedRun, read_treated_runs
from retention.statistics.resampling import bootstrap_weights

read_statistics = partial(read_options, "statistics", "--statistics")

ARMS = ("random", "spaced_repetition", "spaced_repetition_shuffled")
MARGIN = STATISTICS["treatment"]["margin"]


def write_study(folder, shares, seeds=8, noise=0.01, architecture="a"):
    """Runs of the treatments in `shares` with that mean accuracy; returns their folders."""
    draws = np.random.default_rng(0)
    return [
        write_run(folder, name, seed, rights(draws, share + noise * draws.normal()), architecture)
        for seed in range(seeds)
        for name, share in shares.items()
    ]


def pick(table, comparison, statistic):
    found = table[(table["comparison"] == comparison) & (table["statistic"] == statistic)]
    assert len(found) == 1, (comparison, statistic)
    return found.iloc[0]


def test_intervals_tests_and_corrections_are_those_of_scipy(tmp_path):
    folders = write_study(tmp_path, dict.fromkeys(ARMS, 0.8) | {"class_balanced": 0.84})
    table = treatment_comparison.measure(read_treated_runs(folders), STATISTICS)
    final = {
        name: np.array(
            [
                pd.read_csv(tmp_path / f"a/{name}/seed{s}/epochs.csv")[
                    "test_balanced_accuracy"
                ].iloc[-1]
                for s in range(8)
            ]
        )
        for name in (*ARMS, "class_balanced")
    }
    rows = table[table["statistic"] == "difference"]
    pairs = list(zip(rows["treatment"], rows["baseline"], strict=True))
    assert sorted(pairs) == [
        ("class_balanced", "random"),
        ("spaced_repetition", "random"),
        ("spaced_repetition", "spaced_repetition_shuffled"),
        ("spaced_repetition_shuffled", "random"),
    ]
    p = np.array([ttest_rel(final[arm], final[other]).pvalue for arm, other in pairs])
    np.testing.assert_allclose(rows["p"], p)
    order = np.argsort(p)
    holm = np.minimum(np.maximum.accumulate(p[order] * np.arange(4, 0, -1)), 1)
    np.testing.assert_allclose(rows["p_corrected"].to_numpy()[order], holm)
    for (arm, other), (_, row) in zip(pairs, rows.iterrows(), strict=True):
        differences = final[arm] - final[other]
        half = differences.std(ddof=1) / np.sqrt(8) * t.ppf(1 - 0.05 / 8, 7)
        ends = [row["low_bonferroni"], row["high_bonferroni"]]
        np.testing.assert_allclose(ends, differences.mean() + half * np.array([-1, 1]))
        sides = [
            ttest_1samp(differences, value, alternative=side).pvalue
            for value, side in ((-MARGIN, "greater"), (MARGIN, "less"))
        ]
        assert row["p_equivalence"] == pytest.approx(max(sides))
        inside = row["low_90"] > -MARGIN and row["high_90"] < MARGIN
        assert inside == (row["p_equivalence"] < 0.05)
        assert row["p_wilcoxon"] == pytest.approx(wilcoxon(differences).pvalue)
        assert row["target"] == "new seeds, these samples"
    assert pick(table, "a: class_balanced minus random", "difference")["verdict"] == "better"


def test_new_held_out_samples_vary_as_in_a_bootstrap_within_classes(tmp_path):
    folders = write_study(tmp_path, {"random": 0.6, "class_balanced": 0.7}, seeds=2)
    table = treatment_comparison.measure(read_treated_runs(folders), STATISTICS)
    found = pick(table, "a: class_balanced minus random", "difference_new_samples")
    shown = pick(table, "a: class_balanced minus random", "difference")
    assert found["estimate"] == pytest.approx(shown["estimate"])
    assert found["target"] == "these runs"  # two seeds: no interval over seeds
    assert "samples alone varying" in found["definition"]
    samples = {f: pd.read_parquet(f / "samples.parquet").query("split == 'test'") for f in folders}
    right = [samples[f]["learned_for_good"].notna().to_numpy(float) for f in folders]
    turned = (right[1] - right[0] + right[3] - right[2]) / 2
    label = np.arange(400) % 2
    weights = bootstrap_weights(np.arange(400), label, 20_000, np.random.default_rng(1))
    resampled = np.mean([weights[:, label == c] @ turned[label == c] / 200 for c in (0, 1)], axis=0)
    assert found["standard_error"] == pytest.approx(resampled.std(), rel=0.03)


def held_out_runs(draws, treatment, shares, number=60):
    """A run per seed, each of whose held-out samples is right with that seed's probability."""
    labels, groups = np.arange(number) % 2, np.arange(number).astype(str)
    held_out = [
        pd.DataFrame({"label": labels, "group": groups, "right": draws.random(number) < share})
        for share in shares
    ]
    return [
        TreatedRun("d", "a", treatment, seed, {}, {}, 0, 0.0, table)
        for seed, table in enumerate(held_out)
    ]


@pytest.mark.parametrize("metric", ["balanced_accuracy", "accuracy"])
def test_letting_samples_vary_too_never_narrows_the_interval(metric):
    draws, wider = np.random.default_rng(8), 0
    for _ in range(150):
        seeds = draws.integers(3, 9)
        arms = [held_out_runs(draws, n, draws.uniform(0.5, 0.9, seeds)) for n in ("x", "random")]
        found = treatment_comparison.new_samples(*arms, metric)
        right = [
            [run.held_out["right"].groupby(run.held_out["label"]).mean() for run in arm]
            for arm in arms
        ]
        seeds_alone = over_seeds(np.mean(right[0], axis=1) - np.mean(right[1], axis=1))
        assert found.target == "new runs"
        assert found.estimate == pytest.approx(seeds_alone.estimate)
        ratio = (found.high - found.low) / (seeds_alone.high - seeds_alone.low)
        assert ratio > 1 - 1e-9
        assert found.standard_error > seeds_alone.standard_error * (1 - 1e-9)
        wider += ratio > 1.01
    assert 0 < wider < 150  # both cases are met


def test_a_shuffled_arm_is_the_baseline_of_its_own_definition_alone(tmp_path):
    shares = dict.fromkeys((*ARMS, "sr_same_seed", "adaptive", "class_balanced"), 0.8)
    table = treatment_comparison.measure(
        read_treated_runs(write_study(tmp_path, shares, 3)), STATISTICS
    )
    rows = table[(table["statistic"] == "difference") & (table["baseline"] != "random")]
    assert rows["comparison"].tolist() == ["a: spaced_repetition minus spaced_repetition_shuffled"]
    lines = list(sentences_of("treatment_comparison")(table))
    told = [line.split("**")[1] for line in lines if "presenting unevenly." in line]
    assert told == ["sr_same_seed", "adaptive"]
    assert any("adaptive**: its scores arise in the run itself" in line for line in lines)


def test_a_difference_that_accuracies_can_not_have_is_not_printed(tmp_path):
    shares = dict.fromkeys(ARMS, 0.6) | {"class_balanced": 0.6}  # four comparisons
    for noise, told in (
        (0.02, r"smallest detectable difference 0\.\d{3}\."),
        (0.2, "two accuracies"),
    ):
        folders = write_study(tmp_path / str(noise), shares, 3, noise)
        table = treatment_comparison.measure(read_treated_runs(folders), STATISTICS)
        lines = "\n".join(sentences_of("treatment_comparison")(table))
        assert re.search(told, lines), lines


def test_rows_are_paired_by_sample_and_not_by_their_place(tmp_path):
    folders = write_study(tmp_path, {"random": 0.6, "class_balanced": 0.7}, seeds=3)
    before = treatment_comparison.measure(read_treated_runs(folders), STATISTICS)
    path = folders[1] / "samples.parquet"
    shuffled = pd.read_parquet(path).sample(frac=1, random_state=0)
    assert not shuffled["sample_index"].is_monotonic_increasing
    write_parquet(path, shuffled.reset_index(drop=True))
    after = treatment_comparison.measure(read_treated_runs(folders), STATISTICS)
    pd.testing.assert_frame_equal(before, after)
    shuffled.loc[shuffled["split"] == "test", "sample_index"] += 1
    write_parquet(path, shuffled.reset_index(drop=True))
    with pytest.raises(
        UserError, match="a random seed 0 and a class_balanced seed 0 hold out other"
    ):
        read_treated_runs(folders)


def test_the_dose_is_the_share_of_presentations_that_went_elsewhere(tmp_path):
    """Of 6, 0, 3, 3 presentations, where random gives 3 each, 3 of 12 went to another sample."""
    right = np.array([True, False, True, True])
    one = write_run(tmp_path, "random", 0, right)
    arm = write_run(tmp_path, "spaced_repetition", 0, right, presentations=np.array([6, 0, 3, 3]))
    runs = read_treated_runs([one, arm])
    assert [run.moved for run in runs] == [0.0, 0.25]
    table = treatment_comparison.measure(runs, STATISTICS)
    moved = table[table["statistic"] == "moved"].set_index("treatment")["estimate"]
    assert moved.to_dict() == {"random": 0.0, "spaced_repetition": 0.25}
    assert any(
        "It moved 25 % of the presentations" in text
        for text in sentences_of("treatment_comparison")(table)
    )


PRUNING = {"random": 0.9, "keep_50_random": 0.7, "keep_50_same_seed": 0.8, "keep_50_next_seed": 0.7}
PRUNING |= {"keep_25_random": 0.6, "keep_25_same_seed": 0.7, "keep_25_next_seed": 0.6}


def test_what_transfers_is_told_from_what_does_not(tmp_path):
    folders = write_study(tmp_path, PRUNING)
    runs = read_treated_runs(folders)
    table = pruning_transfer.measure(runs, STATISTICS)
    final = {(run.treatment, run.seed): run.metrics["balanced_accuracy"] for run in runs}

    def difference(first, second):
        return np.array([final[first, s] - final[second, s] for s in range(8)])

    for keep in (50, 25):
        name = f"a: keep {keep / 100:g}, most forgotten by decay_constant of"
        for statistic, comparison, first, second, verdict in (
            ("gain_over_random", "same_seed minus random pruning", "same_seed", "random", "better"),
            ("gain_over_random", "next_seed minus random pruning", "next_seed", "random", ""),
            ("transfer_loss", "same_seed minus next_seed", "same_seed", "next_seed", "better"),
        ):
            row = pick(table, f"{name} {comparison}", statistic)
            found = difference(f"keep_{keep}_{first}", f"keep_{keep}_{second}")
            assert row["estimate"] == pytest.approx(found.mean())
            assert row["p"] == pytest.approx(ttest_1samp(found, 0).pvalue)
            assert row["verdict"] == verdict or (not verdict and row["verdict"] != "better")
            assert row["keep_fraction"] == keep / 100
        cost = pick(table, f"a: keep {keep / 100:g}, random pruning minus none", "cost_of_pruning")
        lost = difference(f"keep_{keep}_random", "random")
        assert cost["estimate"] == pytest.approx(lost.mean()) and np.isnan(cost["p"])
    assert table["verdict"].notna().sum() == 6
    assert not set(
        treatment_comparison.measure(
            read_treated_runs(write_study(tmp_path / "more", PRUNING | {"class_balanced": 0.9})),
            STATISTICS,
        )["treatment"]
    ) & {"keep_50_random"}


def test_figures_and_sentences_come_from_the_tables_alone(tmp_path):
    shares = dict.fromkeys(ARMS, 0.8) | {name: share for name, share in PRUNING.items()}
    runs = read_treated_runs(
        write_study(tmp_path, shares, 4) + write_study(tmp_path, shares, 4, 0.02, "b")
    )
    for finding, module, number in (
        (treatment_comparison, treatment_figure, 6),
        (pruning_transfer, pruning_figure, 12),
    ):
        finding.measure(runs, STATISTICS).to_csv(tmp_path / "f.csv", index=False)
        table = pd.read_csv(tmp_path / "f.csv")
        figure = module.draw(table, Look())
        axes = figure.axes[-1]
        names = [text.get_text() for text in axes.get_yticklabels()]
        assert len(names) == number and all("n = 4" in name for name in names)
        verdicts = [text.get_text() for text in axes.texts]
        assert sorted(verdicts) == sorted(table["verdict"].dropna())
        controls = [name for name in names if "(control)" in name]
        assert names[number - len(controls) :] == controls  # after what they are held against
        assert len(controls) == (2 if finding is treatment_comparison else 0)
        lines = list(sentences_of(table["finding"].iloc[0])(table))
        told = sum("**" in line for line in lines)
        assert told == number
        assert any(
            re.search(f"{number} comparisons of .* are tested together", line) for line in lines
        )


def test_captions_explain_the_marks_that_are_drawn_alone(tmp_path):
    for seeds in (2, 3):
        shares = PRUNING | {"class_balanced": 0.7}
        runs = read_treated_runs(write_study(tmp_path / str(seeds), shares, seeds))
        for finding, module in (
            (treatment_comparison, treatment_figure),
            (pruning_transfer, pruning_figure),
        ):
            caption = module.draw(finding.measure(runs, STATISTICS), Look()).get_supxlabel()
            told = "fewer than 3 seeds: no interval" in caption.replace("\n", " ")
            assert told == (seeds == 2) == ("dot: estimate;" in caption)
            assert ("thick" in caption) == (seeds == 3) == ("95 % interval" in caption)


def test_what_two_seeds_can_not_test_is_not_called_tested(tmp_path):
    for seeds, told in ((2, 0), (3, 1)):
        shares = {"random": 0.7, "class_balanced": 0.75}
        folders = write_study(tmp_path / str(seeds), shares, seeds)
        table = treatment_comparison.measure(read_treated_runs(folders), STATISTICS)
        lines = "\n".join(sentences_of("treatment_comparison")(table))
        assert (
            lines.count("1 comparison of treatments is tested.")
            == lines.count("tested") - lines.count("one-sided")
            == told
        )


def test_the_papers_words_are_held_against_our_verdicts():
    reported = yaml.safe_load((ROOT / "scripts/retention/resources/paper.yaml").read_text())
    row = {"finding": "treatment_comparison", "dataset": "d", "statistic": "difference"}
    row |= {"architecture": "resnet18", "comparison": "x", "treatment": "spaced_repetition"}
    row |= {"baseline": "random", "estimate": 0.0, "low": -0.1, "high": 0.1, "target": "new seeds"}
    for ours, expected in {
        "better": "inconsistent",
        "equivalent": "consistent",
        "identical": "consistent",
        "worse": "consistent",
        "undecided": "undecided",
    }.items():
        table = compare(pd.DataFrame([row | {"verdict": ours}]), reported, {"d": True}, 3)
        assert table["verdict"].tolist() == [expected]
    table = compare(pd.DataFrame([row | {"verdict": "worse"}]), reported, {"d": "other data"}, 3)
    assert table["reason"].tolist() == ["other data"]


def test_a_claim_says_of_which_samples_ours_is_and_is_of_these():
    reported = yaml.safe_load((ROOT / "scripts/retention/resources/paper.yaml").read_text())
    row = {"finding": "ensemble_coverage", "dataset": "d", "statistic": "difference_any_matched"}
    row |= {"architecture": None, "comparison": "a + b minus a", "target": "new seeds"}
    splits = [
        row | {"split": split, "estimate": estimate, "low": estimate - 0.1, "high": estimate + 0.1}
        for split, estimate in (("train", 0.2), ("test", -0.3))
    ]
    table = compare(pd.DataFrame(splits), reported, {"d": "other data"}, 3)
    assert table["estimate"].tolist() == [0.2]
    assert table["reported"].tolist() == ["mixed architectures cover more (ours: training samples)"]


def test_a_score_that_helps_another_seed_where_seeds_do_not_agree_is_incoherent():
    gain = {"finding": "pruning_transfer", "statistic": "gain_over_random", "source": "next_seed"}
    gain |= {"verdict": "better", "estimate": 0.05, "comparison": "keep 0.5"}
    stability = {"finding": "seed_stability", "statistic": "spearman"}
    both = {"dataset": "d", "architecture": "a", "ceiling": np.nan}
    for low, estimate, high, expected in (
        (0.1, 0.2, 0.3, "coherent"),
        (-0.2, -0.1, -0.01, "incoherent"),
        (-0.1, -0.01, 0.1, "undecided"),
    ):
        ours = stability | {"low": low, "estimate": estimate, "high": high}
        table = audit(pd.DataFrame([gain | both, ours | both]), 0.1)
        assert table[table["check"] == TRANSFER]["verdict"].tolist() == [expected]


def test_one_option_of_treatments_leaves_the_others():
    options = read_statistics('{"treatment": {"margin": 0.02}}')
    assert options["treatment"] == {"metric": "balanced_accuracy", "margin": 0.02}


def test_the_commands_write_tables_that_the_figures_are_drawn_from(tmp_path):
    folders = [
        str(folder) for folder in write_study(tmp_path, dict.fromkeys(ARMS, 0.8) | PRUNING, 3)
    ]
    for finding in ("treatment_comparison", "pruning_transfer"):
        table, figure = str(tmp_path / "table.csv"), tmp_path / "figure.png"
        options = ["--statistics", '{"treatment": {"margin": 0.3}}']
        measure_finding.main([finding, "--runs", *folders, "--output", table, *options])
        assert "equivalent" in set(pd.read_csv(table)["verdict"])
        draw_figure.main([finding, "--finding", table, "--output", str(figure)])
        assert figure.stat().st_size > 10_000
        figure.unlink()
