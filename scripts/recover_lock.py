"""After a Snakemake was killed: cancel the cluster jobs it left, and take away its lock."""

from retention.commands.recover_lock import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
