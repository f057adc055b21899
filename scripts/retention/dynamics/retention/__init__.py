"""Retention traces: the curves derived from correctness that decay curves are fitted to, a module each.

Its `points` takes correct, bool [N, E], and returns (times [K], values [N, K], weights [N, K]), float;
weight 0 marks a point that does not exist. The forced point t = 0 is left out (not of `raw` and `from_first_loss`).

A module may say more:

- `NEEDS = "confidence"`: its functions are called with (correct, confidence), the latter float [N, E].
- `start`, a function of the same arguments: the value at t = 0, float [N], NaN where there is none. It
  belongs to traces whose times count from first learned; of the others no point t = 0 is left out.
- `SINGLE = True`: its points are single evaluations, one after another, so that they can be smoothed.
"""
