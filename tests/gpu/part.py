"""One part of `run.py` in a process of its own: a check or a measurement by its name.

    python part.py NAME FOLDER DEVICE

Writes FOLDER/NAME/facts.json, also where the part fails.
"""

import importlib
import json
import sys
import traceback
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Where each part is, and which network it measures; a part imports what it needs alone.
PARTS = {
    "device": ("speed", "describe"),
    "same_bytes": ("checks", "same_bytes"),
    "resume": ("job_checks", "resume"),
    "batches": ("checks", "batches"),
    "close_calls": ("checks", "close_calls"),
    "out_of_memory": ("checks", "out_of_memory"),
    "sharing": ("job_checks", "sharing"),
    "fp16": ("checks", "fp16"),
    "saver": ("checks", "saver"),
    "images": ("speed", "images"),
    "ours_convolutions": ("speed", "ours", 0),
    "plain_convolutions": ("speed", "plain", 0),
    "ours_attention": ("speed", "ours", 1),
    "plain_attention": ("speed", "plain", 1),
}


def main(name: str, folder: Path, kind: str) -> None:
    """Do the part; what it found is written also where it fails."""
    sys.path[:0] = [str(ROOT / place) for place in ("scripts", "tests/helpers", "benchmarks")]
    import torch

    from retention.common.files import write_text

    module, function, *given = PARTS[name]
    part = partial(getattr(importlib.import_module(module), function), *given)
    own, facts = folder / name, {}
    own.mkdir()
    try:
        part(own, torch.device(kind), facts)
    except Exception as error:
        traceback.print_exc()
        text = " ".join(str(error).split())
        raise SystemExit(f"{type(error).__name__}: {text}") from error
    finally:
        write_text(own / "facts.json", json.dumps(facts))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
