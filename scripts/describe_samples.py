"""Describe what happened to each sample of a run: forgetting events, hazard, decay constants."""

from retention.commands.describe_samples import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
