"""The combinations that the declared choices give under a user's changes."""

import yaml
from configurations import CONFIG
from sources import ROOT

from retention.common.options import defaults
from retention.multiverse.choices import load_choices, plans_of
from retention.multiverse.combinations import combinations_of
from retention.multiverse.options import (
    complete_options,
)
from retention.workflow.configuration import load_study
from retention.workflow.recipes import merged

CHOICES = load_choices()


def listed(finding, statistics=None, most=500, **changes):
    """Return a finding's combinations under a user's changes."""
    options = complete_options({"findings": [finding], "most": most, **changes})
    plans = plans_of(CHOICES, options, {**defaults("statistics"), **(statistics or {})})
    return combinations_of(CHOICES, plans[finding], options["most"])


def study_of(text):
    return load_study(merged(CONFIG, yaml.safe_load(text)), ROOT)
