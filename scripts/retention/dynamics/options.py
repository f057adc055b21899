"""What `--dynamics` of describe_samples takes: the further fits and the shuffles of the null."""

import json
from collections.abc import Mapping, Sequence

from retention.common.errors import UserError
from retention.common.parts import part_names

DYNAMICS = {"fits": [{"retention": "aligned", "curve": "exponential"}], "shuffles": 100}
KNOWN = {
    "retention": part_names("retention.dynamics.retention"),
    "curve": part_names("retention.dynamics.curves"),
}


def dynamics_of(text: str) -> dict:
    """Return the options from JSON, `DYNAMICS` where it is silent; raise `UserError` for others."""
    try:
        options = DYNAMICS | json.loads(text)
    except (json.JSONDecodeError, TypeError, ValueError) as error:
        raise UserError(
            f"--dynamics: {text!r} is no JSON object, such as '{{\"shuffles\": 500}}' ({error})"
        ) from error
    unknown = sorted(set(options) - set(DYNAMICS))
    if unknown:
        raise UserError(f"--dynamics: knows no {', '.join(unknown)}; it takes fits, shuffles")
    shuffles = options["shuffles"]
    if not isinstance(shuffles, int) or isinstance(shuffles, bool) or shuffles < 0:
        raise UserError(f"--dynamics: shuffles is {shuffles!r}; expected a whole number, 0 or more")
    _check_fits(options["fits"])
    return options


def _check_fits(fits: Sequence[Mapping]) -> None:
    if not isinstance(fits, list):
        raise UserError(f"--dynamics: fits is {fits!r}; expected a list")
    for choice in fits:
        if not isinstance(choice, dict) or set(choice) != set(KNOWN):
            raise UserError(
                f"--dynamics: fits: {json.dumps(choice)} should have retention and curve, no more"
            )
        for key, known in KNOWN.items():
            if choice[key] not in known:
                raise UserError(
                    f"--dynamics: fits: {key} {choice[key]!r} is unknown; known are {', '.join(known)}"
                )
        if fits.count(choice) > 1:
            raise UserError(f"--dynamics: fits: {json.dumps(choice)} stands there twice")
