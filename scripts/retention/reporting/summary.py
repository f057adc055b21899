"""The study in plain sentences, written from its tables."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

import pandas as pd

from retention.common.described import definition_in
from retention.common.lists import plural
from retention.common.parts import load_part
from retention.common.treatment_names import RANDOM
from retention.reporting.brief import in_short
from retention.reporting.collapsed import TITLE, caveat, warning
from retention.reporting.declared import by_number, declared
from retention.reporting.every_choice import BESIDE_THE_PAPER, every_choice
from retention.reporting.explained import words_of
from retention.reporting.first_step import Counts, first_step
from retention.reporting.forgotten import Described
from retention.reporting.judged import FOLDED
from retention.reporting.markdown import markdown_table
from retention.reporting.matched import sentences
from retention.reporting.naming import distinct, in_audit, names_in, titled, with_titles
from retention.reporting.recovered import recovered
from retention.reporting.said_once import HEADING, Told, said_once
from retention.reporting.small_classes import small_classes
from retention.reporting.studied import METRICS, accuracies, data_sets
from retention.reporting.study_tables import BESIDE, beside_the_paper
from retention.reporting.trained import any_elsewhere
from retention.reporting.verdicts import UNDECIDED
from retention.reporting.words import LEVEL, as_printed, as_text, number

# Columns of paper_arithmetic.csv that are told.
ARITHMETIC = {
    "claim": "claim",
    "implies": "implies",
    "verdict": "verdict",
    "resolved_by": "what would settle it",
}
NOT_KNOWN = "–"
HEADINGS = ("epoch-0 accuracy", "accuracy", "balanced accuracy")  # of `METRICS`
# Columns of findings that hold names of data sets, networks, classes and treatments.
NAMES = ("dataset", "comparison", "architecture", "treatment", "baseline", "note", "definition")

UNCORRECTED = (
    "- An interval is of one number alone; p is corrected for several tests. So an interval may leave chance out where the "
    "test is not decided."
)
OF_ABSTRACT = (
    "Arithmetic on the numbers of the paper's abstract alone, without this study's. It says what follows from them, and "
    "which fact would settle it."
)


def write(
    findings: pd.DataFrame,
    paper: pd.DataFrame,
    coherence: pd.DataFrame,
    runs: Sequence[Mapping],
    data: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]],
    left_out: Mapping[str, str] = MappingProxyType({}),
    controls: Sequence[str] = (),
    notes: Sequence[str] = (),
    arithmetic: pd.DataFrame | None = None,
    matches: pd.DataFrame | None = None,
    multiverse: Sequence[pd.DataFrame] = (),
    titles: Mapping[str, str] = MappingProxyType({}),
    planted: Sequence[pd.DataFrame] = (),
    counts: Sequence[Counts] = (),
    described: Sequence[Described] = (),
) -> str:
    """Return summary.md from the findings, the audits, the runs' run.yaml and the data sets.

    runs: those that findings read; data: per data set its classes.csv and its duplicates.csv. Both may be
    empty, and what is told of them is then left out. left_out: findings that the study can not make, and why.
    controls: architectures that are in no finding. notes: sentences on the data sets. arithmetic: what reported numbers
    say of each other, None to leave it out; matches: which definitions give them, likewise. multiverse: tables as
    `every_choice` takes them. titles: of architectures and treatments, by name. planted: planted_recovery.csv of the data
    sets of which copies have labels planted wrong. counts, described: of runs of `random`.
    """
    told = distinct(titles, names_in(findings, runs))
    beside = partial(_beside_the_paper, findings=findings, titles=told)
    findings = _with_names_as_text(with_titles(findings, told))
    runs = [_with_titles_of_run(run, told) for run in runs]
    controls = [titled(name, told) for name in controls]
    counts = [(dataset, titled(name, told), table) for dataset, name, table in counts]
    described = [(dataset, titled(name, told), table) for dataset, name, table in described]
    named = ", ".join(sorted(findings["dataset"].unique()))
    parts = [f"# Study {runs[0]['study']}" if runs else f"# Findings on {named}"]
    parts += in_short(findings, runs, left_out, controls, described, counts)
    parts += ["## Data", _data(data)] if data else []
    parts += [_trained(runs)] if runs else []
    if notes:
        parts += ["## Notes on the data", "\n".join(f"- {as_text(line)}" for line in notes)]
    parts += (
        ["## Accuracy on held-out samples, mean over seeds", _accuracy(runs, controls)]
        if runs
        else []
    )
    parts += warning(runs)
    compared = [run for run in runs if run["architecture"] not in controls]
    told_of = _findings(findings, compared, counts, data)
    parts += [*words_of(told_of), *told_of]
    for name in by_number(left_out):
        parts += [f"## {_title(name)}", f"Left out: {as_text(left_out[name])}."]
    parts += every_choice([with_titles(table, told) for table in multiverse])
    parts += recovered(planted)
    held = in_audit(coherence, told)
    if "explanation" in held:
        held = held.assign(explanation=held["explanation"].map(as_printed))
    parts += ["## Findings held against each other", _folded(held, "coherence.csv", _table)]
    if arithmetic is not None:
        parts += ["## What the reported numbers say of each other", OF_ABSTRACT]
        claims = arithmetic[list(ARITHMETIC)].map(as_printed)
        parts += [_table(claims.rename(columns=ARITHMETIC))]
    parts += [f"## {BESIDE}"]
    parts += [BESIDE_THE_PAPER] if len(multiverse) else []
    parts += [_folded(paper, "paper_comparison.csv", beside)]
    if matches is not None:
        parts += ["\n".join(f"- {line}" for line in sentences(with_titles(matches, told)))]
    return "\n\n".join(parts) + "\n"


def _findings(
    findings: pd.DataFrame,
    compared: Sequence[Mapping],
    counts: Sequence[Counts],
    data: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]],
) -> list[str]:
    """Return a section per finding and data set, before them what several would say word for word."""
    headings, sections = [], []
    classes_of = {as_text(name): classes for name, (classes, _) in data.items()}
    for name in by_number(findings["finding"].unique()):
        for dataset, table in findings[findings["finding"] == name].groupby("dataset"):
            rests_on = [run for run in compared if as_text(run["dataset"]) == dataset]
            lines = [*_told(name, table), *_defined(table), *_caveat(name, rests_on)]
            if _tells_of_events(name):
                lines += first_step(counts, str(dataset), any_elsewhere(rests_on))
            if dataset in classes_of:
                evaluated = [run["test_samples"] for run in rests_on if "test_samples" in run]
                lines += small_classes(table, classes_of[dataset], evaluated)
            headings.append(f"## {_title(name)} ({dataset})")
            sections.append(Told(f"F{declared(name).number}", str(dataset), lines))
    before, left = said_once(sections)
    told = [
        part
        for heading, lines in zip(headings, left, strict=True)
        for part in (heading, "\n".join(lines))
    ]
    return [*_uncorrected(findings), *before, *told]


def _uncorrected(findings: pd.DataFrame) -> list[str]:
    """Return a section where some interval leaves chance out, and the corrected test does not."""
    told = findings.reindex(columns=["chance", "low", "high", "p_corrected"]).astype(float)
    outside = (told["chance"] < told["low"]) | (told["chance"] > told["high"])
    found = (outside & (told["p_corrected"] >= LEVEL)).any()
    return [f"## {HEADING}", UNCORRECTED] if found else []


def _with_titles_of_run(run: Mapping, titles: Mapping[str, str]) -> dict:
    """Return a run.yaml with the title of its architecture, and beside the name of its treatment that title."""
    architecture, treatment = (titled(run[key], titles) for key in ("architecture", "treatment"))
    return {**run, "architecture": architecture, TITLE: treatment}


def _with_names_as_text(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the findings with names that the sentences may hold as they are."""
    told = {
        # of its own type, though it holds nothing: a column of notes stays one of texts
        name: findings[name].map(as_text, na_action="ignore").astype(findings[name].dtype)
        for name in NAMES
        if name in findings
    }
    return findings.assign(**told)


