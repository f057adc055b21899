"""What a version of the code calls a run and itself: asked of its own sources, in a process of its own."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from retention.common.errors import UserError
from retention.workflow.adoption.command import (
    RUN_NOTES,
    RUN_RESULTS,
    Command,
    last_line,
    run_python,
)

# The first versions tell it only in their `main`, which is stopped where it would open the folder of the
# unfinished run. Should one open it elsewhere, it trains into the folder of the question, and tells nothing.
IDENTITIES = """
import json, sys
sys.path.insert(0, sys.argv[1])
try:
    from retention.commands import finetune
except ImportError:
    import finetune

class Told(Exception):
    pass

def stop(folder, identity):
    raise Told(dict(identity))

def stopped(arguments):
    try:
        finetune.main(arguments)
    except Told as told:
        return told.args[0]
    return "it does not tell what a run depends on"

identity = getattr(finetune, "identity", None)
if identity is None:
    if not hasattr(finetune, "RunState"):
        raise SystemExit("finetune has neither identity nor RunState")
    finetune.RunState, identity = stop, stopped
answers, out = [], sys.stdout
sys.stdout = sys.stderr
for arguments in json.load(sys.stdin):
    try:
        answers.append(identity(arguments))
    except (Exception, SystemExit) as error:
        answers.append(str(error).partition("\\n")[0] or type(error).__name__)
json.dump(answers, out)
"""

# Versions before named parts took the whole library of a script.
CODE_VERSIONS = """
import inspect, json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from retention.workflow.code_version import code_version
whole = len(inspect.signature(code_version).parameters) == 1
answers = []
for script, parts in json.load(sys.stdin):
    path = Path(sys.argv[1]) / f"{script}.py"
    answers.append(code_version(path) if whole else code_version(path, parts))
json.dump(answers, sys.stdout)
"""


def identities(
    folder: Path, commands: Sequence[Command], scratch: Path
) -> list[dict[str, str] | str]:
    """Return, per command of finetune.py, a digest of each thing that the run depends on.

    As the sources in `folder` compute them. Where they refuse a command, what they say instead. No file but
    those in `scratch` is written.
    """
    asked = [command.writing_to(scratch, {**RUN_RESULTS, **RUN_NOTES}) for command in commands]
    return _answers(folder, IDENTITIES, [command.arguments() for command in asked])


def code_versions(folder: Path, scripts: Iterable[tuple[str, dict[str, list[str]]]]) -> list[str]:
    """Return the code version of each script with the parts that it loads by name."""
    return _answers(folder, CODE_VERSIONS, list(scripts))


def _answers(folder: Path, program: str, given: list) -> list:
    if not given:
        return []
    done = run_python(["-c", program, folder.resolve() / "scripts"], json.dumps(given))
    if done.returncode:
        raise UserError(
            f"{folder}: does not tell what it calls a run ({last_line(done)}); adopt from a version that "
            "has scripts/finetune.py as this one has"
        )
    return json.loads(done.stdout)
