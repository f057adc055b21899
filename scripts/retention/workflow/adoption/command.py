"""A job's own command, as its rule says it, to be run again elsewhere: other outputs, other sources."""

import os
import shlex
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from retention.common.errors import UserError

SOURCE = "$WORKFLOW/scripts/"
# What finetune.py and pretrain_backbone.py write, by option: the results, and what two trainings never share.
RUN_RESULTS = {
    "traces": "traces.parquet",
    "epochs": "epochs.csv",
    "centroids": "class_centroids.npy",
    "probabilities": "probabilities.npy",
    "final-weights": "weights.safetensors",
}
STATE = {"state": "state"}
RUN_NOTES = {"run": "run.yaml", **STATE}
BACKBONE_RESULTS = {"log-table": "epochs.csv", "output": "weights.safetensors"}


def run_python(
    words: Sequence[object], given: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run this Python in a process of its own; a script sees the library beside it before any other."""
    return subprocess.run(
        [sys.executable, *map(str, words)],
        input=given,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )


def last_line(done: subprocess.CompletedProcess[str]) -> str:
    """Return the last line that a process said."""
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1].removeprefix("error: ") if lines else f"exit code {done.returncode}"


@dataclass(frozen=True)
class Command:
    """A script of scripts/ and its options, each with its values, in order."""

    script: str
    options: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, shell: str) -> "Command":
        """Return the command in a rule's shell text: `exec python "$WORKFLOW/scripts/x.py" … > log`."""
        words = shlex.split(shell)
        place = next(number for number, word in enumerate(words) if word.startswith(SOURCE))
        options: dict[str, tuple[str, ...]] = {}
        for word in words[place + 1 : words.index(">")]:
            if word.startswith("--"):
                name = word.removeprefix("--")
                options[name] = ()
            else:
                options[name] += (word,)
        return cls(words[place].removeprefix(SOURCE).removesuffix(".py"), options)

    def __getitem__(self, name: str) -> str:
        return self.options[name][0]

    def given(self, **options: object) -> "Command":
        """Return the command with these options instead, `_` for `-`; `None` takes one away."""
        changed = dict(self.options)
        for name, value in options.items():
            name = name.replace("_", "-")
            changed.pop(name, None)
            if value is not None:
                changed[name] = (str(value),)
        return Command(self.script, changed)

    def moved(self, places: Mapping[str, object]) -> "Command":
        """Return the command with other paths in place of those in the map."""
        return Command(
            self.script,
            {
                name: tuple(str(places.get(value, value)) for value in values)
                for name, values in self.options.items()
            },
        )

    def writing_to(self, folder: Path, names: Mapping[str, str]) -> "Command":
        """Return the command with its outputs in a folder; names: by option, those that it lacks left out."""
        return self.given(
            **{option: folder / name for option, name in names.items() if option in self.options}
        )

    def known(self, names: Collection[str]) -> "Command":
        """Return the command with those options alone."""
        return Command(
            self.script, {name: found for name, found in self.options.items() if name in names}
        )

    def arguments(self) -> list[str]:
        """Return the words after the script."""
        return [word for name, values in self.options.items() for word in (f"--{name}", *values)]

    def run(self, folder: Path, said: str) -> None:
        """Run the script of the sources in `folder`; `UserError` with its last line where it fails.

        said: what was being done, for that line.
        """
        done = run_python([folder / "scripts" / f"{self.script}.py", *self.arguments()])
        if done.returncode:
            raise UserError(f"{said}: scripts/{self.script}.py failed: {last_line(done)}")
