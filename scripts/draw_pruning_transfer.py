"""Draw the figure of pruning transfer from its table alone."""

from retention.common.errors import run_command
from retention.presentation.command import drawing_command
from retention.presentation.figures.pruning_transfer import draw

main = drawing_command(draw, __doc__)

if __name__ == "__main__":
    run_command(main)
