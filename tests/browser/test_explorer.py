"""The explorer in a real browser: what is chosen is drawn and listed, linked, downloaded, by mouse and by keyboard alone."""

import re

import numpy as np
import pandas as pd
import pytest
from explored import (
    BIG,
    NET,
    PLACES,
    PLOT,
    build,
    colour_of,
    column,
    download,
    drag,
    drawn,
    guarded,
    is_status,
    mean_of_big,
    numbers,
    opened,
    selected_rows,
    thumbnail_colour,
    written,
)
from explorer_study import HOSTILE, write_explorer_study
from playwright.sync_api import Page, expect


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    return write_explorer_study(tmp_path_factory.mktemp("explored"))


@pytest.fixture(scope="session")
def path(study):
    return build(study.index.parent / "explorer.html", study.words())


@pytest.fixture(scope="session")
def tables(study):
    """Return samples.parquet by run, in the order of the page's samples."""
    keys, names = ["split", "sample_index"], [(BIG, 1), (BIG, 0), (NET, 4)]
    found = [pd.read_parquet(path).sort_values(keys, ignore_index=True) for path in study.samples]
    return dict(zip(names, found, strict=True))


@pytest.fixture
def page(open_page, path) -> Page:
    return opened(open_page, path)


def test_axes_show_what_is_chosen(page, tables):
    page.select_option("#x_statistic", "hazard")
    page.select_option("#x_runs", label=f"{BIG}, mean of 2 seeds")
    page.select_option("#y_statistic", "decay_constant")
    page.select_option("#y_runs", label=f"{NET}, seed 4")
    data, hazard = drawn(page), mean_of_big(tables, "hazard")
    decay = tables[NET, 4]["decay_constant"].to_numpy(float)
    assert data["row"] == np.flatnonzero(np.isfinite(hazard) & np.isfinite(decay)).tolist()
    np.testing.assert_allclose(data["x"], hazard[data["row"]], rtol=1e-14)
    np.testing.assert_array_equal(data["y"], decay[data["row"]])
    marks = {"forgotten": "triangle", "never forgotten": "circle", "never learned": "square"}
    for status, mark in marks.items():
        expected = is_status(tables, NET, status)[data["row"]]
        assert [found == mark for found in data["marker"]] == expected.tolist()
    expect(page.locator("#x_definition")).to_have_text(re.compile("^Hazard: .forgetting events"))
    expect(page.locator("#caption")).to_contain_text(
        f"{len(data['row'])} samples. Horizontal: Hazard"
    )
    assert (
        page.evaluate(f"() => {PLOT}.left[0].axis_label.text")
        == f"Decay constant λ (per epoch)\n{NET}, seed 4"
    )


def test_samples_on_one_point_are_one_larger_mark(page):
    page.select_option("#x_statistic", "forgetting_events")
    page.select_option("#y_statistic", "epochs_at_risk")
    data = pd.DataFrame(drawn(page))
    ties = data.groupby(["x", "y"])["row"].transform("size")
    np.testing.assert_allclose(data["size"], np.minimum(7 * np.sqrt(ties), 28))
    assert ties.max() > 1


def test_what_has_no_place_on_an_axis_is_told(page, tables):
    page.select_option("#x_statistic", "loss_0")
    page.select_option("#x_runs", label=f"{NET}, seed 4")
    expect(page.locator("#missing")).to_have_text(
        f"Loss at epoch 0 (nats), {NET}, seed 4: of 40 samples 1 without a value, 1 infinite. "
        "They are in the table, not in the plot."
    )
    assert len(drawn(page)["row"]) == 38
    page.select_option("#x_scale", "log")
    expect(page.locator("#missing")).to_contain_text(
        "1 at 0 or below, where a log axis has no place"
    )
    loss = tables[NET, 4]["loss_0"].to_numpy()
    data = drawn(page)
    assert data["row"] == np.flatnonzero(np.isfinite(loss) & (loss > 0)).tolist()
    scale = page.evaluate(
        f"() => [{PLOT}.x_scale.type, {PLOT}.below[0].ticker.type, {PLOT}.y_scale.type]"
    )
    assert scale == ["LogScale", "LogTicker", "LinearScale"]
    low, high = page.evaluate(f"() => [{PLOT}.x_range.start, {PLOT}.x_range.end]")
    assert 0 < low < min(data["x"]) and max(data["x"]) < high < 2 * max(data["x"])
    texts = column(page, 5)
    page.get_by_role("combobox", name="rows a page").select_option("100")
    texts = column(page, 5)
    assert len(texts) == 40 and {"–", "∞", "0"} <= {*texts}
    page.select_option("#x_scale", "linear")
    assert page.evaluate(f"() => [{PLOT}.x_scale.type, {PLOT}.below[0].ticker.type]") == [
        "LinearScale",
        "BasicTicker",
    ]


