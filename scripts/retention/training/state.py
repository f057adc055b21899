"""An unfinished run on disk: safe at any moment, resumed only by the run that it belongs to."""

import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors.numpy
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import nn

from retention.common.digests import digest_file
from retention.training.models import plain_copy, tensor_path
from retention.training.probability_file import give, parts_of, write_part
from retention.training.state_file import read_state, write_state
from retention.training.tracking import Record

KEPT_STATES = 2
PROBABILITIES = "probabilities"
# What a run may go on without: `on_other_device` says whether it does, and the run's record that it did.
GOES_ON_WITHOUT = ("device",)


@dataclass(frozen=True)
class Saved:
    """What a run goes on from: its last whole epoch."""

    epoch: int
    tensors: dict[str, torch.Tensor]
    summaries: list[dict]


class RunState:
    """The folder of one unfinished run: the state of the last two epochs, every epoch's record.

    Per epoch: `epoch_000003.safetensors` (model and optimiser), `record_000003.safetensors` and,
    written last, `epoch_000003.json` with the checksums. Of all epochs: `probabilities`, where they are kept. `identity` maps what the run depends on
    to a digest. Only the holder of the folder's lock may use it.
    """

    def __init__(self, folder: str | Path, identity: Mapping[str, str]):
        self.folder = Path(folder)
        self.identity = dict(identity)
        self.records: dict[str, str] = {}
        self.probabilities: dict[
            str, dict
        ] = {}  # by epoch: bytes and sha256 of its part of the file
        self.folder.mkdir(parents=True, exist_ok=True)
        for leftover in self.folder.glob(".*-*"):
            leftover.unlink()

    def save(
        self, epoch: int, tensors: Mapping[str, torch.Tensor], record: Record, summaries: list[dict]
    ) -> None:
        """Write one epoch; whenever the process dies, a whole state is there."""
        record = dict(record)
        if (values := record.pop("probabilities", None)) is not None:
            self._keep_probabilities(epoch, values)
        with tensor_path(self._path("record", epoch)) as temporary:
            safetensors.numpy.save_file(record, temporary)
            self.records[str(epoch)] = digest_file(temporary)
        with tensor_path(self._path("epoch", epoch)) as temporary:
            safetensors.torch.save_file(dict(tensors), temporary)
            checksum = digest_file(temporary)
        content = {
            "epoch": epoch,
            "identity": self.identity,
            "tensors": checksum,
            "records": self.records,
            "probabilities": self.probabilities,
            "summaries": summaries,
        }
        write_state(self._path("epoch", epoch, ".json"), content)
        for old in self._epochs()[:-KEPT_STATES]:
            self._path("epoch", old, ".json").unlink()
            self._path("epoch", old).unlink(missing_ok=True)

    def load(self) -> Saved | None:
        """Return the newest whole state of this very run, or `None` after clearing the folder.

        A damaged state is passed over with a warning; a state of other inputs is dropped with a
        line that says what differs.
        """
        for epoch in reversed(self._epochs()):
            try:
                content = read_state(self._path("epoch", epoch, ".json"))
                differing = _differing(content["identity"], self.identity)
                if differing:
                    _say(f"restarting from the beginning: {differing} changed since epoch {epoch}")
                    break
                saved = self._whole(content)
                self._forget_after(epoch)
                return saved
            except (OSError, ValueError, KeyError, SafetensorError) as error:
                _say(f"warning: the state of epoch {epoch} is damaged ({error}); trying an earlier")
        else:
            if self._epochs():
                _say("restarting from the beginning: no state is whole")
        self.clear()
        return None

    def last_epoch(self) -> int | None:
        """Return the last epoch whose state is written, `None` for none."""
        return max(self._epochs(), default=None)

    def record(self, epoch: int) -> Record:
        """Return the record of an epoch that was saved, without its probabilities."""
        record = safetensors.numpy.load_file(self._path("record", epoch))
        record.pop("probabilities", None)  # of version 0.1.0, see `_check_probabilities`
        return record

    def give_probabilities(self, output: Path, samples: int, classes: int) -> None:
        """Make a .npy file, float16 [K, N, C], of the probabilities of all epochs that were saved with them."""
        shape = (len(self.probabilities), samples, classes)
        give(self.folder / PROBABILITIES, shape, output)

    def clear(self) -> None:
        """Remove every file but the lock."""
        self.records, self.probabilities = {}, {}
        for path in self.folder.iterdir():
            if path.name != "lock":
                path.unlink()

    def remove(self) -> None:
        """Remove the folder and, last, the lock in it: the run is done."""
        self.clear()
        (self.folder / "lock").unlink(missing_ok=True)
        # An empty folder is left to a process that is waiting for the lock.
        try:
            self.folder.rmdir()
        except OSError:
            return

    def _whole(self, content: dict) -> Saved:
        epoch = content["epoch"]
        if digest_file(self._path("epoch", epoch)) != content["tensors"]:
            raise ValueError("the tensors do not match their checksum")
        for number, digest in content["records"].items():
            if digest_file(self._path("record", int(number))) != digest:
                raise ValueError(f"the record of epoch {number} does not match its checksum")
        self._check_probabilities(content)
        self.records = dict(content["records"])
        tensors = safetensors.torch.load_file(self._path("epoch", epoch))
        return Saved(epoch, tensors, content["summaries"])

    def _keep_probabilities(self, epoch: int, values: np.ndarray) -> None:
        before = {key: part for key, part in self.probabilities.items() if int(key) < epoch}
        part = write_part(self.folder / PROBABILITIES, len(before), values)
        self.probabilities = {**before, str(epoch): part}

    def _check_probabilities(self, content: dict) -> None:
        """Hold what is kept against its checksums; take it from the records where version 0.1.0 put it."""
        if "probabilities" not in content:
            for number in range(content["epoch"] + 1):
                record = safetensors.numpy.load_file(self._path("record", number))
                if "probabilities" in record:
                    self._keep_probabilities(number, record["probabilities"])
            return
        kept = content["probabilities"]
        if kept and parts_of(self.folder / PROBABILITIES, kept.values()) != list(kept.values()):
            raise ValueError("the probabilities do not match their checksums")
        self.probabilities = dict(kept)

    def _forget_after(self, epoch: int) -> None:
        """Take away the damaged states passed over, or a run that is stopped would name them."""
        for later in self._epochs():
            if later > epoch:
                self._path("epoch", later, ".json").unlink()

    def _path(self, kind: str, epoch: int, suffix: str = ".safetensors") -> Path:
        return self.folder / f"{kind}_{epoch:06d}{suffix}"

    def _epochs(self) -> list[int]:
        return sorted(int(path.stem.split("_")[1]) for path in self.folder.glob("epoch_*.json"))


