"""Overlap of the most-forgotten samples at every size of the list."""

from retention.measuring.declaration import DatasetFile, Figure

FIGURE = Figure(
    name="overlap_against_fraction",
    title="Overlap of the most-forgotten samples against the size of the list",
    caption=(
        "Overlap (Jaccard) of the most-forgotten samples of two runs against the share of the samples that counts as most "
        "forgotten. A thin line is a pair of runs, a thick one their mean; the grey line and band are the expectation and the central "
        "95 % of two random lists. Lines are dotted where ties leave most places of the list to chance: there they can not tell "
        "agreement from none. The upright line is the share that the study's findings use. Between architectures runs of one seed are "
        "paired, too, which F1 counts apart."
    ),
    reads={"overlaps": DatasetFile("series/overlap_against_fraction.csv")},
)
