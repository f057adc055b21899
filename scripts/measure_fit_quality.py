"""Measure F2: how well does an exponential describe a sample's retention?"""

from retention.analysis.command import measuring_command
from retention.analysis.findings.fit_quality import measure
from retention.common.errors import run_command

main = measuring_command(measure, __doc__)

if __name__ == "__main__":
    run_command(main)