def _title(name: str) -> str:
    return declared(name).title


def _told(name: str, table: pd.DataFrame) -> Iterable[str]:
    return load_part("retention.findings", name, "sentences").sentences(table)


def _tells_of_events(name: str) -> bool:
    """Return whether a finding rests on forgetting events, as its sentences say."""
    module = load_part("retention.findings", name, "sentences")
    return getattr(module, "TELLS_OF_EVENTS", False)


def _defined(table: pd.DataFrame) -> list[str]:
    if not (definition := definition_in(table.get("note", []))):
        return []
    return [
        f"- Another definition: these samples were described by {definition}. What is said of curves and of "
        "constant traces here is about this project's own."
    ]


def _caveat(name: str, runs: Sequence[Mapping]) -> list[str]:
    return caveat(declared(name).treatments, runs)


def _data(data: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]) -> str:
    found = data_sets(data)
    ratios = found.pop("imbalance")
    said = [number(one) if pd.isna(one) else f"{_ratio(one)} : 1" for one in ratios]
    found.insert(4, "largest : smallest class", said)
    headings = {
        "dataset": "data set",
        "held_out": "held out",
        "same_pixels": "same pixels on both sides",
    }
    return _table(found.rename(columns=headings))


def _ratio(ratio: float) -> str:
    """Return a ratio with a digit behind the point where it is small: 1.4 is not 1."""
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}".removesuffix(".0")


