"""Write the configuration of a study of traces that were recorded elsewhere."""

from retention.commands.configure_traces import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
