"""Make the examples of the documentation anew: pictures of README.md, tutorial and findings; table, figure and numbers of docs/specification_curve.md.

    python docs/make_examples.py --multiverse multiverse.csv --demo results/digits_short/digits

stores what the examples show of these tables, of measure_multiverse and of `make demo`, then draws and writes. Without options it
draws and writes what is stored, after a change of a figure or of the words below. tests/docs/test_examples.py fails where that is forgotten.
tests/docs/test_tutorial.py holds the tutorial's numbers against the stored tables.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import yaml

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "scripts"))

from retention.commands import draw_figure
from retention.common.csv_tables import read_csv, write_csv
from retention.reporting.specification import Specification, specification_of
from retention.reporting.words import number

NAMED = "unbounded_three_parameters"
FINDING, BESIDE = "seed_stability", "fit_quality"
TABLE = DOCS / "multiverse_example.csv"
# Findings whose own figure stands on their page alone.
SHOWN = (
    "class_forgetting",
    "early_loss",
    "ensemble_coverage",
    "treatment_comparison",
    "pruning_transfer",
)
# Table of `make demo` → where it is stored.
DEMO = {
    "findings/architecture_overlap.csv": DOCS / "overlap_example.csv",
    "findings/fit_quality.csv": DOCS / "fit_quality_example.csv",
    "findings/seed_stability.csv": DOCS / "seed_stability_example.csv",
    **{f"findings/{name}.csv": DOCS / f"findings/{name}_example.csv" for name in SHOWN},
    "series/learning_curves.csv": DOCS / "learning_curves_example.csv",
}
CONFIGURED = yaml.safe_load((DOCS.parent / "config.yaml").read_text(encoding="utf-8"))
ARMS = {name: one["title"] for name, one in CONFIGURED["treatment_definitions"].items()}
TITLES = json.dumps({"resnet": "ResNet", "vit": "ViT"} | ARMS)
# Name of a figure → the options that name its table and what architectures are called.
FIGURES = {
    f"multiverse_{FINDING}": ("--multiverse", TABLE),
    "architecture_overlap": (
        *("--finding", DEMO["findings/architecture_overlap.csv"]),
        *("--titles", TITLES),
    ),
    "fit_quality": ("--finding", DEMO["findings/fit_quality.csv"], "--titles", TITLES),
    **{
        name: ("--finding", DEMO[f"findings/{name}.csv"], "--titles", TITLES)
        for name in ("seed_stability", *SHOWN)
    },
    "learning_curves": ("--curves", DEMO["series/learning_curves.csv"], "--titles", TITLES),
}
PAGE = DOCS / "specification_curve.md"
BEGIN = "<!-- Made by docs/make_examples.py from here -->"
END = "<!-- to here -->"
DIGITS = 7  # that are stored
TENTH = 10
LEVEL = 0.05

TEXT = """
![Specification curve of the agreement between seeds: estimates above, choices below, errors at the foot](images/multiverse_seed_stability.png)

Read it from top to bottom.

1. **The title** says from where to where the estimates of the first comparison reach, and what the study's own choices give. Here ρ of {first} is
   anything from {low} to {high}, and {own} by our own choices. Combinations whose estimates are all the same count once as *distinguishable*.
2. **The curve.** A dot is a combination, sorted by its estimate. Its line is the 95 % interval, for this combination alone. Pale dots have
   p ≥ 0.05, and hollow ones have no p. Grey lines are at what chance gives. A flat stretch is many
   combinations that differ little: half of the ways to measure {first} give {quarter} to {three_quarters}.
3. **The other comparisons** stand below in the order of the first. Where {second} rises with {first}, the same choices move both. Combinations without an
   estimate of the first comparison stand behind a gap.
4. **The marks.** A ring is the study's own combination, a diamond a definition that has a name. Lines lead down to their choices.
5. **The matrix.** Each column is the combination above it, each row is a level, and a mark says that the combination has it. A level with few
   combinations has dots, one with many has strokes. Levels in grey were not crossed with the others: most were tried one at a time, from the study's own
   combination. Look for rows whose marks gather at one end. Of the {tenth} highest estimates {confidence} fit the `probability of the label`: it has no
   ties and changes slowly. Of the {tenth} lowest {ever_forgotten} compare only samples that were `ever forgotten`. An empty stretch within a choice
   means that it does not apply.
6. **The medians** at the right are of all estimates with that level, of the first comparison. Where a choice's medians are alike, it hardly
   matters: {left_out} and {kept} for the point t = 0. scipy's `curve_fit` without bounds has {free} beside {exact} of the global optimum.
7. **The errors** at the foot are mistakes that others could make. They are no choices, and enter nothing above. A split that is drawn anew for
   each seed and matched by position gives {by_position}, where our own is {own}.

