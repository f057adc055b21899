"""Measure every finding under every analytic choice."""

from retention.commands.measure_multiverse import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
