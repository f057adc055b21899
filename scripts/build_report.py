"""Build the report of a study: a page to begin with and all that it leads to, in one zip."""

from retention.commands.build_report import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
