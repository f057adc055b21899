"""Make the pictures of README.md and docs/suspects.md: for each question about a sample, the photographs that answer it first.

    snakemake results/clothing_published/clothing/suspects.csv --configfile config.yaml published/clothing.yaml --cores 2
    python docs/make_pictures.py --results results/clothing_published/clothing

reads what is said of the published runs on photographs of clothing, which are CC0. published/clothing.yaml names their folder; without
it there are no paths to them. What is shown is the first of each order, of each sender (`group`) one sample alone: a
sender photographed the same thing several times.
"""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from PIL import Image, ImageOps

IMAGES = Path(__file__).parent / "images"
SHOWN = 6
FIRST_PAGE = {"forgotten": "Forgotten most", "wrong_label": "Label contradicted most"}
SIDE = 160  # pixels of a photograph
MEANS = ["hazard", "mean_retention", "confidence", "variability", "never_learned"]


@dataclass(frozen=True)
class Shown:
    """A photograph with the lines below it."""

    path: str
    lines: tuple[str, ...]


def main() -> None:
    """Draw a picture for each question."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--results", type=Path, required=True, help="of the data set, in the study's results"
    )
    parser.add_argument("--output", type=Path, default=IMAGES, help="folder of the pictures")
    arguments = parser.parse_args()
    found = answers(arguments.results)
    for question, shown in found.items():
        save({"": shown}, arguments.output / f"question_{question}.jpg")
    first_page = {title: found[question] for question, title in FIRST_PAGE.items()}
    save(first_page, arguments.output / "photographs.jpg")


def answers(results: Path) -> Mapping[str, list[Shown]]:
    """Return for each question the photographs that stand first."""
    suspects = pd.read_csv(results / "suspects.csv", keep_default_na=False, na_values=[""])
    samples = described(results).merge(suspects, on="sample_id", suffixes=("", "_of_ranking"))
    learned = samples[samples["never_learned"] == 0]
    middling = (samples["confidence"] - 0.5).abs() < 0.1
    orders = {
        "wrong_label": samples.sort_values("rank", kind="stable"),
        "forgotten": learned.sort_values("hazard", ascending=False, kind="stable"),
        "hard": learned.sort_values("mean_retention", kind="stable"),
        "ambiguous": samples[middling].sort_values("variability", ascending=False, kind="stable"),
        "never_learned": samples[samples["never_learned"] == 1].sort_values(
            "confidence", kind="stable"
        ),
    }
    found = {name: first(order, name) for name, order in orders.items()}
    return {name: shown for name, shown in found.items() if shown} | twice(results, samples)


def described(results: Path) -> pd.DataFrame:
    """Return a row per training sample: means over the runs of random of what the questions ask for."""
    files = sorted(results.glob("runs/*/random/*/samples.parquet"))
    tables = [pd.read_parquet(path, columns=["split", "sample_id", *MEANS]) for path in files]
    whole = pd.concat(tables, ignore_index=True)
    return whole[whole["split"] == "train"].groupby("sample_id")[MEANS].mean().reset_index()


def first(order: pd.DataFrame, question: str) -> list[Shown]:
    """Return the first samples of an order, one of each group, with what is said below them."""
    chosen = order.drop_duplicates("group").head(SHOWN)
    return [Shown(row["path"], said(row, question)) for _, row in chosen.iterrows()]


def said(row: pd.Series, question: str) -> tuple[str, ...]:
    """Return the lines below a photograph: its label, and what the question is about."""
    number = {
        "wrong_label": f"taken for: {row['suggested_class_name']}",
        "forgotten": f"hazard {row['hazard']:.2f}",
        "hard": f"right at {row['mean_retention']:.0%} of epochs",
        "ambiguous": f"confidence {row['confidence']:.2f} ± {row['variability']:.2f}",
        "never_learned": f"taken for: {row['suggested_class_name']}",
    }
    return (f"label: {row['class_name']}", number[question])


def twice(results: Path, samples: pd.DataFrame) -> Mapping[str, list[Shown]]:
    """Return the copies of one image, by pairs; nothing where there are none."""
    copies = pd.read_csv(results / "duplicates.csv", keep_default_na=False)
    rows = copies.merge(samples[["sample_id", "path"]], on="sample_id")
    rows = rows[rows.groupby("digest")["sample_id"].transform("count") > 1]
    rows = rows.groupby("digest", sort=False).head(2).head(SHOWN)
    shown = [Shown(row["path"], (f"label: {row['class_name']}",)) for _, row in rows.iterrows()]
    return {"duplicate": shown} if shown else {}


def save(rows: Mapping[str, list[Shown]], output: Path) -> None:
    """Draw rows of photographs, each with its lines below, and the rows' titles above where they have one."""
    titled = any(rows)
    figure = Figure(figsize=(10, (2.2 + 0.3 * titled) * len(rows)))
    places = figure.subplots(len(rows), SHOWN, squeeze=False)
    for axes in places.flat:
        axes.axis("off")
    for row, (title, shown) in zip(places, rows.items(), strict=True):
        row[0].set_title(title, loc="left", fontsize=10, fontweight="bold")
        for axes, one in zip(row, shown, strict=False):
            with Image.open(one.path) as image:
                square = ImageOps.pad(image.convert("RGB"), (SIDE, SIDE), color="white")
            axes.imshow(square)
            axes.text(
                0.5, -0.06, "\n".join(one.lines), transform=axes.transAxes, fontsize=8, ha="center", va="top"
            )  # fmt: skip
    figure.subplots_adjust(left=0.01, right=0.99, top=0.95, bottom=0.1, wspace=0.05, hspace=0.35)
    figure.savefig(output, dpi=100, pil_kwargs={"quality": 85})


if __name__ == "__main__":
    main()
