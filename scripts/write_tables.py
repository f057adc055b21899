"""Write the study in plain sentences from its tables."""

from retention.commands.write_tables import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
