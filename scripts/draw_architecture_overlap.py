"""Draw the figure of architecture overlap from its table alone."""

from retention.common.errors import run_command
from retention.presentation.command import drawing_command
from retention.presentation.figures.architecture_overlap import draw

main = drawing_command(draw, __doc__)

if __name__ == "__main__":
    run_command(main)
