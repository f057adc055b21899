"""Say which definitions give numbers like the paper's reported ones here."""

from retention.commands.match_reported import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
