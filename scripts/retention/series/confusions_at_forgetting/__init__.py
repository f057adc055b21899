"""What the samples of each class are taken for when they are lost."""

from retention.findings.class_forgetting.families import parse_families
from retention.measuring.declaration import RunFiles, Setting
from retention.measuring.series import Series

SERIES = Series(
    what="what training samples of each class are taken for at their forgetting events, alike classes beside each other",
    reads={"samples": RunFiles("samples.parquet"), "confusions": RunFiles("confusions.csv")},
    settings={"families": Setting(parse_families, '"last_word", or JSON {class: family}')},
)
