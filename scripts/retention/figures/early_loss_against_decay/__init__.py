"""The loss after head warm-up against the later decay constant: F5, sample by sample."""

from retention.measuring.declaration import DatasetFile, Figure

FIGURE = Figure(
    name="early_loss_against_decay",
    title="Loss after head warm-up against the later decay constant",
    caption=(
        "Loss of each training sample at epoch 0, in runs of this workflow the end of the head warm-up, against its decay constant λ "
        "from epoch 1 on in the same run. An "
        "architecture is a panel, all seeds are as one; the darker a bin, the more samples. The strip at 0 is of samples that were never lost "
        "later. The line is the median of λ of samples of about one loss, the band reaches over their quartiles. ρ is the finding's rank "
        "correlation within a run, with its 95 % interval."
    ),
    reads={
        "finding": DatasetFile("findings/early_loss.csv"),
        "losses": DatasetFile("series/early_loss_against_decay.csv"),
    },
)
