"""Draw the figure of the treatment comparison from its table alone."""

from retention.common.errors import run_command
from retention.presentation.command import drawing_command
from retention.presentation.figures.treatment_comparison import draw

main = drawing_command(draw, __doc__)

if __name__ == "__main__":
    run_command(main)
