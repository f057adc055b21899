"""Measure a finding: files of runs in, one table out."""

from retention.commands.measure_finding import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