Now ask what moves the number, and why. The diamond is an unbounded fit of three parameters. It gives {named_first} for {first} and {named_second}
for {second}. Column `residue` of `multiverse.csv` says why: {residue_first} % and {residue_second} % of its decay constants are where an optimiser
stopped on a flat trace. They say nothing of the sample. The same definition gives a mean R² of {fit_first} and {fit_second} in
`multiverse_fit_quality`, where ours is {own_fit_first} and {own_fit_second}. So a reported R² of 0.52 beside our {own_fit_first} is no failed
replication by itself: it may be another definition.

What the figure does not say:

- **How probable anything is.** People wrote the list. That {significant} of {first}'s {distinct} distinguishable combinations have p < 0.05 is
  a count, no probability.
- **Which choice is right.** The list holds what people do. Some of it is poor, such as fits of flat traces.
- **That intervals hold together.** Each stands alone, and all are of the same runs.
"""


def main() -> None:
    """Store, draw and write what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--multiverse", type=Path, nargs="+", help=f"multiverse.csv with {FINDING} and {BESIDE}"
    )
    parser.add_argument("--demo", type=Path, help="results of make demo on its data set")
    arguments = parser.parse_args()
    if arguments.multiverse:
        write_csv(TABLE, stored(pd.concat([read_csv(path) for path in arguments.multiverse])))
    for name, table in DEMO.items() if arguments.demo else ():
        write_csv(table, read_csv(arguments.demo / name))
    for name in FIGURES:
        draw(name, picture(name))
    PAGE.write_text(with_example(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def picture(name: str) -> Path:
    """Return the file of a figure."""
    return DOCS / f"images/{name}.png"


def draw(name: str, output: Path) -> None:
    """Draw an example from its stored table."""
    draw_figure.main([name, *map(str, FIGURES[name]), "--output", str(output)])


def stored(multiverse: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that the example is of: one finding's, and of the other those that the text compares."""
    named = multiverse["own"].astype(bool) | (multiverse["named"].fillna("") != "")
    kept = (multiverse["finding"] == FINDING) | ((multiverse["finding"] == BESIDE) & named)
    return multiverse[kept].round(DIGITS)


def with_example(page: str) -> str:
    """Return the page with the example of the stored table between its two marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{TEXT.format(**facts(read_csv(TABLE)))}\n{END}{after}"


def facts(table: pd.DataFrame) -> Mapping[str, object]:
    """Return the numbers of the text, as it writes them, from the stored table."""
    found = specification_of(table, FINDING)
    first, second = found.comparisons[:2]
    values = _of_first(found)
    names: dict[str, object] = {"first": first, "second": second}
    for place, name in (("first", first), ("second", second)):
        rows = table[(table["finding"] == BESIDE) & (table["comparison"] == name)]
        named = found.rows[name].loc[found.named[NAMED][0]]
        values[f"named_{place}"] = named["estimate"]
        values[f"fit_{place}"] = rows.loc[~rows["own"], "estimate"].item()
        values[f"own_fit_{place}"] = rows.loc[rows["own"], "estimate"].item()
        names[f"residue_{place}"] = round(100 * named["residue"])
    return names | _counts(found) | {name: number(value) for name, value in values.items()}


def _of_first(found: Specification) -> dict[str, float]:
    """Return numbers of the first comparison: of all combinations, of its own, of some levels, of an error."""
    rows, first = found.first, found.comparisons[0]
    known = rows["estimate"]
    (wrong,) = (rows for levels, rows in found.faults if "split" in levels)
    return {
        "low": known.min(),
        "high": known.max(),
        "own": known[list(found.own)].iloc[0],
        "quarter": known.quantile(0.25),
        "three_quarters": known.quantile(0.75),
        "left_out": known[rows["start"] == "left_out"].median(),
        "kept": known[rows["start"] == "kept"].median(),
        "free": known[rows["estimator"] == "curve_fit_free"].median(),
        "exact": known[rows["estimator"] == "exact"].median(),
        "by_position": wrong.loc[first, "estimate"],
    }


def _counts(found: Specification) -> dict[str, object]:
    """Return counts of the first comparison's combinations, which are in the order of their estimates."""
    rows = found.first.iloc[: found.ordered]
    tenth = len(rows) // TENTH
    return {
        "tenth": tenth,
        "confidence": int((rows["trace"].tail(tenth) == "confidence").sum()),
        "ever_forgotten": int((rows["samples"].head(tenth) == "ever_forgotten").sum()),
        "distinct": len(found.distinct),
        "significant": int((rows.loc[list(found.distinct), "p"] < LEVEL).sum()),
    }


if __name__ == "__main__":
    main()
