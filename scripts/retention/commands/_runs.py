"""run.yaml of runs on command lines."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from retention.common.errors import UserError
from retention.common.lists import listed

# What summary and tables tell of every run.
NEEDED = (
    "dataset",
    "architecture",
    "treatment",
    "treatment_definition",
    "seed",
    "pretrained",
    "initial_train_accuracy",
    "final_train_accuracy",
    "initial_test_accuracy",
    "final_test_accuracy",
    "final_test_balanced_accuracy",
)


def read_runs(paths: Sequence[Path]) -> list[dict]:
    """Return run.yaml of each run; raise `UserError` for a file that is none."""
    return [_read(path) for path in paths]


def _read(path: Path) -> dict:
    try:
        run = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: is no YAML file; name run.yaml of finished runs") from error
    if not isinstance(run, dict):
        raise UserError(f"{path}: holds no map; name run.yaml of finished runs")
    if lacking := [name for name in NEEDED if name not in run]:
        raise UserError(f"{path}: lacks {listed(lacking)}; name run.yaml of finished runs")
    return run
