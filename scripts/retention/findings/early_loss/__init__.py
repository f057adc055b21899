"""F5: whether the loss after head warm-up tells what will be forgotten."""

from retention.measuring.declaration import Figure, Finding, Need, RunFiles

FINDING = Finding(
    number=5,
    question="Does the early loss tell?",
    reads={"samples": RunFiles("samples.parquet")},
    needs=(
        Need(
            "warm_up",
            "without a head warm-up (recipes: head_warmup.epochs) the loss at epoch 0 is that of a random head",
        ),
    ),
    figures=(
        Figure(
            name="early_loss",
            title="Early loss against later decay",
            caption=(
                "Rank correlation of the loss after head warm-up with the decay constant of the later epochs, within a run, "
                "with the class taken off, and across seeds."
            ),
        ),
    ),
)
