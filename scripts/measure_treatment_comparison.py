"""Measure F7: does another choice of what is presented end in a better classifier?"""

from retention.analysis.findings.treatment_comparison import measure
from retention.analysis.treatment_command import comparing_command
from retention.common.errors import run_command

main = comparing_command(measure, __doc__)

if __name__ == "__main__":
    run_command(main)
