"""Estimators: ways to fit a decay curve to traces, a module each.

Its `estimate(times [K], values [N, K], weights [N, K], curve)` takes distinct traces, float, weight 0 marking a point
that does not exist, and a `retention.dynamics.curve.Curve`. It returns `retention.dynamics.estimates.Estimates`.

A module may say more:

- `ITERATIVE = True`: of a trace without variance it returns where an optimiser happened to stop.
- `start(curve)`: where its optimiser begins, the parameters in the order of `curve.order`. It can fail then.
- `refused(curve)`: why it can not fit a curve, "" where it can.
"""
