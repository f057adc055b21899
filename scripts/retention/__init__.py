"""Which images does a fine-tuned classifier forget? The library behind the workflow."""

from pathlib import Path

# A file of its own: every job's digest covers this module, and a new version reruns nothing.
__version__ = (Path(__file__).parent / "VERSION").read_text(encoding="utf-8").strip()
