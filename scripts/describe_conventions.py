"""Count what others count of the same traces."""

from retention.commands.describe_conventions import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
