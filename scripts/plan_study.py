"""Write what a study will cost, hours, jobs, disk and files, before anything is trained."""

from retention.commands.plan_study import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
