"""Record traces in a training loop of one's own, so that a process that is killed loses no whole epoch."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from retention.common.errors import UserError
from retention.common.lists import listed
from retention.common.parquet_tables import read_metadata, write_parquet
from retention.recorder.arrays import as_whole_number
from retention.recorder.epoch import EpochRecord
from retention.recorder.merging import keep_epochs_before, merge
from retention.recorder.parts import DIGEST, Lock, Parts, epochs_in, read_epoch
from retention.recorder.samples import Samples

PATIENCE = 600.0  # seconds that the first process waits for the others' last parts
POLL = 0.05
LAST_EPOCH = 2**15 - 1  # traces hold epochs as int16
NOT_VALUES = ("split", "sample_index", "sample_id", "epoch", "presentations")


class TraceRecorder:
    """Records what a model says of each sample after each epoch, and writes it as traces.

        recorder = TraceRecorder("traces/seed0.parquet", labels, architecture="swin", seed=0)
        for epoch in range(recorder.next_epoch, epochs + 1):
            if epoch > 0:  # epoch 0 is the state before training
                train(model)
            with recorder.epoch(epoch) as record:
                for indices, logits in evaluate(model):
                    record(indices, logits)
        recorder.close()

    Each epoch is on disk, whole, when its `with` ends. `close` merges the epochs into one file and takes the parts
    away; `retention.recorder.merge` does so for a process that was killed. A recorder on the same file goes on after
    the last whole epoch.
    """

    def __init__(
        self,
        path: str | Path,
        labels: Any = None,
        *,
        ids: Any = None,
        splits: Any = None,
        classes: int | None = None,
        study: str | None = None,
        dataset: str | None = None,
        architecture: str | None = None,
        treatment: str | None = None,
        seed: int | None = None,
        process: int = 0,
        processes: int = 1,
        tolerance: float = 1e-3,
    ):
        """Open a recording, new or begun.

        path: the traces, which end in .parquet. labels: class of each sample, int [N] from 0, or a map from split to
        such a list; `indices` then count within a split. ids: a unique name for each, given as the labels are; they
        become `sample_id`. splits: str [N], "train" where nothing is said. classes: their number, else that of the
        first logits. study, dataset, architecture, treatment and seed name the run for findings. process, processes:
        which of how many record the same run together. tolerance: by how much two evaluations of one sample may
        differ to count as the padding of a distributed sampler, times one plus the value.
        Raises `UserError` where these do not fit each other or what was recorded before.
        """
        self.path = Path(path)
        if self.path.suffix != ".parquet":
            raise UserError(f"{path}: traces are written as Parquet; end the name in .parquet")
        if not 0 <= process < processes:
            raise UserError(f"process: is {process}; expected 0 to {processes - 1}, the rank")
        self.process, self.processes, self.tolerance = process, processes, tolerance
        self.samples = Samples.told(labels, ids, splits)
        classes = None if classes is None else as_whole_number(classes, "classes")
        if classes is not None and labels is not None:
            self.samples.require_below(classes, f"classes: are {classes}")
        if seed is not None and not str(seed).isdecimal():
            raise UserError(f"seed: is {seed!r}; expected a whole number from 0")
        names: dict[str, object] = {"study": study, "dataset": dataset}
        names |= {"architecture": architecture, "treatment": treatment, "seed": seed}
        self.metadata = {name: str(value) for name, value in names.items() if value is not None}
        self.metadata[DIGEST] = self.samples.digest()
        self.parts = Parts(self.path)
        self.classes = classes
        self.known: tuple[str, ...] | None = None
        self.presented: bool | None = (
            None  # whether epochs have presentations, None before the first
        )
        self.current: EpochRecord | None = None
        lock = Lock(self.parts.folder, process, processes)
        self.lock: Lock | None = lock
        try:
            self._take_up()
        except BaseException:
            lock.withdraw()
            raise

    def _take_up(self) -> None:
        """Go on after the last whole epoch of an earlier process, if there was one."""
        merged, whole = epochs_in(self.path), self.parts.whole()
        self.first = min([*merged, *whole], default=None)
        self._next = 0 if self.first is None else self.first
        while self._next in merged or self._next in whole:
            self._next += 1
        if merged:
            self._require_fit(self.path)
        for epoch, parts in whole.items():
            if epoch < self._next:
                self._require_fit(parts[0].path)
        self.parts.tidy(self.process, self.processes, self._next)
        if self.process == 0:
            self.parts.write_samples(self.samples.table(), self.metadata)

    def _require_fit(self, path: Path) -> None:
        """Raise `UserError` unless a file is of this run; take its columns and classes for known."""
        found = read_metadata(path)
        for name in sorted({*self.metadata, *found} - {"classes"}):
            ours, theirs = self.metadata.get(name), found.get(name)
            if ours != theirs:
                what = "labels, ids or splits" if name == DIGEST else name
                values = "" if name == DIGEST else f" ({theirs}, now {ours})"
                raise UserError(
                    f"{path}: was recorded with other {what}{values}; give the recorder another file, or delete this one"
                )
        if "classes" in found:
            recorded = int(found["classes"])
            if self.classes not in (None, recorded):
                raise UserError(
                    f"{path}: was recorded with {recorded} classes, now {self.classes}; give another file"
                )
            self.classes = recorded
        columns = [name for name in pq.read_schema(path).names if name not in NOT_VALUES]
        self.known = tuple(columns) or self.known
        self.presented = "presentations" in pq.read_schema(path).names

    @property
    def next_epoch(self) -> int:
        """The epoch that is to be recorded next, 0 for a new recording."""
        return self._next

    def resume_at(self, epoch: int) -> None:
        """Forget this and later epochs, as a training does that goes on from an earlier checkpoint.

        Raises `UserError` where an epoch before it was never recorded.
        """
        epoch = as_whole_number(epoch, "resume_at")
        if self.current is not None:
            raise UserError(
                f"resume_at: epoch {self.current.epoch} is being recorded; end it first"
            )
        if epoch > self._next and self.first is not None:
            raise UserError(
                f"{self.path}: epochs {self._next} to {epoch - 1} were never recorded; resume the training at "
                f"epoch {self._next}, or record into another file"
            )
        if epoch < self._next:
            self.parts.drop_from(epoch, self.process, self.processes)
            if self.process == 0:
                keep_epochs_before(self.path, epoch)
            if self.first is not None and epoch <= self.first:
                self.first = self.known = self.presented = None
            self._next = epoch

    @contextmanager
    def epoch(self, epoch: int, presentations: Any = None) -> Iterator[EpochRecord]:
        """Yield what takes the epoch's batches, `EpochRecord`; on success write it, on an exception drop it.

        presentations: how often the epoch showed each sample in training, int [N], given as the labels are; left
        out where it is not known. Raises `UserError` where the epoch is not the next one, or not complete.
        """
        epoch = as_whole_number(epoch, "epoch")
        self._require_next(epoch)
        self._require_as_before(epoch, presentations is not None)
        record = EpochRecord(
            epoch, self.samples, self.known, self.classes, self.processes > 1, self.tolerance
        )
        if presentations is not None:
            record.presentations = self.samples.spread(presentations, "presentations")
        self.current = record
        try:
            yield record
            record.finish()
        finally:
            record.open = False
            self.current = None
        self._save(record)

    def _require_next(self, epoch: int) -> None:
        if self.lock is None:
            raise UserError(f"{self.path}: the recorder is closed; open another on the same file")
        if self.current is not None:
            raise UserError(f"epoch {epoch}: epoch {self.current.epoch} is still being recorded")
        new = self.first is None
        if epoch > LAST_EPOCH:
            raise UserError(
                f"epoch {epoch}: the last that traces hold is {LAST_EPOCH}; evaluate less often"
            )
        if epoch == self._next or (new and epoch in (0, 1)):
            self._check_before(epoch)
            return
        if new:
            raise UserError(
                f"epoch {epoch}: is the first to be recorded; number evaluations one by one, from 0 or 1"
            )
        if epoch < self._next:
            raise UserError(
                f"epoch {epoch}: is recorded already in {self.path}; go on at recorder.next_epoch, {self._next}, or "
                f"call recorder.resume_at({epoch}) to record it and later ones anew"
            )
        raise UserError(
            f"epoch {epoch}: the next to be recorded is {self._next}; number evaluations one by one"
        )

    def _require_as_before(self, epoch: int, presented: bool) -> None:
        """Refuse presentations of some epochs alone when it costs one epoch, not at the end."""
        if self.presented in (None, presented):
            return
        now, before = ("has", "none") if presented else ("lacks", "them")
        raise UserError(
            f"epoch {epoch}: {now} presentations, and earlier epochs have {before}; give all epochs theirs, zeros to epoch "
            f"0 (recorder.resume_at({self.first}) forgets those that are recorded), or none"
        )

    def _check_before(self, epoch: int) -> None:
        """Let the first of several processes look at the epoch before: by now the others have recorded it, too."""
        if self.process == 0 and self.processes > 1:
            parts = self.parts.whole().get(epoch - 1)
            if parts:
                read_epoch(parts, self.samples.table(), self.tolerance)

    def _save(self, record: EpochRecord) -> None:
        self.known, self.classes = record.known, record.classes
        self.presented = record.presentations is not None
        metadata = dict(self.metadata)
        if self.classes is not None:
            metadata["classes"] = str(self.classes)
        table = record.table()
        self.parts.write(record.epoch, self.process, self.processes, table, metadata)
        self.first = record.epoch if self.first is None else self.first
        self._next = record.epoch + 1

    def write_index(
        self, path: str | Path, class_names: Any = None, groups: Any = None
    ) -> pd.DataFrame:
        """Write and return the index of the samples that `describe_samples.py --index` takes.

        class_names: by label, a list or a map; the numbers where they are not given. groups: str [N], what makes
        samples dependent, such as the patient, as one list; each sample is its own where they are not given.
        Raises `UserError` where labels are not known, or a class has no name.
        """
        if Path(path).suffix != ".parquet":
            raise UserError(f"{path}: an index is written as Parquet; end the name in .parquet")
        table = self.samples.table()
        if "label" not in table:
            raise UserError(f"{path}: an index needs labels; give them to TraceRecorder")
        if "sample_id" not in table:
            table["sample_id"] = table["sample_index"].astype(str)
        table["class_name"] = _class_names(table["label"], class_names)
        table["group"] = table["sample_id"]
        if groups is not None:
            if len(groups) != len(table):
                raise UserError(f"groups: are {len(groups)} for {len(table)} samples")
            table["group"] = [str(group) for group in groups]
        write_parquet(path, table)
        return table

    def close(self, patience: float = PATIENCE) -> None:
        """Merge the epochs into one file, if this is the first process, and take the parts away.

        The first process waits up to `patience` seconds for the last parts of the others, and raises `UserError` where
        they do not come; what was recorded stays. Closing twice does nothing.
        """
        if self.lock is None:
            return
        if self.current is not None:
            raise UserError(f"close: epoch {self.current.epoch} is being recorded; end it first")
        try:
            if self.process == 0 and self.first is not None:
                self._wait(patience if self.processes > 1 else 0)
                merge(self.path, tolerance=self.tolerance)
            elif self.process == 0:
                self.parts.remove()
        finally:
            self.release()

    def _wait(self, patience: float) -> None:
        until = time.monotonic() + patience
        last = self._next - 1
        while last not in self.parts.whole() and last not in epochs_in(self.path):
            if time.monotonic() >= until:
                if self.processes == 1:
                    raise UserError(
                        f"{self.parts.folder}: epoch {last} was recorded and is gone from there; open another recorder, "
                        "which says the next epoch, and go on from it"
                    )
                there = [part.process for part in self.parts.every() if part.epoch == last]
                lacking = sorted(set(range(self.processes)) - set(there))
                raise UserError(
                    f"{self.parts.folder}: epoch {last} lacks the parts of process(es) "
                    f"{', '.join(map(str, lacking))} of {self.processes}; close the recorder in every process, "
                    "or open it again with fewer and call resume_at"
                )
            time.sleep(POLL)

    def release(self) -> None:
        """Let go of the file without merging: what was recorded stays for the next recorder."""
        if self.lock is not None:
            self.lock.free()
        self.lock = None

    def __enter__(self) -> "TraceRecorder":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Close; after an exception the parts stay as they are, and the next recorder goes on with them."""
        if kind is None:
            self.close()
        else:
            self.release()


def _class_names(labels: pd.Series, names: Any) -> list[str]:
    if names is None:
        return [str(label) for label in labels]
    known = dict(names) if isinstance(names, Mapping) else dict(enumerate(names))
    lacking = sorted(set(labels) - set(known))
    if lacking:
        raise UserError(f"class_names: lack the label {lacking[0]}; give a name for each")
    given = [str(known[label]) for label in sorted(set(labels))]
    if twice := sorted({name for name in given if given.count(name) > 1}):
        raise UserError(f"class_names: {listed(twice)} stand for several labels; give each its own")
    return [str(known[label]) for label in labels]