def pack(model: nn.Module, optimizer: torch.optim.Optimizer | None) -> dict[str, torch.Tensor]:
    """Return the model's and the optimiser's tensors by name, as copies on the CPU."""
    tensors = {f"model.{key}": plain_copy(value) for key, value in model.state_dict().items()}
    if optimizer is None:
        return tensors
    for number, parameter in enumerate(_parameters(optimizer)):
        for key, value in optimizer.state.get(parameter, {}).items():
            if torch.is_tensor(value):
                tensors[f"optimizer.{number}.{key}"] = plain_copy(value)
    return tensors


def unpack(
    tensors: Mapping[str, torch.Tensor], model: nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    """Put packed tensors back in place, each in the memory layout of its parameter."""
    prefix = "model."
    model.load_state_dict(
        {key.removeprefix(prefix): tensors[key] for key in tensors if key.startswith(prefix)}
    )
    parameters = _parameters(optimizer)
    for name, value in tensors.items():
        kind, _, rest = name.partition(".")
        if kind != "optimizer":
            continue
        number, _, key = rest.partition(".")
        parameter = parameters[int(number)]
        if value.shape == parameter.shape and value.ndim:
            value = torch.empty_like(parameter, requires_grad=False).copy_(value)
        elif parameter.device.type == "cuda":
            value = value.to(parameter.device)  # the fused kernels keep their step count there
        optimizer.state[parameter][key] = value


def _parameters(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def recipe_begun(folder: str | Path) -> str:
    """Return the digest of the recipe that the newest state in a folder was trained by, "" where there is none."""
    states = sorted(Path(folder).glob("epoch_*.json"), reverse=True)
    for path in states:
        with suppress(OSError, ValueError, KeyError):
            return read_state(path)["identity"]["recipe"]
    return ""


def _differing(before: Mapping, now: Mapping) -> str:
    names = [key for key in {**before, **now} if key not in GOES_ON_WITHOUT]
    return ", ".join(key for key in names if before.get(key) != now.get(key))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
