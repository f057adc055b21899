"""Import traces that other code wrote, as one file of traces."""

from retention.commands.import_traces import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
