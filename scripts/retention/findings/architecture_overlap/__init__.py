"""F1: overlap of the most-forgotten samples between and within architectures."""

from retention.measuring.declaration import Figure, Finding, Need, RunFiles

FINDING = Finding(
    number=1,
    question="Do two architectures forget the same samples?",
    reads={"samples": RunFiles("samples.parquet")},
    needs=(
        Need(
            "architectures",
            "it compares two architectures, and architectures names one",
            least=2,
        ),
    ),
    figures=(
        Figure(
            name="architecture_overlap",
            title="Overlap of the most-forgotten samples",
            caption=(
                "Overlap (Jaccard) of the most-forgotten samples between and within architectures. Compare with the bar "
                "(two random subsets) and the triangle (what the noise of the seeds allows)."
            ),
        ),
    ),
)
