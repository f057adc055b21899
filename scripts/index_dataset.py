"""List the images of a data set with stable ids, labels, groups and sizes; name the bad ones."""

from retention.commands.index_dataset import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
