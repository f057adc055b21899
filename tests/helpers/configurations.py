"""The configurations that the sources hold: of the paper's study, of the embedded one, of a cluster."""

import yaml
from sources import ROOT

from retention.workflow.recipes import merged

CONFIG = yaml.safe_load((ROOT / "config.yaml").read_text())


def embedded_study() -> dict:
    return merged(CONFIG, yaml.safe_load((ROOT / "examples/digits/config.yaml").read_text()))


SITE = yaml.safe_load((ROOT / "slurm/site.yaml").read_text())
