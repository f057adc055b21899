"""What only a GPU can show: checks, then speed, in at most eight minutes. `make test-gpu` calls it.

    python3 tests/gpu/run.py                    # all of it; writes benchmarks/results/gpu.json as it goes
    python3 tests/gpu/run.py same_bytes fp16    # these parts alone; writes nothing
    python3 tests/gpu/run.py --device cpu       # tries the script out: nothing of a GPU is shown or written

Runs from a bare checkout with the Python that calls it; nothing is installed or fetched. Without a GPU it says so in
a line and ends well; with one, and without a package that it needs, it ends with an error. Each part is a process with a limit of its own.
"""

import argparse
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RESULT = ROOT / "benchmarks" / "results" / "gpu.json"
NEEDED = [
    "torch",
    "torchvision",
    "timm",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "safetensors",
    "tqdm",
    "yaml",
    "PIL",
]
SECONDS, LEAST = 470, 5  # of the whole; with fewer left no part is begun
DRY = 4  # times as long on a CPU, which may be busy
# Seconds that each part may take, in their order; what they need is a fraction of it.
LIMITS = {
    "device": 60,
    "same_bytes": 110,
    "resume": 80,
    "batches": 40,
    "close_calls": 50,
    "out_of_memory": 60,
    "sharing": 80,
    "fp16": 40,
    "saver": 40,
    "images": 60,
    "ours_convolutions": 70,
    "plain_convolutions": 70,
    "ours_attention": 80,
    "plain_attention": 70,
}


def main() -> int:
    """Run the parts; return 1 where one of them did not pass."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(LIMITS)}")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.parts if name not in LIMITS]:
        parser.error(f"no part is called {', '.join(unknown)}; there are {', '.join(LIMITS)}")
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(143)
    )  # so that a part is ended with the script
    if lacking := lacking_packages():
        print(
            f"test-gpu: left out: {sys.executable} has no {', '.join(lacking)}; call it with a Python that has: "
            "make test-gpu PYTHON=…"
        )
        return int(sees_gpu())
    if arguments.device == "cuda" and not sees_gpu():
        print(f"test-gpu: left out: torch of {sys.executable} sees no GPU")
        return 0
    if arguments.device == "cpu":
        print("test-gpu: a dry run on the CPU, with tiny networks: nothing of a GPU is shown")
    output = RESULT if arguments.device == "cuda" and not arguments.parts else None
    return run(arguments.parts or list(LIMITS), arguments.device, output)


def lacking_packages() -> list[str]:
    """Return which of the packages that the checks need are not there."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def sees_gpu() -> bool:
    """Tell whether torch, where it is there, sees a GPU: then checks that are left out are no success."""
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()


def run(names: list[str], device: str, output: Path | None) -> int:
    """Run the parts and say how each went; what is known so far is in `output` after each."""
    until, outcomes = time.monotonic() + SECONDS * (1 if device == "cuda" else DRY), {}
    with tempfile.TemporaryDirectory(prefix="test-gpu-") as folder:
        for name in names:
            outcomes[name] = outcome = done(name, Path(folder), device, until)
            print(f"{name}: {in_words(outcome)}", flush=True)
            if output:
                write(output, outcomes, complete=len(outcomes) == len(names))
    failed = [name for name, outcome in outcomes.items() if outcome["outcome"] != "passed"]
    where = f"; see {output.relative_to(ROOT)}" if output else "; nothing was written"
    print(f"test-gpu: {len(names) - len(failed)} of {len(names)} parts passed{where}")
    return 1 if failed else 0


def done(name: str, folder: Path, device: str, until: float) -> dict:
    """Run one part; return its outcome, the reason where it did not pass, seconds, and facts."""
    patience = 1 if device == "cuda" else DRY
    limit = min(LIMITS[name] * patience, until - time.monotonic())
    if limit < LEAST:
        return {"outcome": "left out", "reason": f"the {SECONDS} s of the whole were over"}
    log, start = folder / f"{name}.log", time.monotonic()
    process = code = None
    with open(log, "w", encoding="utf-8") as stream:
        try:
            with held_back(signal.SIGTERM):
                process = subprocess.Popen(
                    [sys.executable, HERE / "part.py", name, folder, device],
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            pass  # the code stays None
        finally:
            if process:
                end(process)
    outcome = {"outcome": "passed" if code == 0 else "failed"}
    if code != 0:
        outcome["reason"] = f"not done in {limit:.0f} s" if code is None else last_line(log, code)
    outcome["seconds"] = round(time.monotonic() - start, 1)
    facts = folder / name / "facts.json"
    return outcome | {"facts": json.loads(facts.read_text()) if facts.exists() else {}}


@contextmanager
def held_back(number: int) -> Iterator[None]:
    """Let a signal wait until the block is done: a part that is just started would have nobody to end it."""
    came: list[int] = []
    usual = signal.signal(number, lambda *_: came.append(number))
    try:
        yield
    finally:
        signal.signal(number, usual)
        if came:
            signal.raise_signal(number)


def end(process: subprocess.Popen) -> None:
    """End a part with all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def last_line(log: Path, code: int) -> str:
    """Return the last line that a part said, which names its error; all of it goes to the terminal."""
    text = log.read_text(encoding="utf-8", errors="replace").strip()
    print(text[-4000:], file=sys.stderr, flush=True)
    return text.splitlines()[-1] if text else f"it ended with {code} and said nothing"


def in_words(outcome: dict) -> str:
    """Say an outcome in a line."""
    reason = f" ({outcome['reason']})" if "reason" in outcome else ""
    facts = json.dumps(outcome["facts"]) if outcome.get("facts") else ""
    return f"{outcome['outcome']}{reason} {outcome.get('seconds', 0)} s {facts}".rstrip()


def write(output: Path, outcomes: dict, complete: bool) -> None:
    """Write what is known, whole or not at all, and whether every part was run."""
    sys.path.insert(0, str(ROOT / "scripts"))
    from retention.common.files import write_text

    write_text(
        output,
        json.dumps({"name": "gpu", "complete": complete, "parts": outcomes}, indent=2) + "\n",
    )


if __name__ == "__main__":
    sys.exit(main())
