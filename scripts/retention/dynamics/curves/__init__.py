"""Decay curves, a module each: its `CURVE` is a `retention.dynamics.curve.Curve`."""
