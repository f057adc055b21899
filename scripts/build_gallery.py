"""Build a gallery: the most forgotten, never forgotten and never learned samples as pages."""

from retention.commands.build_gallery import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
