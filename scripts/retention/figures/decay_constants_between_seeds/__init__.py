"""Decay constants of the same samples in two seeds: F3, sample by sample."""

from retention.measuring.declaration import DatasetFile, Figure

FIGURE = Figure(
    name="decay_constants_between_seeds",
    title="Decay constants of the same samples in two seeds",
    caption=(
        "Decay constant λ of each training sample in one seed against that in another. An architecture is a panel, all pairs of seeds are as "
        "one; the darker a bin, the more samples. The strips at 0 are of samples that were never lost in that run. On the line both are equal. "
        "ρ is the finding's rank correlation, with its 95 % interval."
    ),
    reads={
        "finding": DatasetFile("findings/seed_stability.csv"),
        "constants": DatasetFile("series/decay_constants.csv"),
    },
)
