"""List the runs whose training code has changed since they were made."""

from retention.commands.audit_code_versions import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
