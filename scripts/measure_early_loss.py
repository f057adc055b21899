"""Measure F5: does the loss after head warm-up tell what will be forgotten?"""

from retention.analysis.command import measuring_command
from retention.analysis.findings.early_loss import measure
from retention.common.errors import run_command

main = measuring_command(measure, __doc__)

if __name__ == "__main__":
    run_command(main)
