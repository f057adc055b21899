"""What tests of the explorer do with its page: open it, drag, read what is drawn, download."""

import re
from io import BytesIO

import numpy as np
import pandas as pd
from conftest import WIDE
from explorer_study import SIDE
from PIL import Image
from playwright.sync_api import Page

from retention.commands import build_explorer

BIG, NET = "b<i>ig</i>", "$$net$$"
SOURCE = "Bokeh.documents[0].get_model_by_name('source')"
PLOT = "Bokeh.documents[0].get_model_by_name('plot')"
PLACES = f"""() => {{
  const view = Bokeh.index.find_one_by_id({PLOT}.id), box = view.canvas_view.el.getBoundingClientRect();
  const {{ x, y, row }} = {SOURCE}.data;
  return [...x].map((value, k) => [row[k], box.x + view.frame.x_scale.compute(value), box.y + view.frame.y_scale.compute(y[k])]);
}}"""


def build(path, words):
    build_explorer.main([*words, "--output", str(path)])
    return path


def opened(open_page, path, viewport=WIDE, **context) -> Page:
    page = open_page(path, viewport, **context)
    page.wait_for_selector("#table tbody input")
    return page


def mean_of_big(tables, statistic):
    of = pd.concat([tables[BIG, seed][statistic].astype(float) for seed in (0, 1)], axis=1)
    return of.mean(axis=1).to_numpy()


def is_status(tables, name, status):
    of = [table for run, table in tables.items() if run[0] == name]
    never = np.all([table["never_learned"] for table in of], axis=0)
    lost = np.any([table["forgetting_events"] > 0 for table in of], axis=0)
    return {"never learned": never, "forgotten": lost, "never forgotten": ~never & ~lost}[status]


def drawn(page) -> dict[str, list]:
    return page.evaluate(
        f"() => Object.fromEntries(Object.entries({SOURCE}.data).map(([k, v]) => [k, [...v]]))"
    )


def column(page, number) -> list[str]:
    return page.locator(f"#table tbody td:nth-child({number})").all_inner_texts()


def selected_rows(page) -> set[int]:
    return set(page.evaluate(f"() => {SOURCE}.selected.indices.map((k) => {SOURCE}.data.row[k])"))


def written(text):
    """Return a text as a page shows it."""
    return re.sub(
        "[\x00-\x1f\u202e]",
        lambda match: ascii(match[0])[1:-1],
        text,
    )


def cut(text):
    """Return a text as a row of the table shows it: of a long one its beginning and its end."""
    return text if len(text) <= 45 else f"{text[:24]}…{text[-20:]}"


def colour_of(study, sample):
    layout = pd.read_parquet(study.cache[1]).set_index("sample_index").loc[sample["sample_index"]]
    assert SIDE in (layout["height"], layout["width"])
    return np.load(study.cache[0])[layout["offset"] : layout["offset"] + 3].tolist()


def thumbnail_colour(page, thumbnail):
    """Return the colour of the middle of an element, as it is on the screen."""
    image = Image.open(BytesIO(thumbnail.screenshot())).convert("RGB")
    return list(image.getpixel((image.width // 2, image.height // 2)))


def download(page, act):
    with page.expect_download() as found:
        act()
    assert found.value.suggested_filename == "odd_b_set_b__samples.csv"
    return pd.read_csv(found.value.path(), dtype=str, keep_default_na=False)


def numbers(column):
    """Return the numbers of a downloaded column, NaN where it is empty."""
    return np.array([float(text or "nan") for text in column])


def guarded(text):
    return f"'{text}" if text[:1] in {*"=+-@"} else text


def drag(page, corners):
    """Drag along some corners; Bokeh takes for a press what has not moved after 0.3 s, so a busy machine tries again."""
    for _ in range(20):
        page.mouse.move(*corners[0])
        page.mouse.down()
        for x, y in corners[1:]:
            page.mouse.move(x, y, steps=5)
        page.mouse.up()
        if selected_rows(page):
            return
