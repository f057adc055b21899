"""The words of a summary that a newcomer can not know, each explained in a line where it occurs."""

import re
from collections.abc import Sequence
from typing import NamedTuple

HEADING = "Words"


class Word(NamedTuple):
    """A word, what it is searched by, and what it means."""

    name: str
    pattern: str
    meaning: str


# In an order in which each needs those before it alone.
WORDS = (
    Word(
        "Epoch 0",
        r"epoch[ -]0\b",
        "the network before its first epoch of training. In runs of this workflow its last layer may have been trained by then, the head warm-up",
    ),
    Word("Held out", r"held[ -]out", "of images that no run trains on"),
    Word(
        "Group",
        r"\bgroups\b",
        "images that belong together, such as those of one patient. An image without others is a group of its own",
    ),
    Word("Trace", r"\btraces?\b", "whether an image was right, epoch by epoch, in one run"),
    Word(
        "Hazard",
        r"\bhazard",
        "how often images are lost, of all the epochs at which they were right and could be lost by the next",
    ),
    Word(
        "Decay constant (λ)",
        r"decay constant|λ",
        "the rate of the curve that is fitted to an image's trace. The larger it is, the sooner the image is lost",
    ),
    Word(
        "R²",
        r"R²",
        "how well a curve fits a trace: 1 through every point, 0 as well as the trace's mean, below 0 worse",
    ),
    Word(
        "Excess",
        r"\bexcess\b",
        "by how much R² exceeds that of the same traces with their epochs shuffled",
    ),
    Word(
        "Jaccard overlap",
        r"Jaccard",
        "the images that two lists share, of all images in either: 0 for none, 1 for all",
    ),
    Word(
        "ρ",
        r"ρ",
        "rank correlation: 1 for equal rankings, 0 where neither tells of the other, −1 for opposite ones",
    ),
    Word(
        "φ", r"φ", "the same of answers that are yes or no, such as whether two networks are wrong"
    ),
    Word("W", r"\bW = ", "how far several rankings agree: 1 wholly, 0 not at all"),
    Word(
        "Noise ceiling",
        r"[Cc]eiling",
        "what the noise of the seeds leaves two networks to share. No more can be expected of them",
    ),
    Word(
        "95 % interval",
        r"95 % interval",
        "where the number may well lie. Behind it stands what varies: *new runs* have other seeds, *these runs* have not",
    ),
    Word(
        "Corrected p",
        r"[Cc]orrected p",
        "how often chance gives as much, corrected for the number of tests of the finding. A number with p below 0.05 is "
        "called *distinguishable from chance*",
    ),
)


def words_of(parts: Sequence[str]) -> list[str]:
    """Return a section of a summary with the words that its other parts have, a heading and a list; nothing for none.

    parts: what the summary says, as Markdown.
    """
    text = "\n".join(parts)
    told = [f"- **{one.name}**: {one.meaning}." for one in WORDS if re.search(one.pattern, text)]
    return [f"## {HEADING}", "\n".join(told)] if told else []
