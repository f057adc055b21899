"""Traces of any training loop: a recorder that is given logits, and needs no torch."""

from retention.recorder.merging import merge
from retention.recorder.recorder import TraceRecorder

__all__ = ["TraceRecorder", "merge"]
