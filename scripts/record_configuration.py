"""Save the merged configuration beside the results it made."""

from retention.commands.record_configuration import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
