"""Rank samples by how probably their label is wrong."""

from retention.commands.rank_suspects import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
