"""What the callbacks of all libraries share: how a recording begins, goes on and ends beside a training."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from retention.common.errors import UserError
from retention.recorder.recorder import TraceRecorder


class Recording:
    """A recorder that follows a training: epoch 0 before its first step, epoch n after its n-th epoch.

    initial: whether epoch 0 is recorded. words: what `TraceRecorder` takes beside the path; and `index` and
    `class_names`, where an index of the samples is to be written, and the names of its classes.
    """

    def __init__(self, path: str | Path, initial: bool, words: Mapping[str, Any]):
        self.path, self.initial, self.words = Path(path), initial, dict(words)
        self.index, self.class_names = (
            self.words.pop(name, None) for name in ("index", "class_names")
        )
        self.recorder: TraceRecorder | None = None

    def begin(self, done: int, labels: Any, process: int = 0, processes: int = 1) -> bool:
        """Open the recorder for a training with `done` epochs behind it; return whether epoch 0 is to be recorded now.

        What an unfinished recording has of later epochs is forgotten, and told. Raises `UserError` where the training
        begins anew and the recording is finished, or where an epoch before it was never recorded.
        """
        self.end(merge=False)
        recorder = TraceRecorder(
            self.path, labels, process=process, processes=processes, **self.words
        )
        try:
            return self._place(recorder, done)
        except BaseException:
            recorder.release()
            raise

    def _place(self, recorder: TraceRecorder, done: int) -> bool:
        fresh = done == 0 and self.initial
        wanted, recorded = 0 if fresh else done + 1, recorder.next_epoch
        if done == 0 and self.path.exists():
            raise UserError(
                f"{self.path}: is a finished recording, and the training begins anew; give another path, delete the "
                "file, or let the training go on from a checkpoint"
            )
        if recorded < wanted and not (recorded == 0 and done == 0):
            raise UserError(
                f"{self.path}: the training goes on after epoch {done}, and epochs {recorded} to {done} were never "
                "recorded; go on from an earlier checkpoint, or train anew into another file"
            )
        if recorded > wanted:
            warnings.warn(
                f"{self.path}: epochs {wanted} to {recorded - 1} are forgotten and recorded anew, since the training "
                f"goes on after epoch {done}",
                stacklevel=2,
            )
            recorder.resume_at(wanted)
        self.recorder = recorder
        return fresh

    def opened(self) -> TraceRecorder:
        """Return the recorder of the training that is under way."""
        if self.recorder is None:
            raise UserError(
                f"{self.path}: no training is under way; hand the callback to a trainer"
            )
        return self.recorder

    def end(self, merge: bool = True) -> None:
        """Merge the epochs into one file, or let go of them as they are."""
        if self.recorder is not None:
            recorder, self.recorder = self.recorder, None
            if merge:
                recorder.close()
                if self.index is not None and recorder.process == 0:
                    recorder.write_index(self.index, self.class_names)
            else:
                recorder.release()


def require_same_labels(split: str, indices: np.ndarray, given: Any, known: np.ndarray) -> None:
    """Raise `UserError` where a batch has other labels [B] than the recorder at `indices`: its order is another."""
    if given.shape != indices.shape or given.dtype.kind not in "iu":
        return  # soft labels: nothing can be told
    wrong = indices[given != known]
    if len(wrong):
        raise UserError(
            f"{split}: {len(wrong)} samples have another label than `labels` says, the first is {wrong[0]}; give the "
            "labels in the order of the data set"
        )
