"""F7: whether another choice of what is presented ends in a better classifier."""

from retention.measuring.declaration import UNPRUNED, Figure, Finding, Need, RunFiles

FINDING = Finding(
    number=7,
    question="Does it help to present what is forgotten more often?",
    reads={
        "runs": RunFiles("run.yaml", "epochs.csv", "samples.parquet", "traces.parquet", of=UNPRUNED)
    },
    needs=(
        Need(
            "treatments",
            "treatments has none to compare with random, such as spaced_repetition",
            least=2,
        ),
    ),
    figures=(
        Figure(
            name="treatment_comparison",
            title="Treatments against their baselines",
            caption=(
                "Each treatment against its baselines, paired by seed. Equivalent: the 90 % interval lies inside the margin "
                "that was fixed beforehand; identical: no seed differs; undecided: the seeds do not suffice."
            ),
        ),
    ),
)
