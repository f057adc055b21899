"""Decay constants of the same samples in two architectures: F1, sample by sample."""

from retention.measuring.declaration import DatasetFile, Figure

FIGURE = Figure(
    name="decay_constants_between_architectures",
    title="Decay constants of the same samples in two architectures",
    caption=(
        "Decay constant λ of each training sample in a run of one architecture against that in a run of another. A pair of architectures is a "
        "panel, all pairs of runs of different seeds are as one; the darker a bin, the more samples. The strips at 0 are of samples that were "
        "never lost in that run. On the line both are equal. ρ is the finding's rank correlation, with its 95 % interval."
    ),
    reads={
        "finding": DatasetFile("findings/architecture_overlap.csv"),
        "constants": DatasetFile("series/decay_constants.csv"),
    },
)
