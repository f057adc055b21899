"""The results of a study that its report is built from, made up: text where there would be pictures."""

import json
from pathlib import Path

from PIL import Image

HOSTILE = "<img src=x onerror=alert(1)>\"'</script>"
SUMMARY = f"""# Study mine

Of a study.

## In short

Two networks were trained. **One** finding stands.

Found: **F3**. Still open: **F2** and **F8**.

## Data

| dataset | classes |
| --- | --- |
| a \\| b | 2 |

## Before the findings (one)

- **Note 1**, for F3 and F5: 88 % lie at p = 0.02.

## F3. Is it the same samples in the next run? (one)

- **resnet**: of one.
- Note 1 holds here, too (see "Before the findings").

## F3. Is it the same samples in the next run? (two)

- {HOSTILE}

## F2. Is forgetting an exponential decay? (one)

Left out: nothing to fit.

## Runs whose training went wrong

One did.

## Every analytic choice (one)

- Many.

## Findings held against each other

All hold.

## Beside the paper (arXiv 2604.11508)

Not comparable.
"""
PICTURE = "data:image/gif;base64,R0lGODdhAQABAIAAAP///////ywAAAAAAQABAAACAkQBADs="
STRIP = [
    {
        "sample_id": f"{HOSTILE}-{place}",
        "class_title": HOSTILE,
        "page": "class_0.html",
        "picture": PICTURE,
        "width": 1,
        "height": 1,
        "taken_for": [HOSTILE, "owl", "duck"][: place + 1],
    }
    for place in range(3)
]
FIGURES = ("seed_stability", "trace_raster", "retention_curves", "learning_curves", "fit_quality")
FIGURES += ("overlap_against_fraction",)
FIGURES += ("decay_constants_between_seeds",)  # shown with F3, whose folder it does not lie in
ONE_COLUMN = ("fit_quality",)


def write_results(results: Path) -> list[Path]:
    """Write the results of a study; return what its report holds."""
    texts = {"summary.md": SUMMARY, "config.yaml": f"study: mine\n# {HOSTILE}\n"}
    texts |= {
        f"{name}/figures/{figure}.pdf": "a figure" for name in ("one", "two") for figure in FIGURES
    }
    texts |= {
        "one/gallery/index.html": "gallery",
        "one/gallery/thumbnails/1.jpg": "1",
        "one/gallery/class_0.html": "class 0",
        "one/gallery/most_forgotten.json": json.dumps(STRIP),
        "one/explorer.html": "all",
    }
    texts |= {f"tables/paper_comparison.{kind}": kind for kind in ("csv", "md", "tex")}
    for name, text in texts.items():
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_text(text, encoding="utf-8")
    pictures = [results / name.replace(".pdf", ".png") for name in texts if name.endswith(".pdf")]
    for picture in pictures:
        size = (660, 800) if picture.stem in ONE_COLUMN else (1300, 500)
        Image.new("RGB", size, "white").save(picture, dpi=(200, 200))
    (results / "one/gallery/.snakemake_timestamp").touch()
    (results / "state").mkdir()
    (results / "state/half.bin").write_text("never part of a report")
    files = [results / name for name in texts if "gallery" not in name]
    return [*files, *pictures, results / "one" / "gallery"]
