"""The findings, a folder each: see `measuring.declaration`."""
