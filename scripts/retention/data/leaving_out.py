"""Keys of a definition that let a data set be read without some of its files."""

import math
from collections.abc import Mapping

from retention.common.options import complete


def allowing(share: float) -> str:
    """Return a value of `max_left_out`, in hundredths, that allows a share of the files."""
    return f"{math.ceil(share * 100) / 100:g}"


def quarantining(definition: Mapping, share: float) -> str:
    """Return which keys to set so that a share of the files, which cannot be read, is left out."""
    enough = share <= complete("dataset", definition)["max_left_out"]
    more = "" if enough else f" with max_left_out: {allowing(share)}"
    return f"set on_bad_image: quarantine{more} to go on without them"
