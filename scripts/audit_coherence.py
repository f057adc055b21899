"""Hold the findings against each other."""

from retention.commands.audit_coherence import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
