"""Measure F3: does a sample forgotten in one run get forgotten in the next?"""

from retention.analysis.command import measuring_command
from retention.analysis.findings.seed_stability import measure
from retention.common.errors import run_command

main = measuring_command(measure, __doc__)

if __name__ == "__main__":
    run_command(main)
