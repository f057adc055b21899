"""F6: whether networks of different architectures hold what one architecture does not."""

from retention.measuring.declaration import Figure, Finding, Need, RunFiles

FINDING = Finding(
    number=6,
    question="Do different architectures hold different samples?",
    reads={
        "samples": RunFiles("samples.parquet"),
        "probabilities": RunFiles("probabilities.npy"),
    },
    needs=(
        Need("probabilities", "it averages probabilities, and store.probabilities is none"),
        Need(
            "runs", "an ensemble needs two runs, by another seed or another architecture", least=2
        ),
    ),
    figures=(
        Figure(
            name="ensemble_coverage",
            title="Samples held by ensembles",
            caption=(
                "Share of the samples that two or three networks hold together, mixed and of one architecture. Members of "
                "unequal accuracy gain by that alone: the second row compares with the more accurate architecture, and "
                "describes ensembles about as accurate."
            ),
        ),
    ),
)
