"""Plant wrong labels in a copy of an index."""

from retention.commands.plant_labels import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
