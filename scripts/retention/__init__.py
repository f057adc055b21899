"""Which images does a fine-tuned classifier forget? The library behind the workflow.

`TraceRecorder` records traces in a training loop of one's own. `describe` and `measure` are for notebooks.
"""

from pathlib import Path

# A file of its own: every job's digest covers this module, and a new version reruns nothing.
__version__ = (Path(__file__).parent / "VERSION").read_text(encoding="utf-8").strip()


# The face that users see. No job may ask for it: the digest of its code leaves it out (workflow/code_version.py).
def __getattr__(name: str) -> object:
    if name == "TraceRecorder":
        from retention.recorder.recorder import TraceRecorder

        return TraceRecorder
    if name in ("describe", "measure"):
        from retention.notebooks.given import given

        return given(name)
    raise AttributeError(f"module 'retention' has no attribute {name!r}")
