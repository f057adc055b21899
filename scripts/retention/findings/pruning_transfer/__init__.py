"""F8: whether the samples that one run's forgetting says to keep serve another run."""

from retention.measuring.declaration import PRUNED, Figure, Finding, Need, RunFiles

FINDING = Finding(
    number=8,
    question="Does one run's forgetting tell what another needs?",
    reads={
        "runs": RunFiles("run.yaml", "epochs.csv", "samples.parquet", "traces.parquet", of=PRUNED)
    },
    needs=(
        Need(
            "treatments",
            "treatments has no pruned one, such as keep_50_random and keep_50_next_seed",
            least=2,
        ),
        Need(
            "paired_pruning",
            "no pruned treatment stands beside random pruning of its keep_fraction, such as "
            "keep_50_next_seed beside keep_50_random",
        ),
    ),
    figures=(
        Figure(
            name="pruning_transfer",
            title="Pruning by one run's scores for another",
            caption=(
                "Accuracy when only a part of the training samples is kept, chosen by scores of the run itself, of another "
                "seed or of another architecture, beside as many chosen at random."
            ),
        ),
    ),
)
