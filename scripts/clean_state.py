"""Delete what unfinished runs left to resume from, except that of runs still going on."""

from retention.commands.clean_state import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
