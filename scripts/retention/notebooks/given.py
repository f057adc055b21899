"""The functions that `import retention` gives, where the packages that they need are installed."""

from collections.abc import Callable

import pandas as pd

from retention.commands._extras import missing_extra

COMMANDS = {"describe": "describe_samples", "measure": "measure_finding"}


def given(name: str) -> Callable[..., pd.DataFrame]:
    """Return `describe` or `measure`; raise `UserError` that names the extra where a package is missing."""
    try:
        if name == "describe":
            from retention.notebooks.describing import describe

            return describe
        from retention.notebooks.findings import measure

        return measure
    except ModuleNotFoundError as error:
        raise missing_extra(COMMANDS[name], error) from error
