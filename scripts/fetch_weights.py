"""Fetch an architecture's pretrained weights from the timm hub into one safetensors file."""

from retention.commands.fetch_weights import main
from retention.common.errors import run_command

if __name__ == "__main__":
    run_command(main)
