"""Shares of variance on runs whose variance is planted, source by source."""

import numpy as np
import pytest

from retention.statistics.variance_components import shares


@pytest.mark.parametrize("architectures", [2, 3])
def test_what_comes_back_is_the_correlation_of_two_seeds(architectures):
    """Half of each run's variance is its samples', in each architecture its own; half is noise."""
    draws = np.random.default_rng(architectures)
    classes = np.repeat(np.arange(10), 100)
    own = draws.normal(size=(architectures, 1, 1000))
    values = own + draws.normal(size=(architectures, 4, 1000))
    found = {k: i.estimate for k, i in shares(values, classes, np.arange(1000)).items()}
    between_seeds = np.mean([np.corrcoef(one)[np.triu_indices(4, 1)] for one in values])
    assert found["residual"] == pytest.approx(0.5, abs=0.02)
    assert found["residual"] == pytest.approx(1 - between_seeds, abs=0.01)
    assert found["sample"] == pytest.approx(0.5 / architectures, abs=0.03)
    assert sum(found.values()) == pytest.approx(1)