def _trained(runs: Sequence[Mapping]) -> str:
    baseline = [run for run in runs if run["treatment"] == RANDOM]
    seeds = sorted({run["seed"] for run in baseline})
    named = f"{'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds))}"
    title = as_text(baseline[0].get(TITLE, RANDOM)) if baseline else RANDOM
    return f"{plural(len(baseline), 'run')} of the treatment {title}, {named}."


def _accuracy(runs: Sequence[Mapping], controls: Sequence[str]) -> str:
    found = accuracies([run for run in runs if run["treatment"] == RANDOM])
    found["is_control"] = found["architecture"].isin(list(controls))
    found = found.sort_values(["dataset", "is_control", "architecture", "pretrained"])
    found["architecture"] += found["is_control"].map({True: " (control)", False: ""})
    names = found[["dataset", "architecture", "pretrained", "runs"]].assign(
        pretrained=found["pretrained"].map({True: "yes", False: "no"}).fillna("not known"),
    )
    names = names.rename(columns={"dataset": "data set"})
    means = {
        heading: found[f"{metric}_mean"].map(
            lambda one: NOT_KNOWN if pd.isna(one) else f"{one:.3f}"
        )
        for metric, heading in zip(METRICS, HEADINGS, strict=True)
    }
    return _table(names.assign(**means))


def _beside_the_paper(
    paper: pd.DataFrame, findings: pd.DataFrame, titles: Mapping[str, str]
) -> str:
    table = beside_the_paper(paper, findings, titles)
    return table.as_markdown().removeprefix(f"{BESIDE}. ").rstrip()


def _folded(audit: pd.DataFrame, file: str, written: Callable[[pd.DataFrame], str]) -> str:
    """Return an audit's table; many undecided rows are a line that names the file in which they stand."""
    undecided = audit.get("verdict", pd.Series(index=audit.index, dtype=object)) == UNDECIDED
    if undecided.sum() <= FOLDED:
        return written(audit)
    line = f"{undecided.sum()} rows are undecided; each stands in {file}."
    return "\n\n".join([*([] if undecided.all() else [written(audit[~undecided])]), line])


def _table(table: pd.DataFrame) -> str:
    shown = table.copy()
    for name in shown.select_dtypes("float"):
        shown[name] = shown[name].map(number)
    return markdown_table(shown.fillna("").astype(str))
