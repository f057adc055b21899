"""Compiled functions work where what was compiled can be kept nowhere, as in an image without a home."""

import numba
from numba.core import caching

from retention.common.compiled import compiled


def half(x):
    return x / 2


def test_a_function_is_compiled_though_it_can_be_kept_nowhere(monkeypatch):
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    function = compiled()(half)
    assert isinstance(function, numba.core.registry.CPUDispatcher)
    assert function(3.0) == 1.5


def test_it_is_kept_where_it_can_be(monkeypatch, tmp_path):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert compiled()(half)(3.0) == 1.5
    assert list(tmp_path.rglob("*.nbc"))
