"""Decode the images of a data set once into memory-mapped uint8 pixels."""

from retention.commands.cache_images import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
