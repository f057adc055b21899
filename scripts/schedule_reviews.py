"""Schedule how often each training sample is presented in each epoch of a run, from scores of other runs."""

from retention.commands.schedule_reviews import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
