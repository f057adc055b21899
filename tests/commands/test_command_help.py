"""What a command says of itself under --help."""

from importlib import import_module
from pkgutil import iter_modules

import pytest

from retention import commands


def described():
    """Return the commands that show an example in their help."""
    names = [one.name for one in iter_modules(commands.__path__) if not one.name.startswith("_")]
    modules = [import_module(f"retention.commands.{name}") for name in names]
    return [one for one in modules if "\n    " in one.__doc__ and hasattr(one, "parser")]


@pytest.mark.parametrize("module", described(), ids=lambda module: module.__name__.split(".")[-1])
def test_an_example_stands_on_lines_of_its_own(module):
    told = module.parser().format_help().splitlines()
    assert [line for line in module.__doc__.splitlines() if line not in told] == []


def test_examples_are_found():
    assert {"measure_multiverse", "match_reported"} <= {
        module.__name__.split(".")[-1] for module in described()
    }
