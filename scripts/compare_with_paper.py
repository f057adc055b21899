"""Set our numbers beside the paper's, with prediction intervals and verdicts."""

from retention.commands.compare_with_paper import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
