"""Train an architecture from scratch on a source data set, as a backbone to fine-tune."""

from retention.commands.pretrain_backbone import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
