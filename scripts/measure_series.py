"""Measure a series: files of runs in, the table out that a figure is drawn from."""

from retention.commands.measure_series import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
