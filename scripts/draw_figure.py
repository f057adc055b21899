"""Draw a figure: the tables that it reads in, files out."""

from retention.commands.draw_figure import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
