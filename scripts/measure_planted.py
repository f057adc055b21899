"""Measure what a ranking finds of labels that were planted wrong."""

from retention.commands.measure_planted import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
