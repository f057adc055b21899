"""Say which of the paper's reported numbers can hold together, without any data."""

from retention.commands.check_reported import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
