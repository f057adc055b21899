"""Titles take the place of names in the summary, everywhere alike, and never make two networks one."""

import pandas as pd
import pytest
from finding_rows import agreement, comparison, hazards, overlap, rows_of, run_of
from no_paper import NO_PAPER

from retention.commands._look import read_titles as titles_of
from retention.common.errors import UserError
from retention.reporting.naming import distinct, in_titles, with_titles
from retention.reporting.summary import write

AUDIT = pd.DataFrame({"architecture": ["cnn vs vit", "plain"], "value": [0.5, 0.1]})
FINDINGS = pd.concat(
    [
        rows_of("seed_stability", *agreement("cnn", 0.5, 0.01), *agreement("vit", 0.5, 0.3)),
        rows_of("architecture_overlap", overlap("cnn", "vit", 0.3, 0.01)),
        rows_of("treatment_comparison", comparison("reviews", "random", "better", 0.03, 0.01)),
    ],
    ignore_index=True,
)


def test_every_name_in_a_comparison_has_its_title():
    titles = {"a": "A", "b": "B", "none": "never"}
    told = in_titles("a: b minus a + c vs b", titles)
    assert told == "A: B minus A + c vs B"
    assert in_titles("ab minus a b", titles) == "ab minus a b"


def test_a_title_that_two_names_share_is_followed_by_the_name():
    assert distinct({"a": "net", "b": "net", "c": "C"}, "abcd") == {
        "a": "net (a)",
        "b": "net (b)",
        "c": "C",
    }
    assert distinct({"a": "b"}, "ab") == {"a": "b (a)"}
    assert distinct({"a": "net", "z": "net"}, "ab") == {"a": "net"}


def test_rows_keep_all_but_their_names():
    told = with_titles(FINDINGS, {"cnn": "ResNet-18"})
    same = [name for name in FINDINGS if name not in ("architecture", "comparison")]
    pd.testing.assert_frame_equal(told[same], FINDINGS[same], check_dtype=False)
    assert told["architecture"].dropna().unique().tolist() == ["ResNet-18", "vit"]
    pd.testing.assert_frame_equal(with_titles(FINDINGS, {}), FINDINGS, check_dtype=False)


def test_a_class_that_is_called_as_a_network_keeps_its_name():
    row = hazards("cnn", 0.1)[0] | {"comparison": "cnn: cnn"}
    (told,) = with_titles(rows_of("class_forgetting", row), {"cnn": "ResNet-18"})["comparison"]
    assert told == "ResNet-18: cnn"


@pytest.mark.parametrize("titles", ["{", "[1]", '{"a": 1}', '{"a": " "}'])
def test_titles_that_are_no_map_of_texts_are_refused_in_one_line(titles):
    with pytest.raises(UserError, match="--titles: expected JSON of texts by name") as error:
        titles_of(titles)
    assert "\n" not in str(error.value)
    assert titles_of('{"a": "A b"}') == {"a": "A b"}


def test_the_summary_says_titles_where_it_said_names():
    runs = [run_of(name, seed) for name in ("cnn", "vit", "plain") for seed in (0, 1)]
    titles = {
        "cnn": "ResNet-18",
        "plain": "Plain net",
        "reviews": "spaced reviews",
        "other": "never",
    }
    text = write(FINDINGS, NO_PAPER, AUDIT, runs, {}, controls=["plain"], titles=titles)
    assert "**ResNet-18** and **vit** were fine-tuned" in text
    assert "**Plain net** is a control" in text
    assert "| ResNet-18 vs vit | 0.50 |" in text
    assert "| d | ResNet-18 | yes | 2 |" in text
    assert "with spaced reviews than with random (vit" in text
    assert not {"cnn", "plain", "reviews:"} & set(text.replace("|", " ").replace("*", " ").split())
    plain = write(FINDINGS, NO_PAPER, AUDIT, runs, {}, controls=["plain"])
    assert "**cnn** and **vit** were fine-tuned" in plain
