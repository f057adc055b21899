"""Traces that the code of others wrote: a module per format, with `read`, found by the name that `--format` takes."""
