"""What was fetched for a data set, held against what its definition asks for today."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from retention.common.digests import digest_file
from retention.common.errors import UserError
from retention.workflow.adoption.graph import Job, command_of


def require_fetched(job: Job) -> None:
    """Raise `UserError` where a data set's files are others than its definition asks for.

    What is in the files, and what came without files, the index is made from again.
    """
    command = command_of(job)
    record = Path(command["output"])
    had = (yaml.safe_load(record.read_text(encoding="utf-8")) or {}).get("sha256", {})
    wanted = json.loads(command["definition"]).get("files", {})
    faults = [f"lacks {name}" for name in wanted if name not in had]
    faults += [
        f"has {name}, which the definition does not name" for name in had if name not in wanted
    ]
    for name in wanted:
        if name in had and (fault := _fault(record.parent / name, wanted[name], had[name])):
            faults.append(f"{name} {fault}")
    if faults:
        raise UserError(
            f"{record}: {faults[0]}; let the definition of the data set name the files that the runs were "
            "trained on, or fetch its own with the version that made the runs; nothing was adopted"
        )


def _fault(file: Path, wanted: Mapping, had: str) -> str:
    """Say in which way a file is not what is wanted, "" where it is. had: its sha256 when it was fetched."""
    if "sha256" in wanted:
        told = f"has another sha256 than the {wanted['sha256']} expected"
        return "" if wanted["sha256"] == had else told
    if not {"size", "md5"} & set(wanted):
        return ""
    if not file.exists():
        return "is gone, so that its size and md5 can not be compared"
    if digest_file(file) != had:
        return "is not the file that was fetched"
    if (size := file.stat().st_size) != wanted.get("size", size):
        return f"has {size} bytes, expected {wanted['size']}"
    with open(file, "rb") as stream:
        md5 = hashlib.file_digest(stream, "md5").hexdigest()
    return (
        ""
        if md5 == wanted.get("md5", md5)
        else f"has another md5 than the {wanted['md5']} expected"
    )
