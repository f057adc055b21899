"""scipy.optimize.curve_fit of one trace after another, as a user's loop has it."""

import warnings
from collections.abc import Sequence

import numpy as np
from scipy.optimize import curve_fit

from retention.dynamics.curve import Curve
from retention.dynamics.estimates import Estimates, in_order

USUAL = {"a": 1.0, "decay_constant": 0.1, "c": 0.0}


def usual_start(curve: Curve) -> tuple[float, ...]:
    """Return a = 1, λ = 0.1 per epoch, c = 0, as far as the curve has them, in its order."""
    return tuple(USUAL[name] for name in curve.order)


def fitted(
    times: np.ndarray,
    values: np.ndarray,
    weights: np.ndarray,
    curve: Curve,
    start: Sequence[float],
    bounds: tuple[Sequence[float], Sequence[float]] | None = None,
) -> Estimates:
    """Return what curve_fit returns of the points that exist, bit for bit as a loop over the traces would.

    Its other options are scipy's defaults; sigma is 1/√weight where a trace's points do not all weigh 1. Failed is what raised (too many
    evaluations, fewer points than parameters) and what is not finite. Warnings of overflows and of covariances that
    can not be estimated are silenced: they say nothing of λ. A trace without a point is NaN, and not failed.
    """
    found = np.full((len(values), len(start)), np.nan)
    function, at = curve.as_written(times)
    options = {} if bounds is None else {"bounds": bounds}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for row, (y, w) in enumerate(zip(values, weights, strict=True)):
            exists = w > 0
            if not exists.any():
                continue
            weighing = {} if np.all(w[exists] == 1) else {"sigma": 1 / np.sqrt(w[exists])}
            try:
                found[row], _ = curve_fit(
                    function, at[exists], y[exists], p0=start, **weighing, **options
                )
            except (RuntimeError, TypeError, ValueError):
                continue
    found[~np.isfinite(found).all(axis=1)] = np.nan
    failed = np.isnan(found[:, 0]) & (weights > 0).any(axis=1)
    return in_order(curve, found)._replace(failed=failed)
