"""What a score varies by, in the words of figures, sentences and tables alike."""

SHARES = "variance_of_ranks_"  # how statistics of F3 that are shares of the variance begin
SOURCES = {
    "class": "the class",
    "sample": "the image within its class",
    "class_x_architecture": "the class, for one architecture",
    "sample_x_architecture": "the image, for one architecture",
    "seed": "the run as a whole",
    "class_x_seed": "the class, in one run",
    "residual": "the image in one run, and chance",
}


def source_in_words(statistic: str) -> str:
    """Return what a share of F3 is of, a source that is not known without underscores."""
    source = statistic.removeprefix(SHARES)
    return SOURCES.get(source, source.replace("_x_", " × ").replace("_", " "))
