"""What the server of `forked.py` does before it forks: the imports of the tests' processes, those of numba's first call too."""

import numba
import pytest  # noqa: F401
import small_run  # noqa: F401
import sources  # noqa: F401
import two_recorders  # noqa: F401

numba.njit(lambda: 0)()
READY = True
