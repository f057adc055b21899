"""Compare the installed packages with the pins of requirements.txt; run inside any environment."""

from retention.commands.check_software import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
