"""A study of one architecture or one seed: what can not be compared is left out, the rest is told."""

from pathlib import Path

import numpy as np
import pytest
import yaml
from described_study import command, write_study
from simulated_runs import write_run
from sources import ROOT

from retention.commands import (
    audit_coherence,
    compare_with_paper,
    draw_figure,
    measure_finding,
    write_summary,
)
from retention.workflow.configuration import load_study
from retention.workflow.findings import declared
from retention.workflow.recipes import merged
from retention.workflow.sources import with_sources

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
OF_BOTH = {"architecture_overlap", "seed_stability", "ensemble_coverage"}
SEEDLESS = [
    "spaced_repetition",
    "spaced_repetition_other_seeds",
    "spaced_repetition_shuffled",
    "keep_50_next_seed",
    "keep_50_other_seeds",
]
LEFT_OUT = {  # architectures, seeds: findings, treatments
    (1, 1): (OF_BOTH, [*SEEDLESS, "keep_50_other_architecture"]),
    (1, 2): ({"architecture_overlap"}, ["keep_50_other_architecture"]),
    (2, 1): ({"seed_stability"}, SEEDLESS),
    (2, 2): (set(), []),
}


def config_of(architectures: int, seeds: int) -> dict:
    """Return the paper's configuration with so many architectures and seeds."""
    names = CONFIG["architectures"][:architectures]
    return merged(CONFIG, {"architectures": names, "seeds": list(range(seeds))})


@pytest.mark.parametrize("size", LEFT_OUT)
def test_what_needs_another_run_is_left_out_with_a_line_each(size):
    findings, treatments = LEFT_OUT[size]
    config = config_of(*size)
    study = load_study(config, ROOT)
    assert set(study["left_out"]) == findings
    assert [
        t for t in config["treatments"] if t not in with_sources(config)["treatments"]
    ] == treatments
    told = [line for line in study["told"] if line.startswith("treatments: left out")]
    assert len(told) == (0 if not treatments else 2 if size == (1, 1) else 1)
    assert all(any(name in line for line in told) for name in treatments)
    for name in findings:
        assert (
            sum(line.startswith(f"findings: {name} is left out: ") for line in study["told"]) == 1
        )


def files_of(finding: str, runs: list[Path], treated: list[Path]) -> list:
    """Return the words of a finding's command, as it declares what it reads."""
    words = []
    for option, files in declared(finding).reads.items():
        if len(files.names) > 1:
            words += [f"--{option}", *treated]
        else:
            words += [f"--{option}", *(run / files.names[0] for run in runs)]
    return words


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 1)])
def test_what_is_made_of_few_runs_is_measured_drawn_and_told(tmp_path, size):
    """The findings that such a study makes, its audits, its figures and its summary."""
    architectures, seeds = ["resnet18", "deit_small"][: size[0]], range(size[1])
    study = load_study(config_of(*size), ROOT)
    folder = write_study(tmp_path / "birds", ["a", "b", "c", "d", "e"], architectures, seeds)
    runs = sorted(folder.glob("runs/*/*"))
    draws = np.random.default_rng(4)
    treated = [
        write_run(tmp_path / "treated", arm, seed, draws.random(40) < 0.7, name, dataset="birds")
        for name in architectures
        for arm in ("random", "class_balanced", "keep_50_random", "keep_50_same_seed")
        for seed in seeds
    ]
    tables = [tmp_path / f"{name}.csv" for name in study["findings"]]
    statistics = ["--statistics", '{"resamples": 99, "tie_breaks": 5}']
    for name, table in zip(study["findings"], tables, strict=True):
        command(
            measure_finding, name, *files_of(name, runs, treated), *statistics, "--output", table
        )
        for figure in declared(name).figures:
            words = ["--finding", table, "--output", tmp_path / f"{figure.name}.svg"]
            command(draw_figure, figure.name, *words)
            assert (tmp_path / f"{figure.name}.svg").stat().st_size > 3000
    audits = [tmp_path / "coherence.csv", tmp_path / "paper.csv"]
    for module, output in zip((audit_coherence, compare_with_paper), audits, strict=True):
        command(module, "--findings", *tables, "--output", output)
    words = [
        "--coherence",
        audits[0],
        "--paper",
        audits[1],
        "--runs",
        *(r / "run.yaml" for r in runs),
    ]
    words += ["--classes", folder / "classes.csv", "--duplicates", folder / "duplicates.csv"]
    command(write_summary, "--findings", *tables, *words, "--output", tmp_path / "summary.md")
    text = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert all(f"## {declared(name).title} (birds)" in text for name in study["findings"])
    assert " nan" not in text and "inf " not in text
