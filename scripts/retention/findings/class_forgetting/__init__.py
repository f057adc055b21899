"""F4: which classes are forgotten, how stable that is, and whether look-alikes explain it."""

from retention.findings.class_forgetting.families import parse_families
from retention.measuring.declaration import Figure, Finding, RunFiles, Setting

FINDING = Finding(
    number=4,
    question="Which classes are forgotten?",
    reads={
        "samples": RunFiles("samples.parquet"),
        "confusions": RunFiles("confusions.csv", optional=True),
        "centroids": RunFiles("class_centroids.npy", optional=True),
    },
    settings={
        "families": Setting(parse_families, '"last_word", or JSON {class: family}'),
    },
    figures=(
        Figure(
            name="class_forgetting",
            title="Hazard of forgetting by class",
            caption=(
                "Hazard of forgetting by class, in one order for all architectures; W is the agreement of the runs' "
                "class rankings."
            ),
        ),
    ),
)
