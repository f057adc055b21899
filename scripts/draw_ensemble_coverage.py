"""Draw the figure of ensemble coverage from its table alone."""

from retention.common.errors import run_command
from retention.presentation.command import drawing_command
from retention.presentation.figures.ensemble_coverage import draw

main = drawing_command(draw, __doc__)

if __name__ == "__main__":
    run_command(main)
