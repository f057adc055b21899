"""Draw the figure of early loss from its table alone."""

from retention.common.errors import run_command
from retention.presentation.command import drawing_command
from retention.presentation.figures.early_loss import draw

main = drawing_command(draw, __doc__)

if __name__ == "__main__":
    run_command(main)
