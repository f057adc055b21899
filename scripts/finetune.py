"""Fine-tune one run and record every sample's trace; resumes where a stopped run was."""

from retention.commands.finetune import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