def test_filters_leave_what_they_name(page, tables):
    first = tables[NET, 4]
    for status in ("never learned", "forgotten", "never forgotten"):
        page.select_option("#status_1", label=status)
        expected = np.flatnonzero(is_status(tables, BIG, status))
        expect(page.locator("#told")).to_have_text(
            f"{len(expected)} of 40 samples shown, 0 selected."
        )
        assert set(drawn(page)["row"]) <= set(expected)
    page.select_option("#status_0", label="forgotten")
    page.select_option("#split", label="test")
    page.select_option("#class", "1")
    both = is_status(tables, BIG, "never forgotten") & is_status(tables, NET, "forgotten")
    expected = np.flatnonzero(both & (first["split"] == "test") & (first["label"] == 1))
    expect(page.locator("#told")).to_contain_text(f"{len(expected)} of 40 samples shown")
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("#told")).to_have_text("40 of 40 samples shown, 0 selected.")
    page.select_option("#class", label=HOSTILE[0])
    expect(page.locator("#told")).to_contain_text(
        f"{(first['class_name'] == HOSTILE[0]).sum()} of 40"
    )


def test_where_nothing_is_left_the_page_says_so(page):
    page.select_option("#status_0", label="never learned")
    page.select_option("#x_statistic", "first_learned")
    page.select_option("#x_runs", label=f"{NET}, seed 4")
    expect(page.locator("#caption")).to_have_text("No sample has a place in this plot.")
    expect(page.locator("#missing")).to_contain_text("without a value")
    page.get_by_role("searchbox").fill("no such sample")
    expect(page.locator("#table tbody")).to_have_text(
        "No sample passes the filters and the search."
    )
    expect(page.locator("#download")).to_have_text("Download all 0 found as CSV")


def test_the_table_is_sorted_searched_and_paged(page, tables):
    lost = sum(table["forgetting_events"] for table in tables.values())
    assert [int(text) for text in column(page, 7)] == sorted(lost, reverse=True)[:10]
    confidence = np.sort(mean_of_big(tables, "confidence"))
    page.select_option("#y_runs", label=f"{BIG}, mean of 2 seeds")
    header = page.locator("#table thead th").nth(5)
    expect(header).to_have_text(f"Confidence (probability), {BIG}, mean of 2 seeds")
    expect(header.get_by_role("button")).to_have_accessible_name(
        re.compile(f"^{re.escape(f'Confidence (probability), {BIG}, mean')} of 2 seeds: Activate")
    )
    header.get_by_role("button").click()
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", re.compile("ending"))
    texts = [float(text) for text in column(page, 6)]
    assert texts == sorted(texts) or texts == sorted(texts, reverse=True)
    ends = confidence[:10] if texts == sorted(texts) else confidence[::-1][:10]
    np.testing.assert_allclose(texts, ends, atol=5e-5)
    page.get_by_role("link", name="Next").click()
    assert not {*column(page, 6)} & {*(str(text) for text in texts)}
    page.get_by_role("searchbox").fill("HYPERLINK")
    expect(page.locator("#download")).to_contain_text("found as CSV")
    ids = column(page, 2)
    assert ids and all(
        "HYPERLINK" in text or "HYPERLINK" in other
        for text, other in zip(ids, column(page, 3), strict=True)
    )


def test_what_is_missing_comes_last_in_both_directions(page, tables):
    page.select_option("#x_statistic", "loss_0")
    page.select_option("#x_runs", label=f"{NET}, seed 4")
    page.get_by_role("combobox", name="rows a page").select_option("100")
    loss = tables[NET, 4]["loss_0"].to_numpy(float)
    known = np.sort(loss[~np.isnan(loss)])
    assert np.isnan(loss).any() and np.isinf(known[-1])
    for direction, expected in (("ascending", known), ("descending", known[::-1])):
        page.locator("#table thead th").nth(4).get_by_role("button").click()
        expect(page.locator("#table thead th").nth(4)).to_have_attribute("aria-sort", direction)
        texts = column(page, 5)
        assert texts[len(known) :] == ["–"] * (len(loss) - len(known))
        shown = [float(text.replace("∞", "inf")) for text in texts[: len(known)]]
        np.testing.assert_allclose(shown, expected, rtol=1e-3)


