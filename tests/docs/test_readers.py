"""What docs/suspects.md says of the photographs that were read is what the stored judgements say."""

import pandas as pd
import pytest
from scipy.stats import binomtest, fisher_exact
from sources import ROOT

from retention.common.csv_tables import read_csv

ORDERS = {  # words of the page → how the photographs were chosen
    "first in `suspects.csv`, two runs": "error_norm",
    "of the classes with the largest held-out error": "class error",
    "of the rarest classes": "class frequency",
    "at random from the rest": "random",
}
READ = 50


@pytest.fixture(scope="module")
def wrong():
    """Return how many photographs of each order both readers call wrong, by class."""
    table = read_csv(ROOT / "docs/readers_example.csv")
    assert (table["chosen"].value_counts() == READ).all()
    assert set(table["reader_1"]) | set(table["reader_2"]) == {"right", "wrong", "doubtful"}
    both = table[(table["reader_1"] == "wrong") & (table["reader_2"] == "wrong")]
    return both.groupby(["chosen", "class_name"]).size()


@pytest.fixture(scope="module")
def section():
    page = (ROOT / "docs/suspects.md").read_text(encoding="utf-8")
    return page.split("### Tried on photographs\n")[1].split("\n## ")[0]


def test_the_table_counts_what_both_readers_call_wrong(wrong, section):
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    counts = wrong.groupby("chosen").sum()
    expected = []
    for words, order in ORDERS.items():
        interval = binomtest(int(counts[order]), READ).proportion_ci(method="exact")
        low, high = round(100 * interval.low), round(100 * interval.high)
        expected.append([words, str(counts[order]), f"{low} to {high} %"])
    assert rows[1:] == expected


def test_the_sentences_are_what_the_counts_say(wrong, section):
    counts = wrong.groupby("chosen").sum()

    def p_against(order):
        ours = [counts["error_norm"], READ - counts["error_norm"]]
        return fisher_exact([ours, [counts[order], READ - counts[order]]]).pvalue

    assert p_against("random") < 0.001
    assert f"rarest classes (p = {p_against('class frequency'):.2f})" in section
    assert f"(p = {p_against('class error'):.2f})" in section
    of_ranking = wrong["error_norm"]
    assert len(of_ranking) == 6 and of_ranking["Not sure"] == of_ranking.sum() / 2
    assert f"**{READ - counts['error_norm']} of {READ} were not wrong to both.**" in section
    table = pd.read_csv(ROOT / "docs/readers_example.csv")
    assert set(table.loc[table["chosen"] == "class error", "class_name"]) == {
        "Other",
        "Skip",
        "Blouse",
    }
