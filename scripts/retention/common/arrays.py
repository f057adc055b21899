"""Arrays as .npy files."""

from pathlib import Path
from typing import Literal

import numpy as np

from retention.common.errors import UserError


def read_array(path: str | Path, mapped: Literal["r"] | None = None) -> np.ndarray:
    """Read an .npy file, memory-mapped where `mapped` is "r"; raise `UserError` where it is none."""
    try:
        return np.load(path, mmap_mode=mapped, allow_pickle=False)
    except FileNotFoundError as error:
        raise UserError(f"{path}: there is no such file") from error
    except (OSError, ValueError, EOFError) as error:
        text = " ".join(str(error).split())
        raise UserError(f"{path}: cannot be read as .npy ({text})") from error
