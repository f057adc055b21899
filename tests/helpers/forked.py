"""Processes forked from one server per test process, which has imported torch and the tests' own helpers."""

import multiprocessing
import os
import sys
from multiprocessing import forkserver

from sources import ROOT

PATHS = (ROOT / "tests/helpers", ROOT / "scripts")


def start(target, *arguments) -> multiprocessing.Process:
    """Start a function in a process of its own that has imported `preloaded` already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["preloaded"])
    before = os.environ.get("PYTHONPATH")
    # The server passes over what it can not import, and knows no other path (Python before 3.14).
    os.environ["PYTHONPATH"] = os.pathsep.join(map(str, PATHS))
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    process = context.Process(target=target, args=arguments)
    process.start()
    return process


def end_as_preloaded() -> None:
    """End this very process with 0 where the server imported what it should, else with 1."""
    sys.exit(0 if getattr(sys.modules.get("preloaded"), "READY", False) else 1)
