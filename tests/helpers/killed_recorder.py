"""Recordings that die at any system call: run as a script, which forks before any thread is there.

The parent follows its child by ptrace, which stops it at the beginning and the end of each system call, and kills
it at the n-th stop. That between two calls comes to the same as that at the end of the first: every second stop is
taken. Prints as JSON what each killed recording left.
"""

import ctypes
import json
import os
import shutil
import signal
import sys
from pathlib import Path

import numpy as np

from retention.recorder import TraceRecorder

TRACE_ME, CONTINUE_TO_CALL = 0, 24
EPOCHS, BROKEN = (
    3,
    1,
)  # epoch 1 is that during whose saving, and the last that during whose merging, it dies
LABELS = np.arange(12) % 3
DONE, FORBIDDEN = 7, 9  # exit codes: not killed; the machine allows no ptrace
LIBC = ctypes.CDLL(None, use_errno=True)


def record(recorder: TraceRecorder, epoch: int) -> None:
    logits = np.random.default_rng(epoch).normal(size=(12, 3))
    with recorder.epoch(epoch) as taken:
        taken(np.arange(12), logits)


def saving(path: Path, stop) -> None:
    """Record epoch 0; from its end on be followed, through the saving of epoch 1."""
    recorder = TraceRecorder(path, LABELS)
    record(recorder, 0)
    stop()
    record(recorder, BROKEN)


def closing(path: Path, stop) -> None:
    """Record all epochs; be followed while they are merged and the parts are taken away."""
    recorder = TraceRecorder(path, LABELS)
    for epoch in range(EPOCHS):
        record(recorder, epoch)
    stop()
    recorder.close()


def going_back(path: Path, stop) -> None:
    """Merge two epochs; be followed while the second is forgotten and recorded anew."""
    with TraceRecorder(path, LABELS) as recorder:
        for epoch in range(2):
            record(recorder, epoch)
    recorder = TraceRecorder(path, LABELS)
    stop()
    recorder.resume_at(BROKEN)
    record(recorder, BROKEN)


def child(what, path: Path) -> None:
    def stop() -> None:
        if LIBC.ptrace(TRACE_ME, 0, None, None) != 0:
            os._exit(FORBIDDEN)
        os.kill(os.getpid(), signal.SIGSTOP)

    what(path, stop)
    os._exit(DONE)


def killed_at(number: int, what, path: Path) -> bool:
    """Run a recording that is killed at a stop; return whether it was, False where it had ended before."""
    process = os.fork()
    if process == 0:
        child(what, path)
    stops = -1
    while True:
        _, status = os.waitpid(process, 0)
        if os.WIFEXITED(status):
            code = os.WEXITSTATUS(status)
            if code != DONE:
                raise SystemExit(f"exit code {code}")
            return False
        if os.WIFSIGNALED(status):
            return True
        stops += 1
        if stops == number:
            os.kill(process, signal.SIGKILL)
            continue
        LIBC.ptrace(CONTINUE_TO_CALL, process, None, None)


def afterwards(path: Path, told: int) -> None:
    """In a process of its own: say where the recording goes on, end it, and whether it is what it should be."""
    process = os.fork()
    if process == 0:
        recorder = TraceRecorder(path, LABELS)
        begun = recorder.next_epoch
        for epoch in range(begun, EPOCHS):
            record(recorder, epoch)
        recorder.close()
        left = sorted(one.name for one in path.parent.iterdir())
        os.write(told, json.dumps([begun, left]).encode() + b"\n")
        os._exit(0)
    os.waitpid(process, 0)


def main(folder: Path, name: str) -> None:
    what, results, number = globals()[name], [], 1
    afterwards(folder / "whole" / "traces.parquet", os.open(os.devnull, os.O_WRONLY))
    whole = (folder / "whole" / "traces.parquet").read_bytes()
    while True:
        path = folder / "killed" / "traces.parquet"
        shutil.rmtree(path.parent, ignore_errors=True)
        if not killed_at(number, what, path):
            break
        reading, writing = os.pipe()
        afterwards(path, writing)
        os.close(writing)
        with open(reading) as stream:
            line = stream.readline()
        begun, left = json.loads(line or "[null, null]")
        results.append([begun, left, path.exists() and path.read_bytes() == whole])
        number += 2
    print(json.dumps(results))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