def test_two_axes_of_one_statistic_have_two_names(page):
    for side in "xy":
        page.select_option(f"#{side}_statistic", "hazard")
        page.select_option(f"#{side}_runs", label=f"{NET}, seed 4")
    for place, side in ((4, "horizontal"), (5, "vertical")):
        header = page.locator("#table thead th").nth(place)
        expect(header).to_contain_text(f"{NET}, seed 4 ({side})")
        name = re.compile(f"^Hazard.*{side}.: Activate")
        expect(header.get_by_role("button")).to_have_accessible_name(name)
    page.select_option("#x_runs", label=f"{BIG}, seed 0")
    expect(page.locator("#table thead")).not_to_contain_text("vertical")


def test_a_search_leaves_the_same_samples_everywhere_and_the_selection_as_it_is(page, tables):
    page.get_by_role("combobox", name="rows a page").select_option("100")
    boxes = page.locator("#table tbody input")
    for k in range(3):
        boxes.nth(k).check()
    page.get_by_role("searchbox").fill("HYPERLINK")
    found = {int(box.get_attribute("data-row")) for box in boxes.all()}
    assert 0 < len(found) < 40 and set(drawn(page)["row"]) == found
    names = page.evaluate("() => JSON.parse(document.getElementById('data').textContent)")
    texts = zip(names["sample_id"], names["class_of"], names["path"], strict=True)
    assert found == {
        i
        for i, (name, of, path) in enumerate(texts)
        if any("hyperlink" in text.lower() for text in (name, names["classes"][of], path))
    }
    told = page.locator("#told")
    expect(told).to_contain_text(f"{len(found)} of 40 samples shown, 3 selected")
    expect(page.locator(".dt-info")).to_contain_text(f"of {len(found)} rows")
    page.get_by_role("searchbox").fill("no such sample")
    expect(told).to_have_text("0 of 40 samples shown, 3 selected, 3 of them not shown.")
    page.keyboard.press("Enter")  # sends no form
    page.get_by_role("button", name="Show all").click()
    expect(told).to_have_text("40 of 40 samples shown, 3 selected.")
    expect(page.get_by_role("searchbox")).to_have_value("")


@pytest.mark.parametrize("tool", ["BoxSelectTool", "LassoSelectTool"])
def test_dragging_over_the_plot_selects_and_fills_the_table(page, tool):
    page.evaluate(
        f"(type) => {PLOT}.toolbar.tools.find((tool) => tool.type === type).active = true", tool
    )
    places = page.evaluate(PLACES)
    xs, ys = (sorted(place[k] for place in places) for k in (1, 2))
    left, right, top, bottom = xs[8] - 3, xs[30] + 3, ys[5] - 3, ys[30] + 3
    inside = {row for row, x, y in places if left < x < right and top < y < bottom}
    around = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    drag(page, around if tool == "LassoSelectTool" else [around[0], around[2]])
    expect(page.locator("#told")).to_have_text(f"40 of 40 samples shown, {len(inside)} selected.")
    assert 3 < len(inside) < 40 and selected_rows(page) == inside
    expect(page.locator("#rows")).to_have_value("selected")
    page.get_by_role("combobox", name="rows a page").select_option("100")
    boxes = page.locator("#table tbody input")
    assert {int(box.get_attribute("data-row")) for box in boxes.all()} == inside
    assert all(box.is_checked() for box in boxes.all())
    page.get_by_role("button", name="Clear the selection").click()
    expect(page.locator("#told")).to_have_text("40 of 40 samples shown, 0 selected.")
    expect(page.locator("#rows")).to_have_value("found")
    assert selected_rows(page) == set()


def test_a_mark_that_is_clicked_is_selected_and_pointing_shows_it(page, tables):
    places = page.evaluate(PLACES)
    row, x, y = max(
        places,
        key=lambda found: min(
            np.hypot(found[1] - a, found[2] - b) for i, a, b in places if i != found[0]
        ),
    )
    page.mouse.move(x, y)
    expect(page.locator("#details dl")).to_contain_text("Variability of the confidence")
    expect(page.locator("#details .head p").last).to_have_text(tables[NET, 4]["split"][row])
    page.mouse.click(x, y)
    expect(page.locator("#told")).to_contain_text("1 selected")
    assert selected_rows(page) == {row}


def test_rows_that_are_ticked_are_marked_in_the_plot(page):
    boxes = page.locator("#table tbody input")
    chosen = {int(boxes.nth(k).get_attribute("data-row")) for k in (0, 3)}
    boxes.nth(0).check()
    boxes.nth(3).check()
    expect(page.locator("#told")).to_contain_text("2 selected")
    assert selected_rows(page) == chosen
    page.select_option("#rows", "selected")
    assert boxes.count() == 2
    page.get_by_role("searchbox").fill("")
    page.select_option("#rows", "found")
    boxes.nth(0).uncheck()
    expect(page.locator("#told")).to_contain_text("1 selected")


