"""An epoch is saved by a thread, beside the training of the next one."""

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import torch

from retention.training.progress import say
from retention.training.state import RunState
from retention.training.tracking import Record


class Saver:
    """Saves epochs of a run one after the other. Leaving its context waits for the last one.

    What goes wrong with an epoch is raised where the next one is to be saved, or on leaving. Where the run
    ends by another error, it is said in a line.
    """

    def __init__(self, state: RunState):
        self.state = state
        self.thread = ThreadPoolExecutor(1, "save-epoch")
        self.last: Future | None = None

    def save(
        self, epoch: int, tensors: Mapping[str, torch.Tensor], record: Record, summaries: list[dict]
    ) -> None:
        """Begin to save an epoch, once the one before is saved; see `RunState.save`.

        The arguments must not change any more: tensors are copies on the CPU.
        """
        self.wait()
        self.last = self.thread.submit(self.state.save, epoch, tensors, record, summaries)

    def raise_early(self) -> None:
        """Raise what went wrong, without waiting for what is being saved."""
        if self.last is not None and self.last.done():
            self.last.result()

    def wait(self) -> None:
        """Return once every epoch is saved; raise what went wrong."""
        if self.last is not None:
            self.last.result()

    def __enter__(self) -> "Saver":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.thread.shutdown()
        try:
            self.wait()
        except Exception as own:
            if error is None:
                raise
            if own is not error:
                say(f"warning: {own}")
