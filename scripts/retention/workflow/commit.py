"""Which commit of the sources is at work."""

import subprocess
from pathlib import Path


def commit_of(root: Path) -> str:
    """Return the commit of the sources, with `+changes` where files differ from it; "" without git."""
    try:
        head = _git(root, "rev-parse", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
        top = _git(root, "rev-parse", "--show-toplevel")
    except (OSError, subprocess.SubprocessError):
        return ""
    if Path(top).resolve() != root.resolve():  # a copy of the sources inside another repository
        return ""
    return f"{head}+changes" if changed else head


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(root), *words], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()
