"""Build the page on which every sample can be plotted, filtered, searched and downloaded."""

from retention.commands.build_explorer import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
