"""The words that a summary explains: those that it has, each before it is met."""

import re

import pandas as pd
import pytest
from finding_rows import agreement, overlap, rows_of
from no_paper import NO_PAPER

from retention.pages.markdown import sections_of
from retention.reporting.explained import HEADING, WORDS, words_of
from retention.reporting.summary import write

AUDIT = pd.DataFrame({"check": ["a"], "verdict": ["coherent"]})


def explained(parts):
    """Return the words that are explained, in their order."""
    return re.findall(r"^- \*\*(.*?)\*\*: ", "\n".join(words_of(parts)), re.MULTILINE)


def test_a_word_is_explained_where_it_occurs_and_nowhere_else():
    assert words_of(["Nothing of the kind, no tracer and no hazel."]) == []
    assert explained(["two traces", "a Jaccard of 0.3 (corrected p = 0.04)"]) == [
        "Trace",
        "Jaccard overlap",
        "Corrected p",
    ]
    assert explained(["the hazards, an epoch-0 accuracy"]) == ["Epoch 0", "Hazard"]


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.name)
def test_what_a_word_means_is_short_and_needs_no_word_that_comes_later(word):
    sentences = word.meaning.split(". ")
    assert all(len(sentence.split()) <= 25 for sentence in sentences)
    later = WORDS[WORDS.index(word) + 1 :]
    assert not [one.name for one in later if re.search(one.pattern, word.meaning)]


def test_words_stand_before_the_first_finding_and_are_those_of_the_findings():
    tables = [
        rows_of("architecture_overlap", overlap("a", "b", 0.3, 0.01)),
        rows_of("seed_stability", *agreement("a", 0.5, 0.01)),
    ]
    text = write(pd.concat(tables), NO_PAPER, AUDIT, [], {})
    titles = [section.text for section in sections_of(text)[1]]
    assert titles.index(HEADING) < next(i for i, name in enumerate(titles) if name.startswith("F1"))
    section = text.partition(f"## {HEADING}\n")[2].partition("\n## ")[0]
    assert "- **Jaccard overlap**: " in section and "- **ρ**: " in section
    assert "R²" not in section and "Hazard" not in section
