"""Fetch a data set's files, check them and unpack them; record what was found."""

from retention.commands.fetch_dataset import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
