"""F3: whether the samples that one run forgets are forgotten in the next."""

from retention.measuring.declaration import Figure, Finding, Need, RunFiles

FINDING = Finding(
    number=3,
    question="Is it the same samples in the next run?",
    reads={"samples": RunFiles("samples.parquet")},
    needs=(Need("seeds", "it compares pairs of seeds, and seeds names one", least=2),),
    figures=(
        Figure(
            name="seed_stability",
            title="Agreement of forgetting between seeds",
            caption=(
                "Agreement of forgetting between seeds. Split-half is the agreement of odd and even epochs within one run; "
                "it is no ceiling."
            ),
        ),
    ),
)
