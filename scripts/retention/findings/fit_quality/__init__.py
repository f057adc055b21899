"""F2: how well a decay curve describes retention, beside what it reaches on shuffled traces."""

from retention.measuring.declaration import Figure, Finding, RunFiles

FINDING = Finding(
    number=2,
    question="Is forgetting an exponential decay?",
    reads={"samples": RunFiles("samples.parquet")},
    figures=(
        Figure(
            name="fit_quality",
            title="R² of the decay fits",
            caption=(
                "Mean R² of the per-sample exponential decay, beside that of the same traces with their epochs shuffled. "
                "Only the excess over the bar speaks of decay."
            ),
        ),
    ),
)
