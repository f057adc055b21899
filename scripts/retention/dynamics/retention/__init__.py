"""Retention traces: the curves derived from correctness that decay curves are fitted to, a module each.

Its `points` takes correct, bool [N, E], and returns (times [K], values [N, K], weights [N, K]), float;
weight 0 marks a point that does not exist. The forced point t = 0 is left out (not of `raw`).
"""
