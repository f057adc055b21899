"""Split a data set into training and held-out samples and count the classes."""

from retention.commands.split_dataset import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
