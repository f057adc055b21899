"""Processes of the tests start from one that has imported torch, or they would import it a hundred times."""

import pytest
from forked import end_as_preloaded, start


@pytest.mark.slow  # as all that need the server
def test_a_process_has_what_was_preloaded():
    process = start(end_as_preloaded)
    process.join()
    assert process.exitcode == 0
