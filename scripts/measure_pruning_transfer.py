"""Measure F8: do the samples that one run's forgetting says to keep serve another run?"""

from retention.analysis.findings.pruning_transfer import measure
from retention.analysis.treatment_command import comparing_command
from retention.common.errors import run_command

main = comparing_command(measure, __doc__)

if __name__ == "__main__":
    run_command(main)