def test_a_row_that_has_the_focus_shows_image_label_path_and_histories(page, study, tables):
    box = page.locator("#table tbody input").nth(2)
    box.focus()
    row = int(box.get_attribute("data-row"))
    sample = tables[NET, 4].iloc[row]
    index = pd.read_parquet(study.index).set_index("sample_index").loc[sample["sample_index"]]
    details = page.locator("#details")
    expect(details.locator("dd").first).to_have_text(written(index["path"]))
    expect(details.locator(".head p").first).to_have_text(
        written(index["class_name"]) or "(no name)"
    )
    traces = [
        pd.read_parquet(path).query(f"sample_index == {sample['sample_index']}")
        for path in study.traces
    ]
    rasters = details.locator("svg")
    assert rasters.count() == 3
    for shown, place in enumerate((2, 1, 0)):  # in the order of names, then of seeds
        right = traces[place].sort_values("epoch")["correct"].tolist()
        assert rasters.nth(shown).locator(".held").get_attribute("d").count("M") == sum(right)
        losses = [str(e) for e in range(1, 6) if right[e - 1] and not right[e]]
        label = f"lost at epoch {', '.join(losses)}" if losses else None
        assert label in (None, rasters.nth(shown).get_attribute("aria-label"))
    assert thumbnail_colour(page, details.locator(".thumbnail")) == pytest.approx(
        colour_of(study, sample), abs=6
    )


def test_what_is_downloaded_is_in_the_tables(page, study, tables):
    page.select_option("#x_statistic", "hazard")
    page.select_option("#x_runs", label=f"{NET}, seed 4")
    page.select_option("#y_statistic", "loss_0")
    page.select_option("#y_runs", label=f"{BIG}, seed 0")
    table = download(page, page.locator("#download").click)
    table["sample_index"] = table["sample_index"].astype(int)
    index = pd.read_parquet(study.index).set_index("sample_index").loc[table["sample_index"]]
    assert len(table) == 40
    assert table["path"].tolist() == [guarded(text) for text in index["path"]]
    assert table["label"].astype(int).tolist() == index["label"].tolist()
    assert table["class_name"].tolist() == [guarded(text) for text in index["class_name"]]
    ids = [name or str(place) for place, name in index["sample_id"].items()]
    assert table["sample_id"].tolist() == [guarded(text) for text in ids]
    assert any(text.startswith("'=HYPERLINK") for text in table["sample_id"])
    net, big = tables[NET, 4], tables[BIG, 0]
    assert table["sample_index"].tolist() == net["sample_index"].tolist()
    np.testing.assert_array_equal(numbers(table[f"hazard, {NET}, seed 4"]), net["hazard"])
    np.testing.assert_array_equal(numbers(table[f"loss_0, {BIG}, seed 0"]), big["loss_0"])
    for name, key in ((NET, f"{NET}, seed 4"), (BIG, f"{BIG}, 2 seeds")):
        for status in ("never learned", "forgotten", "never forgotten"):
            expected = is_status(tables, name, status).tolist()
            assert (table[f"status, {key}"] == status).tolist() == expected


def test_the_keyboard_alone_leads_from_the_first_focus_to_the_download(page):
    def until(selector):
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate(f"() => document.activeElement.matches({selector!r})"):
                return
        raise AssertionError(f"Tab never came to {selector}")

    until(".skip")
    until("#x_statistic")
    page.keyboard.type("Hazard")
    until("#y_scale")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#caption")).to_contain_text("Horizontal: Hazard")
    assert page.evaluate(f"() => {PLOT}.y_scale.type") == "LogScale"
    until("#status_0")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    until("input[type=search]")
    page.keyboard.type("images")
    until("#table tbody input")
    page.keyboard.press("Space")
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowUp")
    boxes = page.locator("#table tbody input")
    expect(boxes.nth(1)).to_be_focused()
    name = boxes.nth(1).get_attribute("aria-label")
    assert page.locator("#details h2").inner_text()[:20] in name
    expect(page.locator("#told")).to_contain_text("2 selected")
    chosen = {int(boxes.nth(k).get_attribute("data-row")) for k in (0, 2)}
    assert selected_rows(page) <= chosen
    for _ in range(60):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("() => document.activeElement.id") == "download":
            break
    expect(page.locator("#download")).to_have_text("Download the 2 selected as CSV")
    assert len(download(page, lambda: page.keyboard.press("Enter"))) == 2
