"""What data call themselves is text in summary and tables: read whole, and never code."""

import pandas as pd
import pytest
from finding_rows import agreement, comparison, hazards, overlap, rows_of, run_of
from hostile import NAMES, TURNED, Page
from markdown_it import MarkdownIt

from retention.common.compared import COMPARED
from retention.reporting.summary import write

PLAIN = {"h1", "h2", "p", "ul", "li", "strong", "em"} | {
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}


def page_of(text: str) -> Page:
    """Return what a reader of Markdown sees that lets HTML through."""
    return Page(
        MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)
    )


def summary_of(name: str, last_accuracy: float = 0.1) -> str:
    """Return the summary of a study whose data set, architecture, class and treatment have one name.

    last_accuracy: of its last run, which with 0.1 went wrong.
    """
    rows = comparison(name, "random", "better", 0.03, 0.01)
    rows |= {"comparison": f"{name}: {name} minus random", "architecture": name}
    classes = [
        row | {"comparison": f"{name}: {name}{place}"}
        for place, row in enumerate(hazards(name, 0.1, 0.2))
    ]
    tables = [
        rows_of(
            "seed_stability",
            *agreement(name, 0.5, 0.01, note=f"seed 1 of {name} forgot nothing"),
            dataset=name,
        ),
        rows_of("architecture_overlap", overlap(name, "vit", 0.3, 0.01), dataset=name),
        rows_of("class_forgetting", *classes, dataset=name),
        rows_of("treatment_comparison", rows, dataset=name),
    ]
    runs = [
        run_of(name, 0, dataset=name),
        run_of(name, 1, name, dataset=name),
        run_of("c" + name, 0, dataset=name),
    ]
    runs += [run_of(name, 2, dataset=name, final_train_accuracy=last_accuracy)]
    audit = pd.DataFrame({"architecture": [name], "value": [0.5]})
    numbers = {"estimate": 0.5, "low": 0.1, "high": 0.9}
    compared = dict.fromkeys(COMPARED, name) | {"finding": "seed_stability"} | numbers
    data = {
        name: (pd.DataFrame({"train": [3], "test": [1]}), pd.DataFrame({"across_splits": [True]}))
    }
    whole = pd.concat(tables, ignore_index=True)
    left_out = {"pruning_transfer": f"no arm beside {name}"}
    return write(
        whole,
        pd.DataFrame([compared]),
        audit,
        runs,
        data,
        left_out,
        ["c" + name],
        [f"note on {name}"],
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_read_whole_in_the_summary_and_is_no_code(name):
    text = summary_of(name)
    page = page_of(text)
    assert page.tags <= PLAIN
    sections = {line for line in page.text.splitlines() if line.strip()}
    for told in (
        f"{name} was fine-tuned on {name} (1,200 training",
        f"c{name} is a control",
        f"{name}, {name}, random, seed 2: accuracy 0.50 at epoch 0",
        f"most forgotten of 2 classes is {name}1, n = 10",
        f"Seed 1 of {name} forgot nothing",
        f"Left out: no arm beside {name}.",
        f"note on {name}",
        f"Is it the same samples in the next run? ({name})",
    ):
        assert any(told in line for line in sections), told


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_read_whole_in_what_was_found(name):
    page = page_of(summary_of(name, last_accuracy=0.9))
    assert page.tags <= PLAIN
    for told in (
        f"more of their most forgotten images in common than by chance: {name} vs vit (overlap 0.30",
        f"Images that one run forgets much, runs of other seeds forget much, too: {name} (rank correlation 0.50)",
        f"Final accuracy is higher with {name} than with random ({name}, by 0.030)",
    ):
        assert told in page.text, told


def test_what_turns_a_line_is_shown_as_an_escape():
    hostile, shown = TURNED
    text = summary_of(hostile)
    assert "\u202e" not in text
    assert f"{shown} was fine-tuned on {shown}" in page_of(text).text


@pytest.mark.parametrize("name", ["", "  "])
def test_a_class_whose_name_is_blank_is_named(name):
    rows = [row | {"comparison": f"vit: {name}"} for row in hazards("vit", 0.2)]
    rows += hazards("vit", 0.1)
    audit = pd.DataFrame({"architecture": ["vit"], "value": [0.5]})
    paper = pd.DataFrame(columns=COMPARED)
    text = write(rows_of("class_forgetting", *rows), paper, audit, [], {})
    assert f"most forgotten of 2 classes is '{name}', n = 10" in page_of(text).text
