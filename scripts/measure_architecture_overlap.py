"""Measure F1: do two architectures forget the same samples?"""

from retention.analysis.command import measuring_command
from retention.analysis.findings.architecture_overlap import measure
from retention.common.errors import run_command

main = measuring_command(measure, __doc__)

if __name__ == "__main__":
    run_command(main)
