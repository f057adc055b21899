"""Take the traces of a training of your own into a study, as those of one of its runs."""

from retention.commands.take_traces import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
