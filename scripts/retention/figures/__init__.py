"""Figures that belong to no finding, a folder each: see `measuring.declaration`."""
